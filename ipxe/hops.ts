import {setTimeout as sleep} from 'node:timers/promises';
import {create} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {Code, ConnectError} from '@connectrpc/connect';
import type {Logger} from '@muster/runtime/log.ts';
import {
  type BootHop,
  type BootHop_Kind,
  type BootClient,
  BootHopSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Metrics} from './metrics.ts';
import {limitPerKey} from './rate-limit.ts';

const queuedHopsMax = 20_000;
const batchHopsMax = 500;
const flushEveryMs = 500;
const retryMinMs = 500;
const retryMaxMs = 10_000;
const detailCharactersMax = 512;
/** A boot has about ten hops; what drains is a thousand a second. */
const hopsPerAddressBurst = 2000;
const hopsPerAddressPerSecond = 50;

/** What was seen; id and time are added here. */
export type SeenHop = {
  readonly kind: BootHop_Kind;
  readonly session: string;
  readonly client: BootClient;
  readonly detail?: string;
  readonly bytes?: number;
  readonly complete?: boolean;
  readonly imageId?: string;
};

/** Throws when the server did not take the batch. */
export type SendHops = (hops: BootHop[], signal: AbortSignal) => Promise<void>;

export type Hops = ReturnType<typeof createHops>;

/**
 * What machines did, on its way to the server: batched, sent again with the same ids until the server has them, at most 20,000 waiting.
 * The oldest are dropped first, and counted.
 */
export function createHops({
  send,
  metrics,
  log,
  newId,
  nowMs,
}: {
  readonly send: SendHops;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly newId: () => string;
  /** Of a clock that only goes forward. */
  readonly nowMs: () => number;
}) {
  const queue: BootHop[] = [];
  const stop = new AbortController();
  const mayAdd = limitPerKey({
    burst: hopsPerAddressBurst,
    perSecond: hopsPerAddressPerSecond,
    nowMs,
  });
  const running = run();

  async function run(): Promise<void> {
    let retryMs = retryMinMs;
    while (!stop.signal.aborted) {
      await pause(retryMs === retryMinMs ? flushEveryMs : retryMs * (0.5 + Math.random() / 2));
      try {
        await flush(stop.signal);
        retryMs = retryMinMs;
      } catch (error) {
        retryMs = Math.min(retryMs * 2, retryMaxMs);
        log.debug({err: error, waiting: queue.length, retryMs}, 'boot hops not taken, kept');
      }
    }
  }

  async function flush(signal: AbortSignal): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, batchHopsMax);
      try {
        await send(batch, signal);
      } catch (error) {
        // A batch that the server calls invalid stays invalid: it must not hold up what follows.
        if (ConnectError.from(error).code !== Code.InvalidArgument) throw error;
        log.error({err: error, hops: batch.length}, 'boot hops refused by the server, dropped');
        metrics.hopsDropped(batch.length);
      }
      // The oldest may have been dropped meanwhile.
      const sent = new Set(batch);
      let gone = 0;
      while (gone < queue.length && sent.has(queue[gone] as BootHop)) gone++;
      queue.splice(0, gone);
    }
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, {signal: stop.signal}).catch(() => undefined);
  }

  return {
    get waiting() {
      return queue.length;
    },

    add({detail, bytes, ...hop}: SeenHop): void {
      if (!mayAdd(hop.client.ipAddress)) return metrics.hopsDropped(1);
      if (queue.length >= queuedHopsMax) {
        queue.splice(0, batchHopsMax);
        metrics.hopsDropped(batchHopsMax);
      }
      queue.push(
        create(BootHopSchema, {
          ...hop,
          id: newId(),
          time: timestampFromMs(Date.now()),
          detail: detail?.slice(0, detailCharactersMax) ?? '',
          bytes: BigInt(bytes ?? 0),
        }),
      );
    },

    /** Gives what is waiting one last chance of a second. */
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await flush(AbortSignal.timeout(1000)).catch((error: unknown) =>
        log.warn({err: error, hops: queue.length}, 'boot hops lost at stop'),
      );
    },
  };
}
