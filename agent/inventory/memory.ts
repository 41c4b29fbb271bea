import type {MemoryJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Found, Source} from './collector.ts';
import {readMemory} from './smbios-hardware.ts';
import type {Tree} from './tree.ts';

/** Installed memory by SMBIOS; where that is silent, what the kernel can use. */
export async function collectMemory({tree, smbios}: Source): Promise<Found> {
  const usable = await readUsableBytes(tree);
  const memory: MemoryJson = {
    ...(usable === undefined ? {} : {totalBytes: usable}),
    ...(smbios && readMemory(smbios)),
  };
  return {memory};
}

async function readUsableBytes(tree: Tree): Promise<string | undefined> {
  const meminfo = await tree.bytes('/proc/meminfo');
  const kibibytes = /^MemTotal:\s+(\d{1,15}) kB$/m.exec(meminfo?.toString('utf8') ?? '')?.[1];
  return kibibytes === undefined ? undefined : String(BigInt(kibibytes) * 1024n);
}
