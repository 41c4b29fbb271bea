import {
  AckPolicy,
  type ConsumerInfo,
  jetstream,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {buildersDurable, ensureStreams, streams, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {BuildUpkeep} from '../domain/build-upkeep.ts';
import {isUuid} from '../domain/ids.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {listenFor} from '../store/notifications.ts';

const intervalMs = 10_000;
const jobs = streams.JOBS.name;

/** Shared by all builders. A job is redelivered 30 s after the last sign of life of its builder. */
const consumer = {
  durable_name: buildersDurable,
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(30_000),
  max_deliver: 20,
  max_ack_pending: 256,
  filter_subject: subjects.buildJob,
} as const;

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
        const queueIsEmpty = isEmpty(await ensureQueue(manager));
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
  stack.use(watchGivenUpJobs({nats, manager, upkeep, log}));

  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

function wakeOnReconnect(nats: NatsConnection, wake: () => void): Disposable {
  let wanted = true;
  void (async () => {
    // Ends with the connection.
    for await (const {type} of nats.status()) if (wanted && type === 'reconnect') wake();
  })();
  return {
    [Symbol.dispose]() {
      wanted = false;
    },
  };
}

/** Also when NATS came back without its data. */
async function ensureQueue(manager: JetStreamManager): Promise<ConsumerInfo> {
  try {
    return await manager.consumers.info(jobs, buildersDurable);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensureStreams(manager);
    return manager.consumers.add(jobs, consumer);
  }
}

const isEmpty = ({num_pending, num_ack_pending}: ConsumerInfo): boolean =>
  num_pending === 0 && num_ack_pending === 0;

/** Error codes of the JetStream API: 10014 consumer not found, 10059 stream not found. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && /\bnot found\b/.test(error.message);
}

/** After `max_deliver` a message stays in the queue and nobody gets it: it is deleted, and its build gets a new job. */
function watchGivenUpJobs({
  nats,
  manager,
  upkeep,
  log,
}: Omit<BuildJobsDeps, 'sql'> & {readonly manager: JetStreamManager}): AsyncDisposable {
  const subscription = nats.subscribe(
    `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${jobs}.${buildersDurable}`,
  );
  const watching = (async () => {
    for await (const message of subscription) {
      try {
        const {stream_seq: sequence} = message.json<{stream_seq: number}>();
        const stored = await manager.streams.getMessage(jobs, {seq: sequence});
        if (!stored) continue;
        await manager.streams.deleteMessage(jobs, sequence);
        const {buildId} = stored.json<{buildId?: unknown}>();
        log.warn({buildId, sequence}, 'nobody finished this build job');
        if (typeof buildId === 'string' && isUuid(buildId)) await upkeep.jobLost(buildId);
      } catch (error) {
        // Another server may have deleted it.
        log.warn({err: error}, 'cannot clear a build job that was given up');
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      subscription.unsubscribe();
      await watching;
    },
  };
}
