import {AckPolicy, type ConsumerInfo, type JetStreamManager} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {ensureStreams, streams} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';

const jobs = streams.JOBS.name;
const ackWaitMs = 30_000;

export type JobConsumer = {
  readonly durable: string;
  readonly subject: string;
  readonly deliveriesMax: number;
  readonly ackPendingMax: number;
};

/** The consumer that all builders share; made, with its stream, when NATS is new or came back without its data. */
export async function ensureJobConsumer(
  manager: JetStreamManager,
  {durable, subject, deliveriesMax, ackPendingMax}: JobConsumer,
): Promise<ConsumerInfo> {
  try {
    return await manager.consumers.info(jobs, durable);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensureStreams(manager);
    return manager.consumers.add(jobs, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      // A job is redelivered so long after the last sign of life of its builder.
      ack_wait: nanos(ackWaitMs),
      max_deliver: deliveriesMax,
      max_ack_pending: ackPendingMax,
      filter_subject: subject,
    });
  }
}

export const isEmpty = ({num_pending, num_ack_pending}: ConsumerInfo): boolean =>
  num_pending === 0 && num_ack_pending === 0;

/** Error codes of the JetStream API: 10014 consumer not found, 10059 stream not found. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && /\bnot found\b/.test(error.message);
}

export function wakeOnReconnect(nats: NatsConnection, wake: () => void): Disposable {
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

/** After `max_deliver` a message stays in the queue and nobody gets it: it is deleted, and what it said is told. */
export function watchGivenUpJobs({
  nats,
  manager,
  durable,
  onGivenUp,
  log,
}: {
  readonly nats: NatsConnection;
  readonly manager: JetStreamManager;
  readonly durable: string;
  readonly onGivenUp: (job: unknown) => Promise<void>;
  readonly log: Logger;
}): AsyncDisposable {
  const subscription = nats.subscribe(
    `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${jobs}.${durable}`,
  );
  const watching = (async () => {
    for await (const message of subscription) {
      try {
        const {stream_seq: sequence} = message.json<{stream_seq: number}>();
        const stored = await manager.streams.getMessage(jobs, {seq: sequence});
        if (!stored) continue;
        await manager.streams.deleteMessage(jobs, sequence);
        const job = stored.json<unknown>();
        log.warn({job, sequence, durable}, 'nobody finished this job');
        await onGivenUp(job);
      } catch (error) {
        // Another server may have deleted it.
        log.warn({err: error}, 'cannot clear a job that was given up');
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
