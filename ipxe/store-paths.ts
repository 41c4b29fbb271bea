import type {Client} from '@connectrpc/connect';
import type {StorePath, StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Metrics} from './metrics.ts';
import {limitPerKey, limitPerSecond} from './rate-limit.ts';

/** The time in the queue included. Nix has patience, and a server under load is better than another cache. */
const answerWithinMs = 10_000;
const inFlightMax = 32;
const waitingMax = 2048;
/** Before Nix makes a system it asks for each of its paths: a few thousand at once. */
const perAddressBurst = 10_000;
const perAddressPerSecond = 200;
const linesPerSecondMax = 5;
/** What is published stays as it is, but it may be removed. */
const foundMs = 600_000;
const absentMs = 30_000;
const charactersMax = 64 * 1024 * 1024;
const charactersOfAnEntry = 256;

/** `unknown`: the server would have to be asked and does not answer. */
export type StorePathAnswer = StorePath | 'absent' | 'unknown';

export type StorePathKey =
  | {readonly case: 'hash'; readonly value: string}
  | {readonly case: 'narSha256'; readonly value: string};

type Entry = {
  readonly path: StorePath | undefined;
  readonly untilMs: number;
  readonly characters: number;
};

export type StorePathDesk = ReturnType<typeof createStorePathDesk>;

/**
 * What the server knows of store paths, remembered: what was found once is answered at once, whatever state the server is in. At most 32
 * questions at a time, the same one once for all who wait for it.
 */
export function createStorePathDesk({
  client,
  metrics,
  log,
  nowMs,
}: {
  readonly client: () => Pick<Client<typeof StorePathService>, 'findStorePath'> | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly nowMs: () => number;
}) {
  // In order of use, the oldest first.
  const entries = new Map<string, Entry>();
  let characters = 0;
  const pending = new Map<string, Promise<StorePathAnswer>>();
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  const mayLog = limitPerSecond(linesPerSecondMax, nowMs);
  const mayAsk = limitPerKey({burst: perAddressBurst, perSecond: perAddressPerSecond, nowMs});

  function forget(value: string): void {
    const entry = entries.get(value);
    if (!entry) return;
    entries.delete(value);
    characters -= entry.characters;
  }

  function remember(value: string, path: StorePath | undefined): void {
    forget(value);
    const entry = {
      path,
      untilMs: nowMs() + (path ? foundMs : absentMs),
      characters: charactersOfAnEntry + (path?.narinfo.length ?? 0),
    };
    entries.set(value, entry);
    characters += entry.characters;
    for (const oldest of entries.keys()) {
      if (characters <= charactersMax) break;
      forget(oldest);
    }
  }

  function recall(value: string): Entry | undefined {
    const entry = entries.get(value);
    if (!entry) return undefined;
    entries.delete(value);
    entries.set(value, entry);
    return entry;
  }

  async function ask(key: StorePathKey): Promise<StorePathAnswer> {
    const storePaths = client();
    if (!storePaths) return 'unknown';
    const deadlineMs = nowMs() + answerWithinMs;
    if (inFlight >= inFlightMax) {
      if (waiting.length >= waitingMax) {
        metrics.storePathLookup('overflow');
        return 'unknown';
      }
      await new Promise<void>(resolve => waiting.push(resolve));
    }
    inFlight++;
    try {
      const timeoutMs = Math.floor(deadlineMs - nowMs());
      if (timeoutMs <= 0) {
        metrics.storePathLookup('overflow');
        return 'unknown';
      }
      const {storePath} = await storePaths.findStorePath({key}, {timeoutMs});
      metrics.storePathLookup('answered');
      if (!storePath) remember(key.value, undefined);
      else for (const value of [storePath.hash, storePath.narSha256]) remember(value, storePath);
      return storePath ?? 'absent';
    } catch (error) {
      metrics.storePathLookup('failed');
      if (mayLog()) log.warn({err: error}, 'the server did not answer for a store path');
      return 'unknown';
    } finally {
      inFlight--;
      waiting.shift()?.();
    }
  }

  function askOnce(key: StorePathKey): Promise<StorePathAnswer> {
    let answer = pending.get(key.value);
    if (!answer) {
      answer = ask(key).finally(() => pending.delete(key.value));
      pending.set(key.value, answer);
    }
    return answer;
  }

  return {
    async find(key: StorePathKey, ipAddress: string): Promise<StorePathAnswer> {
      const known = recall(key.value);
      const isFresh = known !== undefined && known.untilMs > nowMs();
      if (known && (isFresh || known.path)) {
        metrics.storePathLookup('remembered');
        // Nobody waits to hear whether it is still there.
        if (!isFresh) void askOnce(key);
        return known.path ?? 'absent';
      }
      if (!mayAsk(ipAddress)) {
        metrics.storePathLookup('overflow');
        return 'unknown';
      }
      return askOnce(key);
    },
  };
}
