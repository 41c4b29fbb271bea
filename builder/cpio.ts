import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';

/** One file of an initrd. Paths are relative, without a leading slash; owner is always 0:0. */
export type TreeEntry =
  | {readonly type: 'directory'; readonly mode: number}
  | {readonly type: 'link'; readonly target: string}
  | {readonly type: 'file'; readonly mode: number; readonly content: Buffer}
  /** Content is read from this path when the archive is written. */
  | {readonly type: 'file'; readonly mode: number; readonly source: string};

export type Tree = ReadonlyMap<string, TreeEntry>;

const typeBits = {directory: 0o040_000, file: 0o100_000, link: 0o120_000} as const;
const chunkBytes = 1024 * 1024;

/**
 * A newc archive (cpio(5); Linux Documentation/driver-api/early-userspace/buffer-format.rst), byte for byte the same for the same tree: names
 * sorted, parents added and written before their children, one modification time, inode numbers counted.
 */
export async function* writeCpio(tree: Tree, timeSeconds: number): AsyncGenerator<Buffer> {
  let inode = 0;
  for (const [path, entry] of withParents(tree)) {
    inode += 1;
    const sizeBytes = await sizeOf(entry);
    yield header({
      path,
      inode,
      mode: typeBits[entry.type] | (entry.type === 'link' ? 0o777 : entry.mode),
      timeSeconds,
      sizeBytes,
    });
    if (entry.type === 'directory') continue;
    yield* body(path, entry, sizeBytes);
    yield padding(sizeBytes);
  }
  yield header({path: 'TRAILER!!!', inode: 0, mode: 0, timeSeconds: 0, sizeBytes: 0});
}

function withParents(tree: Tree): [string, TreeEntry][] {
  const all = new Map(tree);
  for (const path of tree.keys()) {
    if (path.startsWith('/') || path.split('/').some(part => part === '' || part === '..'))
      throw new Error(`Cannot write "${path}" into an initrd: not a plain relative path`);
    const parts = path.split('/').slice(0, -1);
    for (let length = parts.length; length > 0; length -= 1) {
      const parent = parts.slice(0, length).join('/');
      const known = all.get(parent);
      if (!known) all.set(parent, {type: 'directory', mode: 0o755});
      else if (known.type !== 'directory')
        throw new Error(`Cannot write "${path}" into an initrd: "${parent}" is not a directory`);
    }
  }
  return [...all].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

async function sizeOf(entry: TreeEntry): Promise<number> {
  if (entry.type === 'directory') return 0;
  if (entry.type === 'link') return Buffer.byteLength(entry.target);
  return 'content' in entry ? entry.content.length : (await stat(entry.source)).size;
}

async function* body(
  path: string,
  entry: Exclude<TreeEntry, {type: 'directory'}>,
  sizeBytes: number,
): AsyncGenerator<Buffer> {
  if (entry.type === 'link') yield Buffer.from(entry.target);
  else if ('content' in entry) yield entry.content;
  else {
    let read = 0;
    for await (const chunk of createReadStream(entry.source, {highWaterMark: chunkBytes})) {
      read += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    if (read !== sizeBytes)
      throw new Error(`Cannot write "${path}" into an initrd: it changed while it was read`);
  }
}

function header({
  path,
  inode,
  mode,
  timeSeconds,
  sizeBytes,
}: {
  path: string;
  inode: number;
  mode: number;
  timeSeconds: number;
  sizeBytes: number;
}): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, time, size, device (2), special device (2), name length, checksum.
  const fields = [inode, mode, 0, 0, 1, timeSeconds, sizeBytes, 0, 0, 0, 0, name.length, 0];
  const text = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`;
  const head = Buffer.concat([Buffer.from(text), name]);
  return Buffer.concat([head, padding(head.length)]);
}

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
