/** What an inventory (muster.v1.Hardware, proto-JSON names) says anew each time: when it was read, how long that took, and how old the disks are. */
export const passingFields = ['collectTime', 'durationMs', 'powerOnHours'] as const;
