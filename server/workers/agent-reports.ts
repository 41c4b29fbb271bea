import {create, fromJsonString, toJsonString} from '@bufbuild/protobuf';
import {createValidator} from '@bufbuild/protovalidate';
import {
  AckPolicy,
  type Consumer,
  type JetStreamClient,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import {nanos, type NatsConnection} from '@nats-io/transport-node';
import {setTimeout as sleep} from 'node:timers/promises';
import {
  AgentCommandSchema,
  type AgentReport,
  AgentReportSchema,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {type Metrics, MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {streams, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {isUuid} from '../domain/ids.ts';
import type {PresenceWriter} from '../domain/presence.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import {type InventoryText, readInventoryText} from './inventory-text.ts';

const durable = 'server-reports';
const readersCount = 4;
const messagesInFlightMax = 8;
const ackWaitMs = 30_000;
const backOffMsMax = 60_000;
const restartMs = 1000;
/** A report that still cannot be handled then, with a database that works, is given up. */
const deliveriesMax = 20;
const reportBytesMax = 1024 * 1024;

/** What became of a report, for the counter. */
export type ReportOutcome = 'committed' | 'repeated' | 'junk' | 'failed' | 'given_up';

/** When a report came, and the digest of an inventory's text. */
export type ReportReceipt = {readonly time: Date; readonly wireSha256: Buffer | undefined};

/** Commits one report; false when it was committed before or there is no such machine. */
export type CommitReport = (
  machineId: string,
  report: AgentReport,
  receipt: ReportReceipt,
) => Promise<boolean>;

/** Commits an inventory whose text is the last one's, unread; undefined when it is another, and nothing was done. */
export type ConfirmReport = (text: InventoryText, time: Date) => Promise<boolean | undefined>;

/**
 * Takes what agents report from the REPORTS stream. The machine is the one in the message's subject, whatever the envelope says; the receipt
 * goes out after the commit. Several servers share one consumer.
 */
export function startAgentReports({
  nats,
  jetstream,
  commit,
  confirm,
  presence,
  count,
  log,
}: {
  readonly nats: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly commit: CommitReport;
  readonly confirm: ConfirmReport;
  readonly presence: PresenceWriter;
  readonly count: (outcome: ReportOutcome, kind: string) => void;
  readonly log: Logger;
}): AsyncDisposable {
  const stop = new AbortController();
  const {signal} = stop;

  async function handle(message: JsMsg): Promise<void> {
    const kind = message.subject.split('.').at(-1) ?? '';
    const text = inventoryText(message);
    if (!text) return readWhole(message, kind, undefined);
    const {machineId, reportId} = text;
    try {
      const isNew = await confirm(text, message.time);
      if (isNew === undefined) await readWhole(message, kind, text);
      else settle(message, {machineId, reportId, kind, isNew});
    } catch (error) {
      fail(message, {machineId, kind, error});
    }
  }

  async function readWhole(
    message: JsMsg,
    kind: string,
    text: InventoryText | undefined,
  ): Promise<void> {
    const parsed = parseReport(message);
    if (typeof parsed === 'string') {
      log.warn(
        {subject: message.subject, bytes: message.data.length, why: parsed},
        'report dropped',
      );
      count('junk', kind);
      message.term();
      return;
    }
    const {machineId, report} = parsed;
    try {
      const receipt = {time: message.time, wireSha256: text?.wireSha256};
      const isNew = await commit(machineId, report, receipt);
      settle(message, {machineId, reportId: report.reportId, kind, isNew});
    } catch (error) {
      fail(message, {machineId, kind, error});
    }
  }

  function settle(message: JsMsg, {machineId, reportId, kind, isNew}: Settled): void {
    presence.seen(machineId, message.time);
    acknowledge(machineId, reportId);
    message.ack();
    count(isNew ? 'committed' : 'repeated', kind);
  }

  /** The agent keeps the report until it hears this; one that is lost is asked for by its next sending. */
  function acknowledge(machineId: string, reportId: string): void {
    const receipt = create(AgentCommandSchema, {
      commandId: reportId,
      machineId,
      operation: {case: 'received', value: {reportIds: [reportId]}},
    });
    nats.publish(
      subjects.command(machineId, 'received'),
      toJsonString(AgentCommandSchema, receipt),
    );
  }

  function fail(message: JsMsg, {machineId, kind, error}: Failure): void {
    const deliveries = message.info.deliveryCount;
    const givenUp = deliveries >= deliveriesMax && !isDatabaseUnavailable(error);
    log[givenUp ? 'error' : 'warn'](
      {err: error, machineId, kind, deliveries},
      'report not committed',
    );
    count(givenUp ? 'given_up' : 'failed', kind);
    if (givenUp) message.term();
    else message.nak(Math.min(1000 * 2 ** (deliveries - 1), backOffMsMax));
  }

  async function read(consumer: Consumer): Promise<void> {
    const messages = await consumer.consume({
      max_messages: messagesInFlightMax,
      abort_on_missing_resource: true,
    });
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
        if (!signal.aborted) log.warn({err: error}, 'reports cannot be read, will try again');
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

type Settled = {
  readonly machineId: string;
  readonly reportId: string;
  readonly kind: string;
  readonly isNew: boolean;
};
type Failure = {readonly machineId: string; readonly kind: string; readonly error: unknown};

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

/** Undefined for other kinds, and for whatever is not written by the machine that the subject names. */
function inventoryText({subject, data}: JsMsg): InventoryText | undefined {
  const [, , , machineId, kind, ...rest] = subject.split('.');
  if (kind !== 'inventory' || rest.length > 0 || data.length > reportBytesMax) return undefined;
  const text = readInventoryText(new TextDecoder().decode(data));
  return text?.machineId === machineId ? text : undefined;
}

const validator = createValidator();

/** A sentence when it is none. Kinds and envelopes must agree: an agent may say what it is, but not who. */
export function parseReport(
  message: Pick<JsMsg, 'subject' | 'data'>,
): {readonly machineId: string; readonly report: AgentReport} | string {
  const [, , , machineId, kind, ...rest] = message.subject.split('.');
  if (!machineId || !isUuid(machineId) || rest.length > 0) return 'the subject names no machine';
  if (message.data.length > reportBytesMax) return `it is larger than ${reportBytesMax} bytes`;
  let report: AgentReport;
  try {
    const text = new TextDecoder('utf-8', {fatal: true}).decode(message.data);
    report = fromJsonString(AgentReportSchema, text, {ignoreUnknownFields: true});
  } catch (error) {
    return `it is no report: ${String(error).slice(0, 200)}`;
  }
  if (report.machineId !== machineId) return 'its envelope names another machine than its subject';
  if (!isUuid(report.reportId)) return 'its report id is no UUID';
  if (kindOf(report) !== kind) return `its body is "${report.body.case ?? ''}"`;
  const checked = validator.validate(AgentReportSchema, report);
  return checked.kind === 'valid'
    ? {machineId, report}
    : `it breaks the contract: ${String(checked.error).slice(0, 200)}`;
}

const kindOf = ({body}: AgentReport) => (body.case === 'metricsColumns' ? 'metrics' : body.case);

/** One sample in proto-JSON; undefined when it breaks the contract. */
export function parseMetrics(json: unknown): Metrics | undefined {
  try {
    const text = JSON.stringify(json);
    const metrics = fromJsonString(MetricsSchema, text, {ignoreUnknownFields: true});
    return validator.validate(MetricsSchema, metrics).kind === 'valid' ? metrics : undefined;
  } catch {
    return undefined;
  }
}
