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
/** A frame says how much memory it wants to be unpacked: as level 3 does at most (RFC 8878, 3.1.1.1.2), twice. */
const unpackOptions = {params: {[constants.ZSTD_d_windowLogMax]: 22}};
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

/** Rejects with what `isNotPacked` knows when it is not compressed with zstd, or would be more than `bytesMax`. */
export async function unpack(body: Buffer, bytesMax: number): Promise<Buffer> {
  const limits = {maxOutputLength: bytesMax, ...unpackOptions};
  return body.length > packedAtOnceBytesMax
    ? decompress(body, limits)
    : zstdDecompressSync(body, limits);
}

/** Whether this is what unpacking says of bytes that never will be unpacked. */
export function isNotPacked(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ZSTD_error_memory_allocation') return false;
  return code.startsWith('ZSTD_error_') || unpackErrors.has(code);
}

/** More than its limit; ended too early. */
const unpackErrors: ReadonlySet<string> = new Set(['ERR_BUFFER_TOO_LARGE', 'Z_BUF_ERROR']);
