import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {imageTestsDurable, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {isUuid} from '../domain/ids.ts';
import type {ImageGates} from '../domain/image-gates.ts';
import type {ImageTestWork} from '../domain/image-test-work.ts';
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

const intervalMs = 10_000;

const consumer: JobConsumer = {
  durable: imageTestsDurable,
  subject: subjects.imageTestJob,
  deliveriesMax: 20,
  ackPendingMax: 256,
};

/**
 * Puts tests of images into the work queue, again when NATS lost them, and makes the queue itself. Before that the gates are looked at: a test that
 * ended may open one, and one that waits may need a test.
 */
export async function startImageTestJobs({
  sql,
  nats,
  work,
  gates,
  log,
}: {
  readonly sql: Database;
  readonly nats: NatsConnection;
  readonly work: ImageTestWork;
  readonly gates: ImageGates;
  readonly log: Logger;
}): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  // Without asking whether JetStream is there: it may come later.
  const manager = await jetstreamManager(nats, {checkAPI: false});
  const js = jetstream(nats);

  const review = stack.use(
    repeat({
      name: 'image test jobs',
      intervalMs,
      log,
      step: async signal => {
        const queueIsEmpty = isEmpty(await ensureJobConsumer(manager, consumer));
        await gates.review();
        for (const {imageTestId, jobCount} of await work.review({queueIsEmpty})) {
          if (signal.aborted) return;
          // Two servers may put the same job into the queue: it counts once.
          const msgID = `${imageTestId}-${jobCount}`;
          await js.publish(subjects.imageTestJob, JSON.stringify({imageTestId}), {msgID});
          await work.jobQueued(imageTestId);
        }
      },
    }),
  );
  stack.use(await listenFor(sql, 'image_test_queue', review.wake));
  stack.use(wakeOnReconnect(nats, review.wake));
  const onGivenUp = async (job: unknown) => {
    const {imageTestId} = job as {readonly imageTestId?: unknown};
    if (typeof imageTestId === 'string' && isUuid(imageTestId)) await work.jobLost(imageTestId);
  };
  stack.use(watchGivenUpJobs({nats, manager, durable: imageTestsDurable, onGivenUp, log}));

  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}
