import {Code, ConnectError} from '@connectrpc/connect';
import {describeArtifact} from '../../digests.ts';
import {retryWhileTransient} from '../../retry.ts';
import type {BuildContext, Depot} from '../backend.ts';
import type {BinaryCache, CachedPath} from './binary-cache.ts';
import type {CachedSystem} from './cached-systems.ts';

const timeLimitMs = 10 * 60_000;
const callTimeoutMs = 30_000;
const retryDelayMaxMs = 15_000;
const uploadsAtOnce = 4;
const pathsPerCallMax = 100;
const charactersPerCallMax = 1024 * 1024;
/** A collection may take what was there a moment ago. */
const attemptsMax = 3;
/** Systems of earlier builds that are tried again. */
const othersMax = 4;

export type Publication = {readonly cache: BinaryCache; readonly bytesMax: number};

/**
 * Gives the server what machines may fetch of this system, and of earlier ones that could not be published then. Whatever goes wrong is a
 * line in the log: the image boots without it.
 */
export async function publish(
  inputKey: string,
  publication: Publication,
  {depot, context}: {depot: Depot; context: BuildContext},
): Promise<void> {
  // What was uploaded until then stays; the build must not come to its own limit for this.
  const leftMs = Math.max(0, Math.floor((context.remainingMs?.() ?? Infinity) / 2));
  const limit = AbortSignal.timeout(Math.min(timeLimitMs, leftMs));
  const signal = AbortSignal.any([context.signal, limit]);
  try {
    for (const system of await unpublished(inputKey, publication.cache))
      await publishAndMark(system, publication, {depot, context: {...context, signal}});
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    context.log(
      `warning: machines cannot fetch all of this system from their edge; the next build tries again: ${reason}`,
    );
  }
}

/** The system itself first. */
async function unpublished(inputKey: string, {systems}: BinaryCache) {
  const all = await systems.list();
  const own = all.filter(system => system.inputKey === inputKey && system.publication !== 'done');
  const failed = all.filter(
    system => system.inputKey !== inputKey && system.publication === 'failed',
  );
  return [...own, ...failed.slice(0, othersMax)];
}

async function publishAndMark(
  system: CachedSystem,
  publication: Publication,
  use: {depot: Depot; context: BuildContext},
): Promise<void> {
  const {systems} = publication.cache;
  try {
    await publishSystem(system, publication, use);
    await systems.mark(system, 'done');
  } catch (error) {
    await systems.mark(system, 'failed');
    throw error;
  }
}

async function publishSystem(
  {inputKey, hashes}: CachedSystem,
  {cache, bytesMax}: Publication,
  {depot, context}: {depot: Depot; context: BuildContext},
): Promise<void> {
  const {signal, log} = context;
  const bytes = await cache.sizeOf(hashes);
  if (bytes > bytesMax)
    return log(
      `warning: machines cannot fetch this system from their edge: packed it has ${bytes} bytes, NIX_PUBLISH_BYTES_MAX allows ${bytesMax}`,
    );
  const call = callWith(signal);
  for (let attempt = 1; ; attempt += 1) {
    const missing = await call(options =>
      depot.storePaths.findMissingStorePaths({hashes: [...hashes]}, options),
    );
    const publishedBytes = await publishPaths(missing.hashes, cache, {depot, signal});
    log(
      `${missing.hashes.length} of ${hashes.length} store paths published for machines, ${publishedBytes} bytes`,
    );
    try {
      await call(options =>
        depot.storePaths.publishSystem({inputKey, hashes: [...hashes]}, options),
      );
      return;
    } catch (error) {
      const isIncomplete = error instanceof ConnectError && error.code === Code.FailedPrecondition;
      if (!isIncomplete || attempt === attemptsMax) throw error;
    }
  }
}

/** In their order: what somebody finds has what it refers to. Gives the bytes. */
async function publishPaths(
  hashes: readonly string[],
  cache: BinaryCache,
  {depot, signal}: {depot: Depot; signal: AbortSignal},
): Promise<number> {
  let publishedBytes = 0;
  for (const batch of batches(await Promise.all(hashes.map(cache.read)))) {
    const waiting = [...batch];
    const upload = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const archive = await describeArtifact(next.archiveName, next.archiveFile);
        await depot.imageStore.upload(archive, signal);
        publishedBytes += archive.sizeBytes;
      }
    };
    await Promise.all(Array.from({length: uploadsAtOnce}, upload));
    await callWith(signal)(options =>
      depot.storePaths.publishStorePaths(
        {publicKey: cache.publicKey, narinfos: batch.map(({narinfo}) => narinfo)},
        options,
      ),
    );
  }
  return publishedBytes;
}

export function batches(paths: readonly CachedPath[]): readonly (readonly CachedPath[])[] {
  const all: CachedPath[][] = [];
  let characters = Infinity;
  for (const path of paths) {
    characters += path.narinfo.length;
    if (characters > charactersPerCallMax || (all.at(-1)?.length ?? 0) >= pathsPerCallMax) {
      all.push([]);
      characters = path.narinfo.length;
    }
    all.at(-1)?.push(path);
  }
  return all;
}

const callWith =
  (signal: AbortSignal) =>
  <T>(call: (options: {timeoutMs: number; signal: AbortSignal}) => Promise<T>): Promise<T> =>
    retryWhileTransient(() => call({timeoutMs: callTimeoutMs, signal}), {
      signal,
      delayMaxMs: retryDelayMaxMs,
    });
