import {createHash, randomUUID} from 'node:crypto';
import {type FileHandle, mkdir, open, readdir, rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import type {Logger} from '@muster/runtime/log.ts';
import type {Metrics} from './metrics.ts';

const fetchIdleMs = 30_000;
const fetchesMax = 4;

/** Where artifacts come from: the server's image store. Undefined while this edge has not joined. */
export type ArtifactSource = () =>
  | {readonly url: (sha256: string) => string; readonly authorize: () => Promise<string>}
  | undefined;

/** `lost`: the image store does not have it, or not these bytes; asking again soon is of no use. */
export type FetchOutcome = 'ready' | 'lost' | 'unavailable';

export type OpenArtifact = {readonly handle: FileHandle; readonly sizeBytes: number};

export type Artifacts = Awaited<ReturnType<typeof openArtifacts>>;

/**
 * Artifacts by digest, on disk: fetched once for all who ask, verified before anybody gets a byte, at most `bytesMax`, the least recently
 * used go first.
 */
export async function openArtifacts({
  directory,
  bytesMax,
  source,
  isWanted,
  metrics,
  log,
}: {
  readonly directory: string;
  readonly bytesMax: number;
  readonly source: ArtifactSource;
  /** Artifacts of the images in the book stay as long as there is anything else to remove. */
  readonly isWanted: (sha256: string) => boolean;
  readonly metrics: Metrics;
  readonly log: Logger;
}) {
  const stop = new AbortController();
  // In order of use, the oldest first.
  const sizes = await readCache(directory);
  let totalBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  let reservedBytes = 0;
  const fetching = new Map<string, Promise<FetchOutcome>>();
  const waiting: (() => void)[] = [];

  const fileOf = (sha256: string) => path.join(directory, sha256);

  async function evictFor(bytes: number): Promise<void> {
    for (const unwantedOnly of [true, false])
      for (const [sha256, size] of sizes) {
        if (totalBytes + reservedBytes + bytes <= bytesMax) return;
        if (unwantedOnly && isWanted(sha256)) continue;
        sizes.delete(sha256);
        totalBytes -= size;
        await rm(fileOf(sha256), {force: true});
        log.info({sha256, bytes: size}, 'artifact removed from the cache');
      }
    if (totalBytes + reservedBytes + bytes > bytesMax)
      throw new Error(`Cannot cache ${bytes} bytes: ARTIFACT_CACHE_BYTES_MAX is ${bytesMax}`);
  }

  async function fetchOnce(sha256: string, expectedBytes: number): Promise<FetchOutcome> {
    if (fetching.size >= fetchesMax) await new Promise<void>(resolve => waiting.push(resolve));
    const temporary = path.join(directory, `${sha256}.${randomUUID()}.part`);
    try {
      await evictFor(expectedBytes);
      reservedBytes += expectedBytes;
      try {
        await download(sha256, temporary, expectedBytes);
      } finally {
        reservedBytes -= expectedBytes;
      }
      await rename(temporary, fileOf(sha256));
      sizes.set(sha256, expectedBytes);
      totalBytes += expectedBytes;
      metrics.artifactFetch('fetched');
      log.info({sha256, bytes: expectedBytes}, 'artifact fetched');
      return 'ready';
    } catch (error) {
      if (!stop.signal.aborted) {
        const lost = error instanceof LostArtifactError;
        metrics.artifactFetch(lost ? 'lost' : 'failed');
        log[lost ? 'error' : 'warn']({err: error, sha256}, 'artifact not fetched');
      }
      await rm(temporary, {force: true});
      return error instanceof LostArtifactError ? 'lost' : 'unavailable';
    } finally {
      fetching.delete(sha256);
      waiting.shift()?.();
    }
  }

  async function download(sha256: string, file: string, expectedBytes: number): Promise<void> {
    const from = source();
    if (!from) throw new Error('Cannot fetch: this edge has not joined');
    const idle = new AbortController();
    const timer = setTimeout(() => idle.abort(new Error('No data for 30 s')), fetchIdleMs);
    try {
      const response = await fetch(from.url(sha256), {
        headers: {authorization: await from.authorize()},
        signal: AbortSignal.any([stop.signal, idle.signal]),
        redirect: 'error',
      });
      if (response.status === 404)
        throw new LostArtifactError(`The image store does not have "${sha256}"`);
      if (!response.ok || !response.body)
        throw new Error(`The image store answered ${response.status} for "${sha256}"`);
      await store(response.body, {file, sha256, expectedBytes, onData: () => timer.refresh()});
    } finally {
      clearTimeout(timer);
    }
  }

  function ensure(sha256: string, sizeBytes: number): Promise<FetchOutcome> {
    if (sizes.has(sha256)) return Promise.resolve('ready');
    let fetched = fetching.get(sha256);
    if (!fetched) {
      fetched = fetchOnce(sha256, sizeBytes);
      fetching.set(sha256, fetched);
    }
    return fetched;
  }

  return {
    get totalBytes() {
      return totalBytes;
    },
    has: (sha256: string) => sizes.has(sha256),
    /** Whether there is room without removing what the book names. */
    hasRoomFor(sizeBytes: number): boolean {
      let keptBytes = 0;
      for (const [sha256, size] of sizes) if (isWanted(sha256)) keptBytes += size;
      return keptBytes + reservedBytes + sizeBytes <= bytesMax;
    },
    /** Fetches it when it is not there. */
    ensure,

    /** The caller closes the handle. Undefined when it is not in the cache. */
    async open(sha256: string): Promise<OpenArtifact | undefined> {
      const sizeBytes = sizes.get(sha256);
      if (sizeBytes === undefined) return undefined;
      sizes.delete(sha256);
      sizes.set(sha256, sizeBytes);
      try {
        return {handle: await open(fileOf(sha256), 'r'), sizeBytes};
      } catch (error) {
        // Somebody cleaned the folder: the next request fetches it again.
        log.warn({err: error, sha256}, 'cached artifact cannot be opened, forgotten');
        if (sizes.delete(sha256)) totalBytes -= sizeBytes;
        return undefined;
      }
    },

    async [Symbol.asyncDispose]() {
      stop.abort(new Error('The edge stops'));
      await Promise.allSettled(fetching.values());
    },
  };
}

class LostArtifactError extends Error {
  override name = 'LostArtifactError';
}

async function store(
  body: AsyncIterable<Uint8Array>,
  {
    file,
    sha256,
    expectedBytes,
    onData,
  }: {file: string; sha256: string; expectedBytes: number; onData: () => void},
): Promise<void> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of body) {
      onData();
      sizeBytes += chunk.length;
      if (sizeBytes > expectedBytes)
        throw new LostArtifactError(`More than the ${expectedBytes} bytes that the image names`);
      hash.update(chunk);
      await handle.write(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  const digest = hash.digest('hex');
  if (digest !== sha256 || sizeBytes !== expectedBytes)
    throw new LostArtifactError(`Got ${sizeBytes} bytes with digest "${digest}"`);
}

/** Files are trusted by name: they got it after their digest was verified. Oldest first. */
async function readCache(directory: string): Promise<Map<string, number>> {
  await mkdir(directory, {recursive: true, mode: 0o700});
  const found: {sha256: string; sizeBytes: number; usedMs: number}[] = [];
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name);
    if (/^[0-9a-f]{64}$/.test(name)) {
      const {size, mtimeMs} = await stat(file);
      found.push({sha256: name, sizeBytes: size, usedMs: mtimeMs});
    } else if (name.endsWith('.part')) await rm(file, {force: true});
  }
  found.sort((a, b) => a.usedMs - b.usedMs);
  return new Map(found.map(({sha256, sizeBytes}) => [sha256, sizeBytes]));
}
