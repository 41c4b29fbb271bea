import {fromJsonString} from '@bufbuild/protobuf';
import {createValidator, type Validator} from '@bufbuild/protovalidate';
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  jetstream,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {AgentReportSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {ensureStreams, streams, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {isUuid} from '../domain/ids.ts';
import type {MetricsReport, MetricsStore} from '../domain/metrics.ts';
import {repeat} from '../repeat.ts';
import {fromMetricsMessage} from '../rpc/metrics-messages.ts';
import {isDatabaseUnavailable} from '../store/db.ts';

const durable = 'metrics';
const messagesPerTransactionMax = 200;
/** A sample is in the table this much later at most, while there are few. */
const fetchMs = 1000;
const retryMs = 1000;
const maintenanceMs = 3_600_000;
const sequenceMax = Number.MAX_SAFE_INTEGER - 1000;

const consumer = {
  durable_name: durable,
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(30_000),
  max_ack_pending: 2000,
} as const;

type Received = {
  readonly message: JsMsg;
  readonly reportId: string;
  readonly report: MetricsReport;
};

export type MetricsWorkerDeps = {
  readonly nats: NatsConnection;
  readonly metrics: MetricsStore;
  readonly newId: () => string;
  /** A report of this machine is committed. */
  readonly seen: (machineId: string, time: Date) => void;
  readonly log: Logger;
};

/** Carries what agents measure from NATS into the table, in batches, each sample once; tells the agents what is committed. */
export async function startMetricsWorker(deps: MetricsWorkerDeps): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const {nats, metrics, log} = deps;
  const validator = createValidator();
  const js = jetstream(nats);

  stack.use(
    repeat({
      name: 'metrics partitions',
      intervalMs: maintenanceMs,
      log,
      step: async () => {
        const dropped = await metrics.maintain();
        if (dropped.length > 0) log.info({dropped}, 'dropped old metrics');
      },
    }),
  );
  stack.use(
    repeat({
      name: 'store metrics',
      intervalMs: retryMs,
      log,
      step: async signal => {
        await ensureConsumer(nats);
        const source = await js.consumers.get(streams.METRICS.name, durable);
        while (!signal.aborted) {
          const received = await receive({source, validator, signal, log});
          if (received.length > 0) await storeAll(deps, received);
        }
      },
    }),
  );
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

async function ensureConsumer(nats: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nats, {checkAPI: false});
  try {
    await manager.consumers.info(streams.METRICS.name, durable);
  } catch (error) {
    if (!(error instanceof Error) || !/\bnot found\b/.test(error.message)) throw error;
    await ensureStreams(manager);
    await manager.consumers.add(streams.METRICS.name, consumer);
  }
}

/** What came within a second, at most 200 messages; those that can never be stored are gone already. */
async function receive({
  source,
  validator,
  signal,
  log,
}: {
  readonly source: Consumer;
  readonly validator: Validator;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): Promise<readonly Received[]> {
  const messages: ConsumerMessages = await source.fetch({
    max_messages: messagesPerTransactionMax,
    expires: fetchMs,
  });
  const stop = () => void messages.close();
  signal.addEventListener('abort', stop, {once: true});
  const received: Received[] = [];
  try {
    for await (const message of messages) {
      const decoded = decode(message, validator);
      if (typeof decoded !== 'string') {
        received.push({message, ...decoded});
        continue;
      }
      log.warn({subject: message.subject, why: decoded}, 'dropped a metrics report');
      message.term();
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return received;
}

/** The report, or why it is none. The machine is the one of the subject: the server has checked who may publish there. */
function decode(message: JsMsg, validator: Validator): Omit<Received, 'message'> | string {
  const machineId = message.subject.split('.')[3] ?? '';
  if (!isUuid(machineId)) return 'the subject names no machine';
  try {
    const envelope = fromJsonString(AgentReportSchema, message.string(), {
      ignoreUnknownFields: true,
    });
    if (envelope.machineId !== machineId) return `it names machine "${envelope.machineId}"`;
    if (!isUuid(envelope.reportId)) return 'its report id is no UUID';
    if (envelope.body.case !== 'metrics') return 'it holds no metrics';

    const {violations = []} = validator.validate(AgentReportSchema, envelope);
    if (violations.length > 0) return violations.map(violation => violation.toString()).join('; ');
    const {session, firstSequence, samples} = envelope.body.value;
    if (firstSequence > BigInt(sequenceMax)) return 'its sequence number is too large';
    return {
      reportId: envelope.reportId,
      report: {
        machineId,
        session: session.replaceAll('\0', '\uFFFD'),
        firstSequence: Number(firstSequence),
        samples: samples.map(fromMetricsMessage),
        receiveTime: message.time,
      },
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** When the database refuses a batch, each report is tried alone, so that one bad report does not keep the others back for ever. */
async function storeAll(deps: MetricsWorkerDeps, received: readonly Received[]): Promise<void> {
  try {
    await store(deps, received);
  } catch (error) {
    const [only] = received;
    if (received.length > 1 && !isDatabaseUnavailable(error)) {
      for (const one of received) await storeAll(deps, [one]);
      return;
    }
    if (isDatabaseUnavailable(error)) {
      for (const {message} of received) message.nak(retryMs);
      throw error;
    }
    deps.log.error({err: error, subject: only?.message.subject}, 'cannot store a metrics report');
    only?.message.term();
  }
}

async function store(
  {nats, metrics, newId, seen, log}: MetricsWorkerDeps,
  received: readonly Received[],
): Promise<void> {
  const {unknownMachineIds} = await metrics.store(received.map(({report}) => report));
  const reportIds = new Map<string, string[]>();
  for (const {message, reportId, report} of received) {
    const {machineId} = report;
    seen(machineId, message.time);
    message.ack();
    const ids = reportIds.get(machineId) ?? [];
    ids.push(reportId);
    reportIds.set(machineId, ids);
  }
  if (unknownMachineIds.size > 0)
    log.warn({machineIds: [...unknownMachineIds]}, 'dropped metrics of unknown machines');

  // Of unknown machines too: no later time will find them known, and their agents would send the same for ever.
  for (const [machineId, ids] of reportIds) {
    const command = {command_id: newId(), machine_id: machineId, received: {report_ids: ids}};
    nats.publish(subjects.command(machineId, 'received'), JSON.stringify(command));
  }
}
