import {
  AckPolicy,
  type Consumer,
  jetstream,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {ensureStreams, streams, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {MetricsReport, MetricsStore} from '../domain/metrics.ts';
import {repeat} from '../repeat.ts';
import {fromMetricsMessage} from '../rpc/metrics-messages.ts';
import type {PresenceWriter} from '../domain/presence.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import {parseReport} from './parse-report.ts';
import type {CountReport} from './report-settling.ts';
import {readPlainReport} from './plain-samples.ts';

const durable = 'metrics';
const kind = 'metrics';
const messagesPerTransactionMax = 200;
/** One reads while another's transaction is under way. */
const storersCount = 2;
/** A sample is in the table this much later at most, while there are few. */
const fetchMs = 1000;
const retryMs = 1000;
const maintenanceMs = 3_600_000;
const rollUpMs = 60_000;
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
  readonly presence: Pick<PresenceWriter, 'seen'>;
  readonly newId: () => string;
  readonly count: CountReport;
  readonly log: Logger;
};

/** Carries what agents measure from NATS into the table, in batches, each sample once; tells the agents what is committed. */
export async function startMetricsWorker(deps: MetricsWorkerDeps): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const {metrics, log} = deps;

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
      name: 'metrics roll-ups',
      intervalMs: rollUpMs,
      log,
      step: async signal => {
        const machineHours = await metrics.rollUp(signal);
        if (machineHours > 0) log.info({machineHours}, 'rolled up metrics');
      },
    }),
  );
  for (let number = 0; number < storersCount; number++) stack.use(startStoring(deps));
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** Takes batches one after the other. */
function startStoring(deps: MetricsWorkerDeps): AsyncDisposable {
  const {nats, log} = deps;
  let source: Consumer | undefined;
  const storing = repeat({
    name: 'store metrics',
    intervalMs: retryMs,
    log,
    step: async signal => {
      const from = source ?? (await openConsumer(nats));
      // Looked up again after a failure: NATS may have come back without its data.
      source = undefined;
      const received = await receive(from, deps, signal);
      if (received.length > 0) await storeAll(deps, received);
      source = from;
      storing.wake();
    },
  });
  return storing;
}

async function openConsumer(nats: NatsConnection): Promise<Consumer> {
  const manager = await jetstreamManager(nats, {checkAPI: false});
  const stream = streams.METRICS.name;
  try {
    await manager.consumers.info(stream, durable);
  } catch (error) {
    if (!(error instanceof Error) || !/\bnot found\b/.test(error.message)) throw error;
    await ensureStreams(manager);
    await manager.consumers.add(stream, consumer);
  }
  return jetstream(nats).consumers.get(stream, durable);
}

/** What came within a second, at most 200 messages; those that can never be stored are gone already. */
async function receive(
  source: Consumer,
  {count, log}: MetricsWorkerDeps,
  signal: AbortSignal,
): Promise<readonly Received[]> {
  const messages = await source.fetch({
    max_messages: messagesPerTransactionMax,
    expires: fetchMs,
  });
  const stop = () => void messages.close();
  signal.addEventListener('abort', stop, {once: true});
  const received: Received[] = [];
  try {
    for await (const message of messages) {
      const decoded = decode(message);
      if (typeof decoded !== 'string') {
        received.push({message, ...decoded});
        continue;
      }
      log.warn({subject: message.subject, why: decoded}, 'metrics dropped');
      count('junk', kind);
      message.term();
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return received;
}

/** The report, or why it is none. */
function decode(message: JsMsg): Omit<Received, 'message'> | string {
  const plain = readPlainReport(message.data);
  if (plain && message.subject === subjects.agentReport(plain.machineId, kind)) {
    const {reportId, ...report} = plain;
    return {reportId, report: {...report, receiveTime: message.time}};
  }
  const parsed = parseReport(message);
  if (typeof parsed === 'string') return parsed;
  const {machineId, report} = parsed;
  if (report.body.case !== 'metrics') return 'it holds no metrics';
  const {session, firstSequence, samples} = report.body.value;
  if (firstSequence > BigInt(sequenceMax)) return 'its sequence number is too large';
  return {
    reportId: report.reportId,
    report: {
      machineId,
      session: session.replaceAll('\0', '\uFFFD'),
      firstSequence: Number(firstSequence),
      samples: samples.map(fromMetricsMessage),
      receiveTime: message.time,
    },
  };
}

/** When the database refuses a batch, each report is tried alone, so that one bad report does not keep the others back for ever. */
async function storeAll(deps: MetricsWorkerDeps, received: readonly Received[]): Promise<void> {
  try {
    await store(deps, received);
  } catch (error) {
    if (isDatabaseUnavailable(error)) {
      for (const {message} of received) message.nak(retryMs);
      deps.count('failed', kind);
      throw error;
    }
    const [only, ...others] = received;
    if (others.length > 0) {
      for (const one of received) await storeAll(deps, [one]);
      return;
    }
    deps.log.error({err: error, subject: only?.message.subject}, 'metrics given up');
    deps.count('given_up', kind);
    only?.message.term();
  }
}

async function store(
  {nats, metrics, presence, newId, count, log}: MetricsWorkerDeps,
  received: readonly Received[],
): Promise<void> {
  const {unknownMachineIds} = await metrics.store(received.map(({report}) => report));
  const reportIds = new Map<string, string[]>();
  for (const {message, reportId, report} of received) {
    const {machineId, receiveTime} = report;
    message.ack();
    const unknown = unknownMachineIds.has(machineId);
    count(unknown ? 'junk' : 'committed', kind);
    if (!unknown) presence.seen(machineId, receiveTime);
    const ids = reportIds.get(machineId) ?? [];
    ids.push(reportId);
    reportIds.set(machineId, ids);
  }
  if (unknownMachineIds.size > 0)
    log.warn({machineIds: [...unknownMachineIds]}, 'metrics of unknown machines dropped');

  // Of unknown machines too: no later time will find them known, and their agents would send the same for ever.
  for (const [machineId, ids] of reportIds) {
    const command = {command_id: newId(), machine_id: machineId, received: {report_ids: ids}};
    nats.publish(subjects.command(machineId, 'received'), JSON.stringify(command));
  }
}
