import {setTimeout as sleep} from 'node:timers/promises';
import {Code, ConnectError} from '@connectrpc/connect';
import type {Consumer, JsMsg} from '@nats-io/jetstream';
import type {Logger, Outages} from '@muster/runtime/log.ts';

const pullExpiresMs = 10_000;
const pullRetryMs = 1000;
const readinessRetryMs = 10_000;
/** Well inside the 30 s of `ack_wait`. */
const workingEveryMs = 8000;
const claimRetryMs = 3000;
const ackAttemptsMax = 10;
const ackTimeoutMs = 2000;

/** Why work that was taken from a queue ends before its time: the builder stops. */
export class BuilderStopped extends Error {}

/** Told of every job that is taken and of how it ended: done, or put back into the queue. */
export type JobObserver = {
  readonly started: (noun: string) => void;
  readonly ended: (noun: string, outcome: 'done' | 'requeued') => void;
};

export type JobQueue = {
  /** For logs: "build", "validation". */
  readonly noun: string;
  /** The field of a job that names the work. */
  readonly idField: string;
  /** Throws while NATS is away or the server has not made the queue yet. */
  readonly consumer: () => Promise<Consumer>;
  /** Jobs are left to other builders until this is true. */
  readonly isReady?: () => Promise<boolean>;
  /** Does the work to its end. Throws when it must go back into the queue. */
  readonly work: (id: string, running: {slot: number; signal: AbortSignal}) => Promise<void>;
  readonly observer?: JobObserver | undefined;
  /** Of the process: all slots of all queues wait for the same NATS. */
  readonly outages: Outages;
  readonly log: Logger;
};

/**
 * Takes jobs from a queue, one for each free slot, until disposed. Work that runs then goes back into the queue at once. What a killed
 * builder held comes back by itself when `ack_wait` is over.
 */
export function startSlots(queue: JobQueue, slots: number): AsyncDisposable {
  const stop = new AbortController();
  const running = Array.from({length: slots}, (_, slot) => runSlot(queue, slot, stop.signal));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new BuilderStopped('The builder stops'));
      await Promise.all(running);
    },
  };
}

async function runSlot(queue: JobQueue, slot: number, signal: AbortSignal): Promise<void> {
  const {noun, outages} = queue;
  const what = `the queue of ${noun}s`;
  while (!signal.aborted) {
    try {
      if (queue.isReady && !(await queue.isReady())) {
        await sleep(readinessRetryMs, undefined, {signal});
        continue;
      }
      const consumer = await queue.consumer();
      outages.works(what);
      // The pull itself cannot be aborted: an idle builder stops at its end, or when its connection closes.
      const message = await Promise.race([
        consumer.next({expires: pullExpiresMs}),
        aborted(signal),
      ]);
      if (message) await handleMessage(queue, message, {slot, signal});
    } catch (error) {
      if (signal.aborted) return;
      const message = `cannot take a ${noun} from the queue, trying again`;
      outages.failed({what, err: error, message});
      await sleep(pullRetryMs, undefined, {signal}).catch(() => undefined);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), {once: true});
  });

async function handleMessage(
  {noun, idField, work, observer, log}: JobQueue,
  message: JsMsg,
  running: {slot: number; signal: AbortSignal},
): Promise<void> {
  const id = parseJob(message.data, idField);
  if (id === undefined) {
    log.error({bytes: message.data.length}, `a job that names no ${noun} was dropped`);
    message.term();
    return;
  }

  const keepAlive = setInterval(() => message.working(), workingEveryMs);
  observer?.started(noun);
  try {
    await work(id, running);
    observer?.ended(noun, 'done');
    await acknowledge(message, log);
  } catch (error) {
    observer?.ended(noun, 'requeued');
    log.warn({err: error, [idField]: id}, `the ${noun} goes back into the queue`);
    message.nak(running.signal.aborted ? 0 : claimRetryMs);
  } finally {
    clearInterval(keepAlive);
  }
}

/** Undefined when the message is no job. */
export function parseJob(data: Uint8Array, idField: string): string | undefined {
  try {
    const job: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    if (typeof job !== 'object' || job === null) return undefined;
    const id = (job as Readonly<Record<string, unknown>>)[idField];
    return typeof id === 'string' && id !== '' ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the server answers that there is nothing to do any more. */
export async function claimUnlessOver<Claim>(
  claim: () => Promise<Claim>,
): Promise<Claim | undefined> {
  try {
    return await claim();
  } catch (error) {
    if (isOver(error)) return undefined;
    throw error;
  }
}

const isOver = (error: unknown): boolean =>
  error instanceof ConnectError &&
  [Code.FailedPrecondition, Code.NotFound, Code.InvalidArgument].includes(error.code);

/** An acknowledgement is a message too: asked for its receipt, and again if need be. A job that stays is claimed in vain later. */
async function acknowledge(message: JsMsg, log: Logger): Promise<void> {
  for (let count = 0; count < ackAttemptsMax; count += 1) {
    const acked = await message.ackAck({timeout: ackTimeoutMs}).catch(() => false);
    if (acked) return;
  }
  log.warn('the acknowledgement of the job has no receipt: it will come again and be dropped');
}
