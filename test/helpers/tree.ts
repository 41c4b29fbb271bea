import {chmod, mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** A file's content, a link's target, or a program. */
export type TreeEntry = string | Uint8Array | {readonly link: string} | {readonly program: string};

/** A folder that stands for a machine's root: /proc, /sys, /dev and tools, as far as a test needs them. */
export async function writeTree(
  entries: Readonly<Record<string, TreeEntry>>,
): Promise<AsyncDisposable & {readonly root: string}> {
  const root = await mkdtemp(join(tmpdir(), 'muster-tree-'));
  for (const [path, entry] of Object.entries(entries)) {
    const at = join(root, path);
    await mkdir(dirname(at), {recursive: true});
    if (typeof entry === 'string' || entry instanceof Uint8Array) await writeFile(at, entry);
    else if ('link' in entry) await symlink(entry.link, at);
    else {
      await writeFile(at, entry.program);
      await chmod(at, 0o755);
    }
  }
  return {root, [Symbol.asyncDispose]: () => rm(root, {recursive: true, force: true})};
}
