import type {MetricsJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {toColumns} from './metrics-columns.ts';
import {isPlainTurn, type Report} from './outbox.ts';
import {backoffMs} from './waits.ts';

/** As muster.v1.MetricsBatch allows. */
export const samplesPerBatchMax = 360;
/** Six hours at a sample every 10 s, about 0.8 MiB. */
export const sampleCountMax = 2160;
const unconfirmedBatchCountMax = 8;
const resend = {firstMs: 15_000, longestMs: 300_000} as const;

/**
 * Samples that the server has not stored yet; the oldest go first when there are too many. One batch is under way at a time, always the
 * oldest samples: the server drops what is older than the last it stored, so order matters. A batch that is sent again has a new id and may hold
 * more samples than before.
 */
export function createMetricsBuffer({
  session,
  newId,
  countMax = sampleCountMax,
  random = Math.random,
}: {
  readonly session: string;
  readonly newId: () => string;
  /** Samples that are held at most. */
  readonly countMax?: number;
  readonly random?: () => number;
}) {
  let samples: MetricsJson[] = [];
  let firstSequence = 1;
  let sentCount = 0;
  let dueMs = 0;
  let droppedCount = 0;
  /** Report id to the sequence after its last sample. Insertion order is age. */
  const unconfirmed = new Map<string, number>();

  const dropFirst = (count: number) => {
    samples = samples.slice(count);
    firstSequence += count;
  };

  return {
    add(sample: MetricsJson): void {
      samples.push(sample);
      if (samples.length <= countMax) return;
      droppedCount += samples.length - countMax;
      dropFirst(samples.length - countMax);
    },
    /** The next batch, when one is due. It counts as sent. */
    take(nowMs: number): Report | undefined {
      if (samples.length === 0 || (unconfirmed.size > 0 && nowMs < dueMs)) return undefined;
      const batch = samples.slice(0, samplesPerBatchMax);
      const about = {session, firstSequence: String(firstSequence)};
      const columns = isPlainTurn(sentCount) ? undefined : toColumns(batch);
      const body = columns
        ? {metricsColumns: {...about, ...columns}}
        : {metrics: {...about, samples: batch}};
      const report: Report = {reportId: newId(), kind: 'metrics', body};
      unconfirmed.set(report.reportId, firstSequence + batch.length);
      const [oldest] = unconfirmed.keys();
      if (unconfirmed.size > unconfirmedBatchCountMax && oldest) unconfirmed.delete(oldest);
      dueMs = nowMs + backoffMs(sentCount, resend, random());
      sentCount++;
      return report;
    },
    makeDue(): void {
      sentCount = 0;
      dueMs = 0;
    },
    confirm(reportId: string): void {
      const nextSequence = unconfirmed.get(reportId);
      if (nextSequence === undefined) return;
      if (nextSequence > firstSequence) dropFirst(nextSequence - firstSequence);
      unconfirmed.clear();
      sentCount = 0;
    },
    /** Given up because too many waited. */
    get droppedCount(): number {
      return droppedCount;
    },
    get sampleCount(): number {
      return samples.length;
    },
  };
}

export type MetricsBuffer = ReturnType<typeof createMetricsBuffer>;
