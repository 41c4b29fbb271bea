import {lstat, readlink, stat} from 'node:fs/promises';
import path from 'node:path';
import {runProgram} from '../../process.ts';
import type {Tree, TreeEntry} from '../../cpio.ts';

const libraryFolders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64', 'usr/lib64'];
const loader = 'ld-linux-x86-64.so.2';
const linkDepthMax = 16;

/** A program to take: `to` is its path in the image, `from` a file of this host or of the unpacked packages. */
export type Program = {readonly from: string; readonly to: string};

/**
 * Programs with every shared library that they name, found in unpacked Debian packages and never on the host. Throws when a library is
 * missing there.
 */
export async function programTree(
  root: string,
  programs: readonly Program[],
  signal: AbortSignal,
): Promise<Tree> {
  const tree = new Map<string, TreeEntry>();
  const queue: string[] = [];
  for (const {from, to} of programs) {
    tree.set(to, {type: 'file', mode: 0o755, source: from});
    queue.push(from);
  }

  const known = new Set<string>();
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const name of await neededLibraries(file, signal)) {
      if (known.has(name)) continue;
      known.add(name);
      const library = await findLibrary(root, name);
      if (!library) throw new Error(`Cannot find the library "${name}" that "${file}" needs`);
      const place = name === loader ? `usr/lib64/${name}` : `usr/lib/x86_64-linux-gnu/${name}`;
      tree.set(place, {type: 'file', mode: 0o755, source: library});
      queue.push(library);
    }
  }
  return tree;
}

const programFolders = ['usr/bin', 'usr/sbin', 'bin', 'sbin'];

/** Where unpacked packages have a program. */
export async function findProgram(root: string, name: string): Promise<string> {
  for (const folder of programFolders) {
    const found = await resolveInside(root, path.join(root, folder, name));
    if (found) return found;
  }
  throw new Error(`Cannot find the program "${name}" in the unpacked packages`);
}

async function neededLibraries(file: string, signal: AbortSignal): Promise<string[]> {
  const text = await runProgram('readelf', ['--dynamic', '--program-headers', '--wide', file], {
    signal,
  });
  const needed = [...text.matchAll(/\(NEEDED\)\s+Shared library: \[([^\]]+)\]/g)];
  const interpreter = /Requesting program interpreter: ([^\]]+)\]/.exec(text)?.[1];
  return [
    ...needed.map(match => match[1] ?? ''),
    ...(interpreter ? [path.basename(interpreter)] : []),
  ];
}

async function findLibrary(root: string, name: string): Promise<string | undefined> {
  for (const folder of libraryFolders) {
    const found = await resolveInside(root, path.join(root, folder, name));
    if (found) return found;
  }
  return undefined;
}

/** Follows symbolic links as a system rooted at `root` would: an absolute target must not lead to the host's own files. */
export async function resolveInside(root: string, file: string): Promise<string | undefined> {
  let current = file;
  for (let depth = 0; depth < linkDepthMax; depth += 1) {
    const found = await lstat(current).catch(() => undefined);
    if (!found) return undefined;
    if (!found.isSymbolicLink()) return (await stat(current)).isFile() ? current : undefined;
    const target = await readlink(current);
    current = target.startsWith('/')
      ? path.join(root, target)
      : path.join(path.dirname(current), target);
  }
  return undefined;
}
