import type {Cache} from '../../cache.ts';
import {digestOf} from '../../digests.ts';
import {runProgram} from '../../process.ts';
import type {Apt, ResolvedPackage} from './apt.ts';

/** Unpacks packages side by side into one directory, without running anything of theirs. */
export async function unpackPackages(
  apt: Apt,
  cache: Cache,
  packages: readonly ResolvedPackage[],
  signal: AbortSignal,
): Promise<string> {
  const key = digestOf(packages.map(versionLine));
  return cache.directory('packages', key, async partial => {
    for (const deb of await apt.download(packages, signal))
      await runProgram('dpkg-deb', ['-x', deb, partial], {signal});
  });
}

/** As input keys and manifests write it: "libc6=2.36-9+deb12u14". */
export const versionLine = ({name, version}: ResolvedPackage): string => `${name}=${version}`;
