import {chmod, copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {runProgram} from '../../process.ts';
import type {Tree} from '../../cpio.ts';
import {sourceDateEpoch, squashfsLevel} from './format.ts';

const format = [
  '-comp',
  'zstd',
  '-Xcompression-level',
  `${squashfsLevel}`,
  '-no-xattrs',
  '-noappend',
  '-no-progress',
  '-quiet',
  '-mkfs-time',
  `${sourceDateEpoch}`,
];
/** A layer with the same bytes for the same tree; everything in it belongs to root. */
export async function writeTreeLayer(tree: Tree, file: string, signal: AbortSignal): Promise<void> {
  const root = await mkdtemp(path.join(path.dirname(file), 'tree-'));
  try {
    await materialise(tree, root);
    await writeDirectoryLayer(root, file, signal);
  } finally {
    await rm(root, {recursive: true, force: true});
  }
}

/** A layer of everything below a directory; its owner becomes root and its time ours. */
export function writeDirectoryLayer(
  root: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const times = ['-all-root', '-all-time', `${sourceDateEpoch}`];
  return writeLayer([root, `${file}.partial`, ...times], file, {signal});
}

/** A layer from a tar archive, with the owners that stand in it. */
export function writeTarLayer(tar: string, file: string, signal: AbortSignal): Promise<void> {
  return writeLayer(['-', `${file}.partial`, '-tar'], file, {signal, inputPath: tar});
}

async function writeLayer(
  args: readonly string[],
  file: string,
  options: {readonly signal: AbortSignal; readonly inputPath?: string},
): Promise<void> {
  await runProgram('mksquashfs', [...args, ...format], options);
  await rename(`${file}.partial`, file);
}

/** Writes a tree below an existing directory. */
export async function materialise(tree: Tree, root: string): Promise<void> {
  await chmod(root, 0o755);
  for (const [name, entry] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const place = path.join(root, name);
    await mkdir(path.dirname(place), {recursive: true, mode: 0o755});
    if (entry.type === 'directory') await mkdir(place, {recursive: true});
    else if (entry.type === 'link') await symlink(entry.target, place);
    else if ('content' in entry) await writeFile(place, entry.content);
    else await copyFile(entry.source, place);
    if (entry.type !== 'link') await chmod(place, entry.mode);
  }
}
