import {fromJsonString} from '@bufbuild/protobuf';
import {createValidator} from '@bufbuild/protovalidate';
import type {JsMsg} from '@nats-io/jetstream';
import {type AgentReport, AgentReportSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {type Metrics, MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {isUuid} from '../domain/ids.ts';

export const reportBytesMax = 1024 * 1024;
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

/** Of bodies that say in a short form what another one says. */
const kinds: Partial<Record<NonNullable<AgentReport['body']['case']>, string>> = {
  metricsColumns: 'metrics',
  packedInventory: 'inventory',
};

const kindOf = ({body}: AgentReport) => body.case && (kinds[body.case] ?? body.case);

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
