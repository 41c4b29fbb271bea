import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import type {Logger} from '@muster/runtime/log.ts';
import {isUuid} from '../domain/ids.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {listenFor} from '../store/notifications.ts';
import {
  ensureJobConsumer,
  isEmpty,
  type JobConsumer,
  wakeOnReconnect,
  watchGivenUpJobs,
} from './job-queue.ts';

export type Job = {
  readonly id: string;
  /** How often it was put into the queue before. */
  readonly jobCount: number;
};

export type JobSource = {
  /** For logs and health: "build jobs". */
  readonly name: string;
  readonly intervalMs: number;
  readonly consumer: JobConsumer;
  /** The field of a job that names the work. */
  readonly idField: string;
  /** Notifications of PostgreSQL at which there may be new work. */
  readonly channel: string;
  /** What is to be put into the queue now. */
  readonly review: (queue: {readonly queueIsEmpty: boolean}) => Promise<readonly Job[]>;
  readonly queued: (id: string) => Promise<void>;
  /** No builder finished it, however often it was given out. */
  readonly lost: (id: string) => Promise<void>;
};

/** Makes a work queue of builders and puts what waits into it, again when NATS lost it. */
export async function startJobQueue(
  {name, intervalMs, consumer, idField, channel, review, queued, lost}: JobSource,
  {sql, nats, log}: {readonly sql: Database; readonly nats: NatsConnection; readonly log: Logger},
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  // Without asking whether JetStream is there: it may come later.
  const manager = await jetstreamManager(nats, {checkAPI: false});
  const js = jetstream(nats);

  const step = async (signal: AbortSignal): Promise<void> => {
    const queueIsEmpty = isEmpty(await ensureJobConsumer(manager, consumer));
    for (const {id, jobCount} of await review({queueIsEmpty})) {
      if (signal.aborted) return;
      // Two servers may put the same job into the queue: it counts once.
      const msgID = `${id}-${jobCount}`;
      await js.publish(consumer.subject, JSON.stringify({[idField]: id}), {msgID});
      await queued(id);
    }
  };
  const repeated = stack.use(repeat({name, intervalMs, log, step}));
  stack.use(await listenFor(sql, channel, repeated.wake));
  stack.use(wakeOnReconnect(nats, repeated.wake));
  const onGivenUp = async (job: unknown) => {
    const id = (job as Readonly<Record<string, unknown>>)[idField];
    if (typeof id === 'string' && isUuid(id)) await lost(id);
  };
  stack.use(watchGivenUpJobs({nats, manager, durable: consumer.durable, onGivenUp, log}));

  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}
