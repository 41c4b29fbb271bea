import type {
  Metrics_DiskJson,
  Metrics_InterfaceJson,
} from '@muster/proto/gen/muster/v1/metrics_pb.ts';

/** Of each kind; muster.v1.Metrics allows twice as many. */
export const deviceCountMax = 32;
const sectorBytes = 512;

/** Whole disks, not their partitions, and RAIDs of the kernel. */
const diskName = /^([shv]d[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+|md\d+)$/;
/** One end of each container's line: they come and go, and their bytes are counted elsewhere. */
const passingInterface = /^(lo$|veth|cali|lxc|tap)/;

/** /proc/diskstats (Documentation/admin-guide/iostats.rst): sectors read and written, milliseconds in which anything was under way. */
export function parseDisks(text: string): readonly Metrics_DiskJson[] {
  const disks: Metrics_DiskJson[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/ +/);
    const name = fields[2] ?? '';
    if (!diskName.test(name)) continue;
    const [read, written, busyMs] = [fields[5], fields[9], fields[12]].map(Number);
    disks.push({
      name,
      ...counted('readBytes', read, sectorBytes),
      ...counted('writtenBytes', written, sectorBytes),
      ...(isCount(busyMs) ? {busySeconds: busyMs / 1000} : {}),
    });
    if (disks.length >= deviceCountMax) break;
  }
  return disks;
}

/** /proc/net/dev: received bytes, packets, errors, dropped; the same of what was sent from the ninth on. */
export function parseInterfaces(text: string): readonly Metrics_InterfaceJson[] {
  const interfaces: Metrics_InterfaceJson[] = [];
  for (const line of text.split('\n').slice(2)) {
    const cut = line.indexOf(':');
    const name = line.slice(0, cut).trim();
    if (cut < 1 || name === '' || passingInterface.test(name)) continue;
    const fields = line
      .slice(cut + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    interfaces.push({
      name,
      ...counted('rxBytes', fields[0]),
      ...counted('txBytes', fields[8]),
      ...counted('rxErrors', fields[2]),
      ...counted('txErrors', fields[10]),
      ...counted('rxDropped', fields[3]),
      ...counted('txDropped', fields[11]),
    });
    if (interfaces.length >= deviceCountMax) break;
  }
  return interfaces;
}

const isCount = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value) && value >= 0;

/** As proto-JSON writes 64-bit integers; nothing when it is no number. */
function counted<K extends string>(
  name: K,
  value: number | undefined,
  unit = 1,
): {readonly [key in K]?: string} {
  if (!isCount(value) || value * unit > Number.MAX_SAFE_INTEGER) return {};
  return {[name]: String(value * unit)} as {readonly [key in K]?: string};
}
