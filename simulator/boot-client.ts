import http from 'node:http';

const fetchTimeoutMs = 30_000;
const bodyBytesMax = 1024 * 1024;

export type BootAnswer = {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly body: Buffer;
};

/** Of an image only its beginning is fetched: the edge opens and reads the file, and 5,000 machines do not move terabytes. */
const imageRange = 'bytes=0-4095';

/** One request over plain HTTP, on a connection of its own as iPXE makes it. Throws when there is no answer in time. */
export async function fetchFromEdge(
  url: URL,
  {
    localAddress,
    partly = false,
    signal,
  }: {
    readonly localAddress: string | undefined;
    /** Only the first 4 KiB. */
    readonly partly?: boolean;
    readonly signal: AbortSignal;
  },
): Promise<BootAnswer> {
  const {promise, resolve, reject} = Promise.withResolvers<BootAnswer>();
  const request = http.get(url, {
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(fetchTimeoutMs)]),
    headers: {'user-agent': 'iPXE/1.21.1', ...(partly ? {range: imageRange} : {})},
    ...(localAddress === undefined ? {} : {localAddress}),
  });
  request.on('error', reject);
  request.on('response', response => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax)
        request.destroy(new Error(`The answer is longer than ${bodyBytesMax} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () => {
      const after = Number(response.headers['retry-after']);
      resolve({
        status: response.statusCode ?? 0,
        retryAfterSeconds: Number.isFinite(after) ? after : undefined,
        body: Buffer.concat(chunks),
      });
    });
  });
  return promise;
}

/** The file of this name in a newc archive (cpio(5)); undefined when it is not there. */
export function readCpioFile(archive: Buffer, name: string): Buffer | undefined {
  const headerBytes = 110;
  const aligned = (offset: number) => (offset + 3) & ~3;
  for (let at = 0; at + headerBytes <= archive.length;) {
    if (archive.toString('latin1', at, at + 6) !== '070701') return undefined;
    const field = (number: number) => {
      const start = at + 6 + number * 8;
      return Number.parseInt(archive.toString('latin1', start, start + 8), 16);
    };
    const [size, nameBytes] = [field(6), field(11)];
    const nameStart = at + headerBytes;
    const found = archive.toString('utf8', nameStart, nameStart + nameBytes - 1);
    const start = aligned(nameStart + nameBytes);
    if (found === name) return archive.subarray(start, start + size);
    if (found === 'TRAILER!!!') return undefined;
    at = aligned(start + size);
  }
  return undefined;
}
