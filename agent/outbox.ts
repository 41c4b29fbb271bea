import type {
  AgentHelloJson,
  AgentReportJson,
  CommandResultJson,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {backoffMs} from './waits.ts';

/** Results that the server has not confirmed. At this number the agent takes no further command: a result is never dropped. */
export const resultCountMax = 256;
const resend = {firstMs: 5000, longestMs: 300_000} as const;

export type ReportKind = 'hello' | 'inventory' | 'result' | 'metrics';

export type Report = {
  readonly reportId: string;
  readonly kind: ReportKind;
  readonly body: Pick<AgentReportJson, ReportKind | 'metricsColumns'>;
  /** To be sent in the form that every server knows. */
  readonly isPlain?: boolean;
};

type Entry = Report & {sentCount: number; dueMs: number};

/**
 * Whether what was sent so often is sent in the form that every server knows: the second time, the sixth and so on. A server of before a shorter form
 * sends no receipt for that.
 */
export const isPlainTurn = (sentCount: number): boolean => sentCount % 4 === 1;

/**
 * Reports that the server has not confirmed: the last hello, the last inventory (a newer one replaces it), and every command result. Pure
 * state: times are those of a monotonic clock, handed in. Size: resultCountMax results, one hello, one inventory of at most
 * `inventoryBytesMax` (inventory/limits.ts). Metrics have their own buffer (metrics-buffer.ts).
 */
export function createOutbox(newId: () => string, random: () => number = Math.random) {
  let hello: Entry | undefined;
  let inventory: Entry | undefined;
  const results = new Map<string, Entry>();
  const waiting = new Map<string, () => void>();

  const entry = (kind: ReportKind, body: Report['body']): Entry => ({
    reportId: newId(),
    kind,
    body,
    sentCount: 0,
    dueMs: 0,
  });
  const entries = (): Entry[] =>
    [hello, ...results.values(), inventory].filter(item => item !== undefined);

  return {
    putHello(body: AgentHelloJson): void {
      hello = entry('hello', {hello: body});
    },
    putInventory(body: HardwareJson): void {
      inventory = entry('inventory', {inventory: body});
    },
    /** The new report's id. */
    putResult(body: CommandResultJson): string {
      const added = entry('result', {result: body});
      results.set(added.reportId, added);
      return added.reportId;
    },
    /** Sends a result again: its command came once more, so the server does not have it. */
    putBack(report: Report): void {
      results.set(report.reportId, {...report, sentCount: 0, dueMs: 0});
    },
    hasRoomForResult: (): boolean => results.size < resultCountMax,
    find: (reportId: string): Report | undefined => results.get(reportId),

    /** What to send now, hello first. */
    due: (nowMs: number): Report[] =>
      entries()
        .filter(item => item.dueMs <= nowMs)
        .map(({reportId, kind, body, sentCount}) => ({
          reportId,
          kind,
          body,
          isPlain: isPlainTurn(sentCount),
        })),
    markSent(report: Report, nowMs: number): void {
      const sent = entries().find(item => item.reportId === report.reportId);
      if (!sent) return;
      sent.dueMs = nowMs + backoffMs(sent.sentCount, resend, random());
      sent.sentCount++;
    },
    /** After a new connection: whatever was under way may be lost. */
    makeAllDue(): void {
      for (const item of entries()) {
        item.sentCount = 0;
        item.dueMs = 0;
      }
    },
    confirm(reportId: string): void {
      if (hello?.reportId === reportId) hello = undefined;
      if (inventory?.reportId === reportId) inventory = undefined;
      results.delete(reportId);
      waiting.get(reportId)?.();
    },
    /** Results of commands to another machine id mean nothing any more. */
    dropResults: (): void => results.clear(),

    /** Whether the server confirmed the report in time. */
    async waitForReceipt(reportId: string, timeoutMs: number): Promise<boolean> {
      if (!results.has(reportId)) return true;
      const {promise, resolve} = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), timeoutMs);
      waiting.set(reportId, () => resolve(true));
      const confirmed = await promise;
      clearTimeout(timer);
      waiting.delete(reportId);
      return confirmed;
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;
