import {promisify} from 'node:util';
import {
  constants,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** Higher ones take thrice the time for a hundredth of the size. */
const options = {params: {[constants.ZSTD_c_compressionLevel]: 3}};
/** The way to the thread pool and back costs 150 µs of CPU, an inventory 60: only what would hold up the others takes it. */
const atOnceBytesMax = 128 * 1024;
const packedAtOnceBytesMax = 16 * 1024;

/** Compressed with zstd. */
export async function pack(bytes: Uint8Array | string): Promise<Buffer> {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return buffer.length > atOnceBytesMax
    ? compress(buffer, options)
    : zstdCompressSync(buffer, options);
}

/** Throws when it would be more than `bytesMax`. */
export async function unpack(body: Buffer, bytesMax: number): Promise<Buffer> {
  const limit = {maxOutputLength: bytesMax};
  return body.length > packedAtOnceBytesMax
    ? decompress(body, limit)
    : zstdDecompressSync(body, limit);
}
