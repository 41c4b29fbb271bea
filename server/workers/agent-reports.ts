import {
  AckPolicy,
  type Consumer,
  type JetStreamClient,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {setTimeout as sleep} from 'node:timers/promises';
import type {AgentReport} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {streams} from '@muster/runtime/bus.ts';
import type {Outages} from '@muster/runtime/log.ts';
import {digestReading, type InventoryText, readInventoryText} from './inventory-text.ts';
import type {InventoryMessage, InventoryReceipts} from './inventory-receipts.ts';
import {parseReport, reportBytesMax} from './parse-report.ts';
import type {ReportSettling} from './report-settling.ts';

const durable = 'server-reports';
const readersCount = 4;
/** Inventories wait for others to be committed with, so more of them are fetched than are read at once. */
const messagesInFlightMax = 16;
const ackWaitMs = 30_000;
const restartMs = 1000;
const what = 'the stream of reports';

/** Commits one report, but no inventory; false when it was committed before or there is no such machine. */
export type CommitReport = (
  machineId: string,
  report: AgentReport,
  receipt: {readonly time: Date},
) => Promise<boolean>;

/**
 * Takes what agents report from the REPORTS stream. The machine is the one in the message's subject, whatever the envelope says; the receipt
 * goes out after the commit. Several servers share one consumer.
 */
export function startAgentReports({
  nats,
  jetstream,
  commit,
  inventories,
  settling,
  outages,
}: {
  readonly nats: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly commit: CommitReport;
  readonly inventories: Pick<InventoryReceipts, 'take'>;
  readonly settling: ReportSettling;
  /** Of the process: all readers wait for the same NATS. */
  readonly outages: Outages;
}): AsyncDisposable {
  const stop = new AbortController();
  const {signal} = stop;

  async function handle(message: JsMsg): Promise<void> {
    const kind = message.subject.split('.').at(-1) ?? '';
    if (kind !== 'inventory') return handleWhole(message, kind);
    const inventory = readEnvelope(message);
    if (typeof inventory === 'string') settling.drop(message, kind, inventory);
    else await inventories.take(inventory);
  }

  async function handleWhole(message: JsMsg, kind: string): Promise<void> {
    const parsed = parseReport(message);
    if (typeof parsed === 'string') return settling.drop(message, kind, parsed);
    const {machineId, report} = parsed;
    try {
      const isNew = await commit(machineId, report, {time: message.time});
      const outcome = isNew ? 'committed' : 'repeated';
      settling.settle(message, {machineId, reportId: report.reportId, kind, outcome});
    } catch (error) {
      settling.fail(message, {machineId, kind, error});
    }
  }

  async function read(consumer: Consumer): Promise<void> {
    const messages = await consumer.consume({
      max_messages: messagesInFlightMax,
      abort_on_missing_resource: true,
    });
    outages.works(what);
    const end = () => messages.stop();
    signal.addEventListener('abort', end, {once: true});
    try {
      for await (const message of messages) {
        if (signal.aborted) break;
        await handle(message);
      }
    } finally {
      signal.removeEventListener('abort', end);
      messages.stop();
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await read(await openConsumer(nats, jetstream));
      } catch (error) {
        if (!signal.aborted)
          outages.failed({what, err: error, message: 'reports cannot be read, will try again'});
      }
      await sleep(restartMs, undefined, {signal}).catch(() => undefined);
    }
  }

  const readers = Array.from({length: readersCount}, run);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(readers);
    },
  };
}

async function openConsumer(nats: NatsConnection, jetstream: JetStreamClient): Promise<Consumer> {
  const manager = await jetstreamManager(nats);
  await manager.consumers.add(streams.REPORTS.name, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 1000,
  });
  return jetstream.consumers.get(streams.REPORTS.name, durable);
}

/** Who says it, and what it is known by; a sentence when it is no report of the machine that the subject names. */
function readEnvelope(message: JsMsg): InventoryMessage | string {
  const text = inventoryText(message);
  if (text) return {message, ...text, report: {bytes: message.data, isPacked: false}};
  const parsed = parseReport(message);
  if (typeof parsed === 'string') return parsed;
  const {
    machineId,
    report: {reportId, body},
  } = parsed;
  if (body.case !== 'packedInventory') {
    const report = {bytes: message.data, isPacked: false};
    return {message, machineId, reportId, wireSha256: undefined, report};
  }
  const {report, wordsSha256} = body.value;
  return {
    message,
    machineId,
    reportId,
    wireSha256: digestReading(wordsSha256),
    report: {bytes: report, isPacked: true},
  };
}

/** Of one that is written as agents write the plain form; that is not read. */
function inventoryText({subject, data}: JsMsg): InventoryText | undefined {
  const [, , , machineId, , ...rest] = subject.split('.');
  if (rest.length > 0 || data.length > reportBytesMax) return undefined;
  const text = readInventoryText(Buffer.from(data.buffer, data.byteOffset, data.length).toString());
  return text?.machineId === machineId ? text : undefined;
}
