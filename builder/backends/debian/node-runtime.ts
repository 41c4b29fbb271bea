import path from 'node:path';
import type {Cache} from '../../cache.ts';
import {sha256OfFile} from '../../digests.ts';
import {runProgram} from '../../process.ts';

/** The Debian packages whose libraries Node needs. */
export const nodeLibraryPackages = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'] as const;

export type NodeRuntime = {
  /** Of the binary as it is on this host. */
  readonly sha256: string;
  /** The binary without its symbol table: a quarter smaller, and it runs the same. */
  readonly stripped: string;
};

export async function prepareNode(
  binary: string,
  cache: Cache,
  signal: AbortSignal,
): Promise<NodeRuntime> {
  const sha256 = await sha256OfFile(binary);
  const directory = await cache.directory('node', sha256, async partial => {
    await runProgram('strip', ['--strip-all', '-o', path.join(partial, 'node'), binary], {signal});
  });
  return {sha256, stripped: path.join(directory, 'node')};
}
