import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import type {Cache} from '../../cache.ts';
import {runProgram} from '../../process.ts';
import type {Apt, ResolvedPackage} from './apt.ts';

export type KernelVariant = 'virtual' | 'full';

const metaPackages: Readonly<Record<KernelVariant, string>> = {
  virtual: 'linux-image-cloud-amd64',
  full: 'linux-image-amd64',
};

/** An unpacked kernel package whose module lists are complete. */
export type Kernel = {
  /** As `uname -r` says. */
  readonly release: string;
  readonly vmlinuz: string;
  /** …/lib/modules/<release> */
  readonly modules: string;
};

/** The kernel that the sources offer today. */
export async function resolveKernel(
  apt: Apt,
  variant: KernelVariant,
  signal: AbortSignal,
): Promise<ResolvedPackage> {
  const name = await apt.dependency(metaPackages[variant], /^linux-image-\d/, signal);
  const [found] = await apt.candidates([name], signal);
  if (!found) throw new Error(`Cannot find the kernel package "${name}" in the apt sources`);
  return found;
}

/** Unpacks, never installs: the host keeps its own kernel, and a host without one stays so. */
export async function unpackKernel(
  apt: Apt,
  cache: Cache,
  kernel: ResolvedPackage,
  signal: AbortSignal,
): Promise<Kernel> {
  const root = await cache.directory('kernels', fileKey(kernel), async partial => {
    const [deb] = await apt.download([kernel], signal);
    if (!deb) throw new Error(`Cannot download the kernel package "${kernel.name}"`);
    await runProgram('dpkg-deb', ['-x', deb, partial], {signal});
    await runProgram('depmod', ['-b', partial, await releaseOf(partial)], {signal});
  });
  const release = await releaseOf(root);
  return {
    release,
    vmlinuz: path.join(root, 'boot', `vmlinuz-${release}`),
    modules: path.join(root, 'lib/modules', release),
  };
}

export const fileKey = ({name, version, architecture}: ResolvedPackage): string =>
  `${name}_${version.replaceAll(':', '%3a')}_${architecture}`;

async function releaseOf(root: string): Promise<string> {
  const [release, ...others] = await readdir(path.join(root, 'lib/modules'));
  if (!release || others.length > 0)
    throw new Error(`Expected the modules of one kernel in "${root}/lib/modules"`);
  return release;
}

/** The module lists that modprobe reads, as text. */
export async function readModuleLists(kernel: Kernel): Promise<ModuleLists> {
  const read = (name: string) => readFile(path.join(kernel.modules, name), 'utf8');
  const [dependencies, aliases, softDependencies] = await Promise.all([
    read('modules.dep'),
    read('modules.alias'),
    read('modules.softdep'),
  ]);
  return {dependencies, aliases, softDependencies};
}

export type ModuleLists = {
  readonly dependencies: string;
  readonly aliases: string;
  readonly softDependencies: string;
};
