/** Beyond this a clock says nothing; PostgreSQL's bigint and JavaScript's numbers both hold it. */
const skewMsMax = 2 ** 52;

/** The machine's clock minus ours, in milliseconds: measured and shown, never trusted. */
export function clockSkewOf(machineTime: Date | undefined, heardTime: Date): number | undefined {
  if (!machineTime) return undefined;
  const skewMs = machineTime.getTime() - heardTime.getTime();
  return Math.abs(skewMs) <= skewMsMax ? skewMs : undefined;
}
