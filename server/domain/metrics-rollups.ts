import type {Database, Sql} from '../store/db.ts';
import {listSamples} from '../store/metrics.ts';
import {
  deleteHoursBefore,
  findFirstOpenHour,
  hourOf,
  lockSessionsWithOpenHours,
  type OpenSession,
  packedTables,
  savePackedHours,
  setOpenHours,
  startOfHour,
} from '../store/metrics-history.ts';
import {
  createPartition,
  dayOf,
  dropPartitionsBefore,
  listPartitionDays,
  type PartitionedTable,
} from '../store/metrics-partitions.ts';
import {packPoints} from './metrics-packs.ts';
import {toPoint} from './metrics-points.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** After its end: most samples of an hour have come then, and those that come later open it again. */
const graceMs = minuteMs;
const sessionsAtATimeMax = 50;
const samplesPerHourMax = 20_000;
/** A sample is at most a day old when it comes, and waits a day in the stream at most (docs/bus.md); rows are kept for an hour longer. */
export const rowsKeptMs = 2 * dayMs + hourMs;
/** Rows that cannot be packed are kept for so many days more than samples. */
const rowDaysMax = 3;

export type Retention = {
  readonly samplesDays: number;
  readonly minutesDays: number;
  readonly hoursDays: number;
};

export type MetricsRollups = ReturnType<typeof createMetricsRollups>;

/**
 * Packs the samples of hours that are over, and makes their aggregates of a minute and of the hour. Always from all samples of that machine and
 * hour: whatever comes late or twice, doing it again gives what is right.
 */
export function createMetricsRollups({
  sql,
  now,
  retention,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly retention: Retention;
}) {
  const knownDays = new Set<string>();

  async function ensureDay(table: PartitionedTable, time: Date): Promise<void> {
    const key = `${table} ${dayOf(time)}`;
    if (knownDays.has(key)) return;
    await createPartition(sql, table, time);
    knownDays.add(key);
  }

  async function ensurePackedDay(time: Date): Promise<void> {
    await ensureDay('metrics_chunks', time);
    await ensureDay('metrics_minutes', time);
  }

  async function drop(
    table: PartitionedTable,
    findTime: (tx: Sql) => Promise<Date> | Date,
  ): Promise<readonly string[]> {
    const dropped = await dropPartitionsBefore(sql, table, findTime);
    for (const name of dropped) knownDays.delete(`${table} ${name.slice(-8)}`);
    return dropped;
  }

  /** One batch; how many machine-hours it was. */
  async function rollUpSome(): Promise<number> {
    const before = hourOf(new Date(now().getTime() - graceMs));
    const waiting = await findFirstOpenHour(sql);
    if (waiting === undefined || waiting >= before) return 0;
    for (const time of daysOf(startOfHour(waiting), startOfHour(before)))
      await ensurePackedDay(time);
    return sql.begin(async tx => {
      const sessions = await lockSessionsWithOpenHours(tx, before, sessionsAtATimeMax);
      const due = hoursOf(sessions, before);
      for (const {machineId, hour} of due) await rollUpHour(tx, machineId, hour);
      await setOpenHours(
        tx,
        sessions.map(session => ({
          ...session,
          openHours: session.openHours.filter(hour => hour >= before),
        })),
      );
      return due.length;
    });
  }

  return {
    /** All hours that are over; how many machine-hours that were. */
    async rollUp(signal?: AbortSignal): Promise<number> {
      let total = 0;
      for (;;) {
        const count = await rollUpSome();
        total += count;
        if (count === 0 || signal?.aborted) return total;
      }
    },

    /** Makes the partitions of the next days, and drops what is older than its retention. Gives what was dropped. */
    async maintain(): Promise<readonly string[]> {
      const time = now();
      const ago = (ms: number) => new Date(time.getTime() - ms);
      for (const table of ['metrics', 'metrics_chunks', 'metrics_minutes'] as const)
        for (const days of [-1, 0, 1, 2]) await ensureDay(table, ago(-days * dayMs));

      // Whole days, when no sample of them can come any more and all are packed; whatever happens, not for ever.
      const rowsBefore = async (tx: Sql) => {
        const open = await findFirstOpenHour(tx);
        const packed = open === undefined ? time : startOfHour(open);
        return new Date(
          Math.max(
            Math.min(ago(rowsKeptMs).getTime(), packed.getTime()),
            ago((retention.samplesDays + rowDaysMax) * dayMs).getTime(),
          ),
        );
      };
      const {samplesDays, minutesDays, hoursDays} = retention;
      const dropped = [
        ...(await drop('metrics', rowsBefore)),
        ...(await drop('metrics_chunks', () => ago(samplesDays * dayMs))),
        ...(await drop('metrics_minutes', () => ago(minutesDays * dayMs))),
      ];
      await deleteHoursBefore(sql, ago(hoursDays * dayMs));
      return dropped;
    },

    ensureDay: (time: Date) => ensureDay('metrics', time),
    ensurePackedDay,

    /** Since when there are rows of samples; what is older is packed. */
    async firstRowTime(tx: Sql = sql): Promise<Date> {
      const [day] = await listPartitionDays(tx, 'metrics');
      return day
        ? new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`)
        : now();
    },
  };
}

function* daysOf(from: Date, to: Date): Generator<Date> {
  for (let ms = Math.floor(from.getTime() / dayMs) * dayMs; ms <= to.getTime(); ms += dayMs)
    yield new Date(ms);
}

function hoursOf(
  sessions: readonly OpenSession[],
  before: number,
): readonly {readonly machineId: string; readonly hour: number}[] {
  const found = new Map<string, {machineId: string; hour: number}>();
  for (const {machineId, openHours} of sessions)
    for (const hour of openHours)
      if (hour < before) found.set(`${machineId} ${hour}`, {machineId, hour});
  return [...found.values()];
}

async function rollUpHour(tx: Sql, machineId: string, hour: number): Promise<void> {
  const samples = await listSamples(tx, {
    machineId,
    since: startOfHour(hour),
    until: startOfHour(hour + 1),
    limit: samplesPerHourMax,
  });
  if (samples.length === 0) return;
  const packs = packPoints(samples.map(toPoint));
  for (const table of packedTables)
    await savePackedHours(tx, table, [
      {machineId, hour, sampleCount: samples.length, data: packs[table]},
    ]);
}
