import {isDatabaseUnavailable, type Sql} from '../store/db.ts';
import {
  confirmUnchanged,
  dropReport,
  hasDueReport,
  keepReports,
  postponeReport,
  type ReceivedReport,
  takeNextReport,
  tallyWaiting,
  type WaitingReport,
} from '../store/hardware-intake.ts';
import type {Deps} from './deps.ts';
import {factsVersion} from './hardware.ts';
import {isNotPacked, pack, unpack} from './packing.ts';

export type {IntakeTally, ReceivedReport, WaitingReport} from '../store/hardware-intake.ts';

/** Of one machine. An agent has one report under way; who sends more distinct ones than that within seconds tells nothing that anybody could act on. */
export const waitingOfMachineMax = 32;
const reportBytesMax = 1024 * 1024;
/** A report that still cannot be taken in then, with a database that works, is given up. */
const failuresMax = 6;
const firstWaitMs = 1000;

/**
 * What became of a report at its receipt. `confirmed`: it says what its machine said last. `kept`: it waits to be taken in, `superseding`: in place of the
 * one before it. `repeated`: it was received before, or there is no such machine.
 */
export type Received = 'confirmed' | 'kept' | 'superseding' | 'repeated';

/** A report as it was sent. */
export type ReportBytes = {
  readonly bytes: Uint8Array;
  /** With zstd, by the sender: it may be anything. */
  readonly isPacked: boolean;
};

/** Takes a report in, in this transaction; a sentence when it is none. */
export type TakeIn = (
  tx: Sql,
  report: WaitingReport,
  data: Uint8Array,
) => Promise<string | undefined>;

/** What became of a report that waited. */
export type Taken = {
  readonly report: Pick<WaitingReport, 'machineId' | 'reportId'>;
  /** Why it was dropped, unless it was taken in. */
  readonly junk?: string | undefined;
  /** Why it is tried again, or given up. */
  readonly failure?: {readonly error: unknown; readonly isLast: boolean};
};

export type HardwareIntake = ReturnType<typeof createHardwareIntake>;

/** Receiving an inventory and taking it in are two things: the first is quick and lasts, the second follows in the order of each machine. */
export function createHardwareIntake({sql}: Pick<Deps, 'sql'>) {
  return {
    /** Once this resolves they are known for ever. At most one report of each machine, whose outcome it is. */
    async receive(
      reports: readonly (ReceivedReport & {readonly report: ReportBytes})[],
    ): Promise<ReadonlyMap<string, Received>> {
      const said = await confirmUnchanged(sql, reports, factsVersion);
      const outcomes = new Map<string, Received>();
      for (const {machineId, outcome} of said)
        outcomes.set(machineId, outcome === 'unknown' ? 'repeated' : outcome);
      const unknown = said.filter(({outcome}) => outcome === 'unknown');
      if (unknown.length === 0) return outcomes;

      const others = new Set(unknown.map(({machineId}) => machineId));
      const crowded = new Set(
        unknown
          .filter(({waitingCount}) => waitingCount >= waitingOfMachineMax)
          .map(({machineId}) => machineId),
      );
      const bodies = await Promise.all(
        reports
          .filter(({machineId}) => others.has(machineId))
          .map(async ({report, ...received}) => ({...received, body: await packed(report)})),
      );
      for (const {machineId} of await keepReports(sql, bodies, [...crowded]))
        outcomes.set(machineId, crowded.has(machineId) ? 'superseding' : 'kept');
      return outcomes;
    },

    /** Undefined when there is nothing that can be taken in now. One that fails is tried again, and then nothing of its machine overtakes it. */
    async takeNext(takeIn: TakeIn): Promise<Taken | undefined> {
      let report: WaitingReport | undefined;
      try {
        return await sql.begin(async tx => {
          report = await takeNextReport(tx);
          if (!report) return undefined;
          const data = await unpack(report.body, reportBytesMax).catch(whyNotUnpacked);
          const junk = typeof data === 'string' ? data : await takeIn(tx, report, data);
          return {report, junk};
        });
      } catch (error) {
        if (!report || isDatabaseUnavailable(error)) throw error;
        const isLast = report.failures + 1 >= failuresMax;
        if (isLast) await dropReport(sql, report);
        else await postponeReport(sql, report, firstWaitMs * 2 ** report.failures);
        return {report, failure: {error, isLast}};
      }
    },

    /** Whether one waits for nothing but its turn. */
    hasDue: () => hasDueReport(sql),
    tally: () => tallyWaiting(sql),
  };
}

const packed = async ({bytes, isPacked}: ReportBytes): Promise<Buffer> =>
  isPacked ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : await pack(bytes);

/** Why what a sender packed can never be read; throws what has another cause. */
function whyNotUnpacked(error: unknown): string {
  if (!isNotPacked(error)) throw error;
  return `it cannot be unpacked to ${reportBytesMax} bytes at most: ${error.message}`;
}
