import {createMetricsBuffer, type MetricsBuffer} from '@muster/agent/metrics-buffer.ts';
import {addRange, type SessionRecord} from './ledger.ts';
import type {Statistics} from './statistics.ts';

const reportsUnderWayMax = 16;

type UnderWay = {readonly first: number; readonly last: number; readonly sentMs: number};

/** The agent's buffer of samples, with a note of what was sent and what the server says it stored. */
export function createCountedMetrics({
  session,
  newId,
  countMax,
  statistics,
}: {
  readonly session: SessionRecord;
  readonly newId: () => string;
  readonly countMax: number;
  readonly statistics: Statistics;
}): MetricsBuffer {
  const buffer = createMetricsBuffer({session: session.id, newId, countMax});
  const underWay = new Map<string, UnderWay>();
  return {
    add(sample) {
      session.made++;
      buffer.add(sample);
    },
    take(nowMs) {
      const report = buffer.take(nowMs);
      const {metrics, metricsColumns} = report?.body ?? {};
      const batch = metrics ?? metricsColumns;
      if (!report || !batch) return report;
      const count = metrics?.samples?.length ?? metricsColumns?.timeMs?.length ?? 0;
      const first = Number(batch.firstSequence);
      const last = first + count - 1;
      underWay.set(report.reportId, {first, last, sentMs: nowMs});
      const [oldest] = underWay.keys();
      if (underWay.size > reportsUnderWayMax && oldest !== undefined) underWay.delete(oldest);
      session.sentThrough = Math.max(session.sentThrough, last);
      return report;
    },
    makeDue: () => buffer.makeDue(),
    confirm(reportId) {
      const sent = underWay.get(reportId);
      if (sent) {
        underWay.delete(reportId);
        session.receipted = addRange(session.receipted, sent.first, sent.last);
        statistics.timed('receipt', performance.now() - sent.sentMs);
      }
      buffer.confirm(reportId);
    },
    get droppedCount() {
      return buffer.droppedCount;
    },
    get sampleCount() {
      return buffer.sampleCount;
    },
  };
}
