import {createHash} from 'node:crypto';
import {constants, createReadStream} from 'node:fs';
import {type FileHandle, lstat, open, realpath} from 'node:fs/promises';
import {join} from 'node:path';
import {DomainError} from '../errors.ts';
import type {BlobStore} from './blob-store.ts';

const folderName = 'images';
const readBytes = 1024 * 1024;

/**
 * Disk images in the folder "images" of the image store, which operators put there by hand. One that is used is copied among the blobs first: what
 * is tested is what was looked at, whatever becomes of the file.
 */
export function createDiskImages({
  folder,
  blobs,
  sizeBytesMax,
}: {
  /** Of the image store. */
  readonly folder: string;
  readonly blobs: BlobStore;
  readonly sizeBytesMax: number;
}) {
  return {
    /** `name` is one part of a path and has been checked. Throws not_found, failed_precondition. */
    async take(name: string): Promise<{name: string; sha256: string; sizeBytes: number}> {
      await using file = await openWithin(folder, name);
      const {size: sizeBytes} = await file.stat();
      if (sizeBytes === 0 || sizeBytes > sizeBytesMax)
        throw refusal(name, `it has ${sizeBytes} bytes, allowed are 1 to ${sizeBytesMax}`);
      const hash = createHash('sha256');
      for await (const chunk of contentOf(file)) hash.update(chunk);
      const sha256 = hash.digest('hex');
      if ((await blobs.touch(sha256))?.sizeBytes !== sizeBytes) {
        const refused = await blobs.write(sha256, contentOf(file), sizeBytesMax);
        if (refused) throw refusal(name, 'it changed while it was read; try again');
      }
      return {name, sha256, sizeBytes};
    },
  };
}

async function openWithin(folder: string, name: string): Promise<FileHandle> {
  const path = join(folder, folderName, name);
  const found = await lstat(path).catch(() => undefined);
  if (!found)
    throw new DomainError(
      'not_found',
      `Cannot find "${name}" in the image store: put the disk image into its folder "${folderName}", or name an image by "/images/<image id>"`,
    );
  if (found.isSymbolicLink()) throw refusal(name, 'it is a symbolic link');
  if (!found.isFile()) throw refusal(name, 'it is no file');
  const expected = join(await realpath(folder), folderName, name);
  if ((await realpath(path)) !== expected)
    throw refusal(name, 'it lies outside of the image store');
  // Whoever puts a link into its place meanwhile gets an error.
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}

/** From the beginning, by position, so that it can be read twice. */
const contentOf = (file: FileHandle): AsyncIterable<Uint8Array> =>
  createReadStream('', {fd: file, autoClose: false, start: 0, highWaterMark: readBytes});

const refusal = (name: string, why: string): DomainError =>
  new DomainError('failed_precondition', `Cannot use "${name}" of the image store: ${why}`);
