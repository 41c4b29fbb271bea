import {cp, mkdir, rm} from 'node:fs/promises';
import path from 'node:path';
import type {Cache} from '../../cache.ts';
import {digestOf} from '../../digests.ts';
import {runProgram} from '../../process.ts';
import type {Apt, ResolvedPackage} from './apt.ts';
import {firmwareTree} from './firmware.ts';
import {formatVersion, squashfsLevel} from './format.ts';
import type {Kernel} from './kernel.ts';
import {readModuleLists} from './kernel.ts';
import {selectModules} from './modules.ts';
import {unpackPackages, versionLine} from './packages.ts';
import {materialise, writeDirectoryLayer} from './squashfs.ts';

/** No server needs them, and an image lives in memory. */
const leftOut = [
  'kernel/drivers/gpu/drm/amd',
  'kernel/drivers/gpu/drm/i915',
  'kernel/drivers/gpu/drm/nouveau',
  'kernel/drivers/gpu/drm/radeon',
  'kernel/drivers/iio',
  'kernel/drivers/input/joystick',
  'kernel/drivers/input/touchscreen',
  'kernel/drivers/media',
  'kernel/drivers/net/wireless',
  'kernel/drivers/staging',
  'kernel/sound',
];

/** All modules of the kernel but those of desktops, with the firmware that they name. */
export async function buildKernelLayer(
  {apt, cache}: {readonly apt: Apt; readonly cache: Cache},
  {
    kernel,
    kernelPackage,
    firmware,
  }: {
    readonly kernel: Kernel;
    readonly kernelPackage: ResolvedPackage;
    readonly firmware: readonly ResolvedPackage[];
  },
  signal: AbortSignal,
): Promise<string> {
  const key = digestOf({
    format: formatVersion,
    kernel: versionLine(kernelPackage),
    firmware: firmware.map(versionLine),
    leftOut,
    squashfsLevel,
  });
  const directory = await cache.directory('kernel-layers', key, async partial => {
    const root = path.join(partial, 'root');
    const place = path.join(root, 'usr/lib/modules', kernel.release);
    await mkdir(path.dirname(place), {recursive: true});
    await cp(kernel.modules, place, {recursive: true});
    // Links into a build tree that is not here.
    for (const name of [...leftOut, 'build', 'source'])
      await rm(path.join(place, name), {recursive: true, force: true});
    await runProgram('depmod', ['-b', path.join(root, 'usr'), kernel.release], {signal});

    const modules = selectModules(await readModuleLists(kernel), ['']);
    const kept = modules.filter(file => !leftOut.some(folder => file.startsWith(`${folder}/`)));
    const packages = await unpackPackages(apt, cache, firmware, signal);
    const {tree} = await firmwareTree(kernel, kept, packages, signal);
    await materialise(tree, root);

    await writeDirectoryLayer(root, path.join(partial, 'kernel.squashfs'), signal);
    await rm(root, {recursive: true, force: true});
  });
  return path.join(directory, 'kernel.squashfs');
}
