import {createWriteStream} from 'node:fs';
import {appendFile, copyFile, rename, stat} from 'node:fs/promises';
import {createReadStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';
import {Readable} from 'node:stream';
import {constants, createZstdCompress} from 'node:zlib';
import {type Tree, writeCpio} from '../../cpio.ts';
import {segmentLevel, sourceDateEpoch} from './format.ts';

/**
 * Writes one segment of an initrd: a compressed cpio, padded with zero bytes to a multiple of 4. The kernel takes segments one after
 * the other and skips the zeros. An uncompressed cpio that follows (boot.json) must begin at a multiple of 4 (docs/boot.md).
 */
export async function writeSegment(tree: Tree, path: string, signal: AbortSignal): Promise<void> {
  const partial = `${path}.partial`;
  const compress = createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: segmentLevel,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
  await pipeline(
    Readable.from(writeCpio(tree, sourceDateEpoch)),
    compress,
    createWriteStream(partial),
    {signal},
  );
  const {size} = await stat(partial);
  await appendFile(partial, Buffer.alloc((4 - (size % 4)) % 4));
  await rename(partial, path);
}

/** Segments one after the other in one file. */
export async function joinSegments(
  segments: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const [first, ...others] = segments;
  if (!first) throw new Error('An initrd needs at least one segment');
  await copyFile(first, path);
  for (const segment of others)
    await pipeline(createReadStream(segment), createWriteStream(path, {flags: 'a'}), {signal});
}
