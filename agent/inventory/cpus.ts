import {machine} from 'node:os';
import type {CpuJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {readProcessors} from './smbios-hardware.ts';
import {cleanText, type Tree} from './tree.ts';

const socketCountMax = 256;
const flagCountMax = 1024;

/** One entry a socket: what the kernel sees, with the socket's name of SMBIOS. Offline sockets come from SMBIOS alone. */
export async function collectCpus({tree, smbios}: Source): Promise<Found> {
  const [cpuinfo, architecture, maxMhz] = await Promise.all([
    tree.bytes('/proc/cpuinfo'),
    readArchitecture(tree),
    readMaxMhz(tree),
  ]);
  const sockets = parseCpuinfo(cpuinfo?.toString('utf8') ?? '');
  const named = smbios ? readProcessors(smbios) : [];
  const count = Math.min(Math.max(sockets.length, named.length), socketCountMax);
  return {
    cpus: Array.from({length: count}, (_, index) => ({
      ...named[index],
      ...(maxMhz === undefined ? {} : {maxMhz}),
      ...(architecture === undefined ? {} : {architecture}),
      ...sockets[index],
    })),
  };
}

/** /proc/cpuinfo by its physical ids, in their order. Virtual machines without ids count as one socket. */
export function parseCpuinfo(text: string): CpuJson[] {
  const sockets = new Map<number, Map<string, string>[]>();
  for (const block of text.split(/\n\n+/)) {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const cut = line.indexOf(':');
      if (cut > 0) fields.set(line.slice(0, cut).trim(), line.slice(cut + 1).trim());
    }
    if (!fields.has('processor')) continue;
    const id = Number(fields.get('physical id') ?? 0);
    sockets.set(id, [...(sockets.get(id) ?? []), fields]);
  }
  return [...sockets]
    .sort(([a], [b]) => a - b)
    .map(([, threads]) => describeSocket(threads))
    .filter(cpu => Object.keys(cpu).length > 0);
}

function describeSocket(threads: readonly Map<string, string>[]): CpuJson {
  const first = threads[0];
  const coreIds = new Set(threads.map(thread => thread.get('core id')));
  const flags = (first?.get('flags') ?? first?.get('Features') ?? '').split(' ');
  return compact<CpuJson>({
    manufacturer: cleanText(first?.get('vendor_id') ?? first?.get('CPU implementer')),
    model: cleanText(first?.get('model name')),
    cores: coreIds.has(undefined) ? threads.length : coreIds.size,
    threads: threads.length,
    microcode: cleanText(first?.get('microcode')),
    flags: flags.filter(flag => flag !== '').slice(0, flagCountMax),
  });
}

async function readMaxMhz(tree: Tree): Promise<number | undefined> {
  const kilohertz = await tree.count('/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq');
  return kilohertz === undefined ? undefined : kilohertz / 1000;
}

/** As the kernel names it: "x86_64", "aarch64". Kernels before 6.1 tell only the machine's own programs. */
export async function readArchitecture(tree: Tree): Promise<string | undefined> {
  return (await tree.text('/proc/sys/kernel/arch')) ?? (tree.root === '/' ? machine() : undefined);
}
