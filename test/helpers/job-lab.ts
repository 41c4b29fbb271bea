import {AckPolicy, type Consumer, jetstream, jetstreamManager} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {ensureStreams, streams} from '@muster/runtime/bus.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {startNats, type TestNats} from './nats.ts';
import {until} from './processes.ts';

export type JobLab = AsyncDisposable & {
  readonly nats: TestNats;
  readonly connection: NatsConnection;
  /** As BusSession gives it. */
  readonly consumer: () => Promise<Consumer>;
  /** A job; gives the id of its work. */
  queue(id?: string): Promise<string>;
  queueEmpty(): Promise<unknown>;
};

/** One work queue of builders in a real nats-server. */
export async function startJobLab({
  durable,
  subject,
  idField,
  ackWaitSeconds = 2,
}: {
  readonly durable: string;
  readonly subject: string;
  /** The field of a job that names its work. */
  readonly idField: string;
  readonly ackWaitSeconds?: number;
}): Promise<JobLab> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const connection = stack.adopt(await nats.connectServer(), open => open.close());
  const manager = await jetstreamManager(connection);
  await ensureStreams(manager);
  const jobs = streams.JOBS.name;
  await manager.consumers.add(jobs, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitSeconds * 1000),
    filter_subject: subject,
  });
  const owned = stack.move();
  return {
    nats,
    connection,
    consumer: () => jetstream(connection).consumers.get(jobs, durable),
    async queue(id = uuidv7()) {
      await jetstream(connection).publish(subject, JSON.stringify({[idField]: id}));
      return id;
    },
    queueEmpty: () =>
      until('an empty queue', async () => (await manager.streams.info(jobs)).state.messages === 0),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
