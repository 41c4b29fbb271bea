import type {FileHandle} from 'node:fs/promises';
import type {ServerResponse} from 'node:http';
import type {ByteRange} from './ranges.ts';

const chunkBytes = 256 * 1024;
const buffersMax = 128;
/** A client that takes nothing for this long is cut off: it holds a buffer. */
const stalledMs = 30_000;

export type FileSender = ReturnType<typeof createFileSender>;

/**
 * Sends files by pread into buffers that are used again (at most 32 MiB in all): half the CPU of a stream for each transfer, and memory
 * that does not grow with the number of machines.
 */
export function createFileSender() {
  const free: Buffer[] = [];
  const waiting: ((buffer: Buffer) => void)[] = [];
  let made = 0;

  function acquire(): Promise<Buffer> | Buffer {
    const buffer = free.pop();
    if (buffer) return buffer;
    if (made < buffersMax) {
      made++;
      return Buffer.allocUnsafeSlow(chunkBytes);
    }
    return new Promise(resolve => waiting.push(resolve));
  }
  function release(buffer: Buffer) {
    const next = waiting.shift();
    if (next) next(buffer);
    else free.push(buffer);
  }

  /** False when the connection is gone. The buffer may be used again afterwards. */
  function write(response: ServerResponse, chunk: Buffer): Promise<boolean> {
    return new Promise(resolve => {
      const gone = () => resolve(false);
      response.once('close', gone);
      response.write(chunk, error => {
        response.off('close', gone);
        resolve(!error);
      });
    });
  }

  /** Returns how many bytes the connection took. Ends the response unless it broke off. */
  return async function sendFile(
    response: ServerResponse,
    handle: FileHandle,
    {first, last}: ByteRange,
  ): Promise<number> {
    const {socket} = response;
    // On time-out node:http destroys a socket that nobody else looks after.
    socket?.setTimeout(stalledMs);
    let position = first;
    try {
      while (position <= last && !response.destroyed) {
        const buffer = await acquire();
        let written = false;
        try {
          const length = Math.min(chunkBytes, last - position + 1);
          const {bytesRead} = await handle.read(buffer, 0, length, position);
          if (bytesRead === 0)
            throw new Error(`Cannot read on at byte ${position}: the file ended`);
          written = await write(response, buffer.subarray(0, bytesRead));
          if (written) position += bytesRead;
        } finally {
          release(buffer);
        }
        if (!written) break;
      }
    } finally {
      socket?.setTimeout(0);
    }
    if (position > last) response.end();
    else response.destroy();
    return position - first;
  };
}
