import {
  AckPolicy,
  type Consumer,
  jetstream,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import type {AgentReport} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {ensureStreams, streams, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {MetricsReport, MetricsStore} from '../domain/metrics.ts';
import {repeat} from '../repeat.ts';
import {fromColumnsMessage} from '../rpc/metrics-columns.ts';
import {fromMetricsMessage} from '../rpc/metrics-messages.ts';
import type {PresenceWriter} from '../domain/presence.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import {parseReport} from './parse-report.ts';
import type {CountReport} from './report-settling.ts';
import {readPlainReport} from './plain-samples.ts';

const durable = 'metrics';
const kind = 'metrics';
const firstMessagesMax = 200;
/** Half of what the consumer may have under way. */
const messagesPerTransactionMax = 1000;
const samplesPerTransactionMax = 5000;
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
      for (const some of splitBySamples(received)) await storeAll(deps, some);
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

/** For one transaction: what came within a second and, when that is full, what waits behind it. What can never be stored is gone already. */
async function receive(
  source: Consumer,
  deps: MetricsWorkerDeps,
  signal: AbortSignal,
): Promise<readonly Received[]> {
  const received: Received[] = [];
  const first = await fetchInto(received, {source, deps, signal, max: firstMessagesMax});
  const samples = countSamples(received);
  if (first.count < firstMessagesMax || signal.aborted) return received;
  // Whole hours of samples are many enough as they are.
  const roomFor = Math.floor((samplesPerTransactionMax - samples) / (samples / first.count));
  const max = Math.min(first.pending, roomFor, messagesPerTransactionMax - firstMessagesMax);
  if (max > 0) await fetchInto(received, {source, deps, signal, max});
  return received;
}

type Fetch = {
  readonly source: Consumer;
  readonly deps: MetricsWorkerDeps;
  readonly signal: AbortSignal;
  readonly max: number;
};

/** Gives how many came, and how many were waiting then. */
async function fetchInto(
  received: Received[],
  {source, deps: {count, log}, signal, max}: Fetch,
): Promise<{readonly count: number; readonly pending: number}> {
  const messages = await source.fetch({max_messages: max, expires: fetchMs});
  const stop = () => void messages.close();
  signal.addEventListener('abort', stop, {once: true});
  let [fetched, pending] = [0, 0];
  try {
    for await (const message of messages) {
      fetched++;
      if (fetched === max) ({pending} = message.info);
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
  return {count: fetched, pending};
}

const countSamples = (received: readonly Received[]): number =>
  received.reduce((sum, {report}) => sum + report.samples.length, 0);

/** Of one transaction at most, or one message. */
function* splitBySamples(received: readonly Received[]): Generator<readonly Received[]> {
  let some: Received[] = [];
  let samples = 0;
  for (const one of received) {
    const own = one.report.samples.length;
    if (some.length > 0 && samples + own > samplesPerTransactionMax) {
      yield some;
      [some, samples] = [[], 0];
    }
    some.push(one);
    samples += own;
  }
  if (some.length > 0) yield some;
}

/** The report, or why it is none. */
function decode(message: JsMsg): Omit<Received, 'message'> | string {
  const receiveTime = message.time;
  const plain = readPlainReport(message.data);
  if (plain && message.subject === subjects.agentReport(plain.machineId, kind)) {
    const {reportId, machineId, session, firstSequence, samples} = plain;
    return {reportId, report: {machineId, session, firstSequence, samples, receiveTime}};
  }
  const parsed = parseReport(message);
  if (typeof parsed === 'string') return parsed;
  const {machineId, report} = parsed;
  const batch = batchOf(report);
  if (typeof batch === 'string') return batch;
  return {reportId: report.reportId, report: {machineId, ...batch, receiveTime}};
}

function batchOf({
  body,
}: AgentReport): Pick<MetricsReport, 'session' | 'firstSequence' | 'samples'> | string {
  if (body.case !== 'metrics' && body.case !== 'metricsColumns') return 'it holds no metrics';
  const {session, firstSequence} = body.value;
  if (firstSequence > BigInt(sequenceMax)) return 'its sequence number is too large';
  const samples =
    body.case === 'metrics'
      ? body.value.samples.map(fromMetricsMessage)
      : fromColumnsMessage(body.value);
  if (!samples) return 'its columns contradict each other';
  return {
    session: session.replaceAll('\0', '\uFFFD'),
    firstSequence: Number(firstSequence),
    samples,
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
