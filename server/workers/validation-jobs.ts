import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {subjects, validationsDurable} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Validations} from '../domain/validations.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {listenFor} from '../store/notifications.ts';
import {
  ensureJobConsumer,
  type JobConsumer,
  wakeOnReconnect,
  watchGivenUpJobs,
} from './job-queue.ts';

const intervalMs = 5000;

const consumer: JobConsumer = {
  durable: validationsDurable,
  subject: subjects.validateJob,
  deliveriesMax: 5,
  ackPendingMax: 64,
};

/** Puts configurations that somebody waits for into the work queue, once more when nobody took them, and makes the queue itself. */
export async function startValidationJobs({
  sql,
  nats,
  validations,
  log,
}: {
  readonly sql: Database;
  readonly nats: NatsConnection;
  readonly validations: Validations;
  readonly log: Logger;
}): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  // Without asking whether JetStream is there: it may come later.
  const manager = await jetstreamManager(nats, {checkAPI: false});
  const js = jetstream(nats);

  const review = stack.use(
    repeat({
      name: 'validation jobs',
      intervalMs,
      log,
      step: async signal => {
        await ensureJobConsumer(manager, consumer);
        for (const {validationId, jobCount} of await validations.review()) {
          if (signal.aborted) return;
          // Two servers may put the same job into the queue: it counts once.
          const msgID = `${validationId}-${jobCount}`;
          await js.publish(subjects.validateJob, JSON.stringify({validationId}), {msgID});
          await validations.jobQueued(validationId);
        }
      },
    }),
  );
  stack.use(await listenFor(sql, 'validations', review.wake));
  stack.use(wakeOnReconnect(nats, review.wake));
  // Whoever waits for one that was given up is told at the end of its time.
  const onGivenUp = () => Promise.resolve();
  stack.use(watchGivenUpJobs({nats, manager, durable: validationsDurable, onGivenUp, log}));

  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}
