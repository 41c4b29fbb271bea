import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {runProgram} from '../../process.ts';
import type {BuildContext} from '../backend.ts';
import type {Apt, ResolvedPackage} from './apt.ts';
import type {Tree, TreeEntry} from '../../cpio.ts';
import type {Kernel} from './kernel.ts';
import {resolveInside} from './programs.ts';

/** Packages whose files the drivers of servers ask for. All but the first are in non-free-firmware: not every mirror has them. */
export const firmwarePackages = [
  'firmware-linux-free',
  'firmware-bnx2',
  'firmware-bnx2x',
  'firmware-cavium',
  'firmware-misc-nonfree',
  'firmware-myricom',
  'firmware-netronome',
  'firmware-netxen',
  'firmware-qlogic',
  'firmware-realtek',
] as const;

/** The firmware packages that the sources offer; what they lack is named in the log. */
export async function resolveFirmware(
  apt: Apt,
  {signal, log}: BuildContext,
): Promise<ResolvedPackage[]> {
  const found = await apt.candidates(firmwarePackages, signal);
  const missing = firmwarePackages.filter(name => !found.some(item => item.name === name));
  if (missing.length > 0)
    log(
      `The apt sources have no ${missing.join(', ')} (component non-free-firmware): devices that need their files stay without a driver`,
    );
  return found.map(item => ({...item, architecture: 'all'}));
}

/** The firmware files that these modules name, as far as the unpacked packages have them, and the names of the rest. */
export async function firmwareTree(
  kernel: Kernel,
  modules: readonly string[],
  root: string,
  signal: AbortSignal,
): Promise<{readonly tree: Tree; readonly missing: readonly string[]}> {
  const wanted = await namedFirmware(kernel, modules, signal);
  const available = await listFirmware(root);
  const tree = new Map<string, TreeEntry>();
  const missing: string[] = [];
  for (const name of wanted) {
    const source = available.get(name);
    const file = source ? await resolveInside(root, source) : undefined;
    if (file) tree.set(`usr/lib/firmware/${name}`, {type: 'file', mode: 0o644, source: file});
    else missing.push(name);
  }
  return {tree, missing};
}

/** modinfo(8) prints one name a line; patterns such as "i915/*" name families and are left out. */
async function namedFirmware(
  kernel: Kernel,
  modules: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const files = modules.map(module => path.join(kernel.modules, module));
  const text = await runProgram('modinfo', ['--field', 'firmware', ...files], {signal});
  const names = text.split('\n').filter(name => name !== '' && !name.includes('*'));
  return [...new Set(names)].sort();
}

async function listFirmware(root: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ['lib/firmware', 'usr/lib/firmware']) {
    const place = path.join(root, folder);
    // A package set without firmware has no such folder.
    const entries = await readdir(place, {recursive: true, withFileTypes: true}).catch(() => []);
    for (const entry of entries) {
      const file = path.join(entry.parentPath, entry.name);
      if (!entry.isDirectory()) found.set(path.relative(place, file), file);
    }
  }
  return found;
}
