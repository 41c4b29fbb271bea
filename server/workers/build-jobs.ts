import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {buildersDurable, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {BuildUpkeep} from '../domain/build-upkeep.ts';
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

const intervalMs = 10_000;

const consumer: JobConsumer = {
  durable: buildersDurable,
  subject: subjects.buildJob,
  deliveriesMax: 20,
  ackPendingMax: 256,
};

type BuildJobsDeps = {
  readonly sql: Database;
  readonly nats: NatsConnection;
  readonly upkeep: BuildUpkeep;
  readonly log: Logger;
};

/** Puts builds into the work queue, again when NATS lost them, and makes the queue itself. */
export async function startBuildJobs({
  sql,
  nats,
  upkeep,
  log,
}: BuildJobsDeps): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  // Without asking whether JetStream is there: it may come later.
  const manager = await jetstreamManager(nats, {checkAPI: false});
  const js = jetstream(nats);

  const review = stack.use(
    repeat({
      name: 'build jobs',
      intervalMs,
      log,
      step: async signal => {
        const queueIsEmpty = isEmpty(await ensureJobConsumer(manager, consumer));
        for (const {buildId, jobCount} of await upkeep.review({queueIsEmpty})) {
          if (signal.aborted) return;
          // Two servers may put the same job into the queue: it counts once.
          const msgID = `${buildId}-${jobCount}`;
          await js.publish(subjects.buildJob, JSON.stringify({buildId}), {msgID});
          await upkeep.jobQueued(buildId);
        }
      },
    }),
  );
  stack.use(await listenFor(sql, 'builds', review.wake));
  stack.use(wakeOnReconnect(nats, review.wake));
  const onGivenUp = async (job: unknown) => {
    const {buildId} = job as {readonly buildId?: unknown};
    if (typeof buildId === 'string' && isUuid(buildId)) await upkeep.jobLost(buildId);
  };
  stack.use(watchGivenUpJobs({nats, manager, durable: buildersDurable, onGivenUp, log}));

  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}
