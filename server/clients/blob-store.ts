import {createHash, randomUUID} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, mkdir, open, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {Readable} from 'node:stream';

export type BlobRefusal = 'too_large' | 'digest_mismatch';

/** Immutable files named by their SHA-256 in hexadecimal. Callers have checked that the digest is 64 hexadecimal digits. */
export type BlobStore = {
  /** Undefined when it is not there. */
  stat(sha256: string): Promise<{readonly sizeBytes: number} | undefined>;
  /** `end` is inclusive, as in HTTP ranges. Destroy the stream when it is not read to its end. */
  read(sha256: string, range: {readonly start: number; readonly end: number}): Readable;
  /**
   * Undefined when it is stored, durably. Several may store the same one at once. Rejects when the source fails; nothing is left behind
   * then.
   */
  write(
    sha256: string,
    source: AsyncIterable<Uint8Array>,
    sizeBytesMax: number,
  ): Promise<BlobRefusal | undefined>;
};

/** A folder: `<folder>/<first two digits>/<digest>`. What a killed process left half written is removed at the start. */
export async function openFolderBlobStore(folder: string): Promise<BlobStore> {
  const incoming = join(folder, 'incoming');
  await rm(incoming, {recursive: true, force: true});
  await mkdir(incoming, {recursive: true, mode: 0o755});
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), sha256);

  const sizeOf = async (sha256: string) => {
    try {
      return {sizeBytes: (await stat(pathOf(sha256))).size};
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    stat: sizeOf,

    read: (sha256, range) => createReadStream(pathOf(sha256), range),

    async write(sha256, source, sizeBytesMax) {
      const temporary = join(incoming, randomUUID());
      try {
        const refusal = await receive(temporary, {sha256, source, sizeBytesMax});
        if (refusal) return refusal;
        const parent = join(folder, sha256.slice(0, 2));
        await mkdir(parent, {recursive: true, mode: 0o755});
        // Over an equal one, when another writer was faster.
        await rename(temporary, pathOf(sha256));
        await syncFolder(parent);
        return undefined;
      } finally {
        await rm(temporary, {force: true});
      }
    },
  };
}

async function receive(
  path: string,
  {
    sha256,
    source,
    sizeBytesMax,
  }: {
    readonly sha256: string;
    readonly source: AsyncIterable<Uint8Array>;
    readonly sizeBytesMax: number;
  },
): Promise<BlobRefusal | undefined> {
  await using file = await open(path, 'wx', 0o644);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) return 'too_large';
    hash.update(chunk);
    await writeAll(file, chunk);
  }
  if (hash.digest('hex') !== sha256) return 'digest_mismatch';
  await file.sync();
  return undefined;
}

/** `FileHandle.write` may write less than it was given. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) {
    const {bytesWritten} = await file.write(chunk, offset, chunk.length - offset);
    offset += bytesWritten;
  }
}

/** So that the new name outlives a power cut too. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
