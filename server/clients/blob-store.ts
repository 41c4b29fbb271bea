import {createHash, randomUUID} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes} from 'node:fs/promises';
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
  /** As `stat`; it counts as used now. */
  touch(sha256: string): Promise<{readonly sizeBytes: number} | undefined>;
  /** Everything that is stored, with when it was stored or last touched. */
  list(): AsyncIterable<{
    readonly sha256: string;
    readonly sizeBytes: number;
    readonly useTime: Date;
  }>;
  /** False when it is gone already, or was stored or touched after that time. */
  removeUnused(sha256: string, before: Date): Promise<boolean>;
};

/** A folder: `<folder>/<first two digits>/<digest>`. What a killed process left half written is removed at the start. */
export async function openFolderBlobStore(folder: string): Promise<BlobStore> {
  const incoming = join(folder, 'incoming');
  await rm(incoming, {recursive: true, force: true});
  await mkdir(incoming, {recursive: true, mode: 0o755});
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), sha256);

  const sizeOf = async (sha256: string) => {
    const found = await statOf(pathOf(sha256));
    return found && {sizeBytes: found.size};
  };

  return {
    stat: sizeOf,

    async touch(sha256) {
      try {
        const time = new Date();
        await utimes(pathOf(sha256), time, time);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      return sizeOf(sha256);
    },

    async *list() {
      for (const parent of await readdir(folder)) {
        if (!/^[0-9a-f]{2}$/.test(parent)) continue;
        for (const sha256 of await readdir(join(folder, parent))) {
          if (!/^[0-9a-f]{64}$/.test(sha256)) continue;
          const found = await statOf(pathOf(sha256));
          if (found) yield {sha256, sizeBytes: found.size, useTime: found.mtime};
        }
      }
    },

    async removeUnused(sha256, before) {
      // Out of everybody's sight first: whoever touches it before counts, whoever comes after finds nothing and stores it anew.
      const temporary = join(incoming, randomUUID());
      try {
        await rename(pathOf(sha256), temporary);
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
      const found = await statOf(temporary);
      if (found && found.mtime >= before) {
        await rename(temporary, pathOf(sha256));
        return false;
      }
      await rm(temporary, {force: true});
      return true;
    },

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

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
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
