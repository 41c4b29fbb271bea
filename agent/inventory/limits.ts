import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';

/** NATS takes messages up to 1 MiB; the envelope and the base of other limits need some of that. */
export const inventoryBytesMax = 768 * 1024;

/** What goes first when an inventory is too large: long lists that identify nothing. */
const expendable = [
  'usbDevices',
  'pciDevices',
  'lldpNeighbours',
  'numaNodes',
  'gpus',
] as const satisfies readonly (keyof HardwareJson)[];

/**
 * Leaves out parts until the inventory fits, and says so in `collectors`. Flags are given for the first socket only: they
 * are the same in all, and a kilobyte each.
 */
export function fitInventory(
  hardware: HardwareJson,
  bytesMax: number = inventoryBytesMax,
): HardwareJson {
  let fitted: HardwareJson = withoutRepeatedFlags(hardware);
  for (const name of expendable) {
    if (Buffer.byteLength(JSON.stringify(fitted)) <= bytesMax) break;
    const {[name]: dropped, ...rest} = fitted;
    if (!dropped) continue;
    const reason = `Left out: the inventory is larger than ${bytesMax} bytes`;
    fitted = {
      ...rest,
      collectors: [...(rest.collectors ?? []), {name, state: 'STATE_FAILED', reason}],
    };
  }
  return fitted;
}

function withoutRepeatedFlags(hardware: HardwareJson): HardwareJson {
  if (!hardware.cpus) return hardware;
  return {
    ...hardware,
    cpus: hardware.cpus.map((cpu, index) => {
      if (index === 0) return cpu;
      const {flags: _same, ...rest} = cpu;
      return rest;
    }),
  };
}
