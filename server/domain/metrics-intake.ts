import type {Sql} from '../store/db.ts';
import {listTimes, lockSessions, type Sample, updateSessions} from '../store/metrics.ts';
import {copySamples} from '../store/metrics-copy.ts';
import {findPackedHours, hourOf, type PackedHour, packedTables} from '../store/metrics-history.ts';
import {keepPartitions} from '../store/metrics-partitions.ts';
import {decodePoints} from './metrics-chunks.ts';
import {addToPackedHours, keyOfHour, packPoints} from './metrics-packs.ts';
import {toPoint} from './metrics-points.ts';
import {type MetricsRollups, rowsKeptMs} from './metrics-rollups.ts';

const dayMs = 86_400_000;
const importedSession = 'imported';

export type TakeIn = {
  readonly dryRun: boolean;
  readonly inTransaction: (work: (tx: Sql) => Promise<number>) => Promise<number>;
};

/**
 * Samples of another system, each machine and time once. Of days that have rows they become rows, and are rolled up as all are. Older ones go where
 * the others of their days are: a row of such a day would hide them, because whatever is packed is read only of days before the first row.
 */
export function createMetricsIntake({
  now,
  rollups,
}: {
  readonly now: () => Date;
  readonly rollups: Pick<MetricsRollups, 'ensureDay' | 'ensurePackedDay' | 'firstRowTime'>;
}) {
  /** Since when samples become rows. Late ones of agents may make rows of days that have none yet, but not before `at`. */
  async function rowsSince(at: number, tx?: Sql): Promise<number> {
    const firstRow = await rollups.firstRowTime(tx);
    return Math.min(Math.floor((at - rowsKeptMs) / dayMs) * dayMs, firstRow.getTime());
  }

  async function ensureDays(samples: readonly Sample[], at: number): Promise<void> {
    const since = await rowsSince(at);
    const days = new Map(samples.map(({time}) => [Math.floor(time.getTime() / dayMs), time]));
    for (const time of days.values()) {
      // Both: that day's rows may be dropped before they are written.
      await rollups.ensurePackedDay(time);
      if (time.getTime() >= since) await rollups.ensureDay(time);
    }
  }

  /** Gives how many are new. */
  return async function takeIn(
    samples: readonly Sample[],
    {dryRun, inTransaction}: TakeIn,
  ): Promise<number> {
    if (samples.length === 0) return 0;
    const received = now();
    // A dry run finds none of those days' samples where the day itself is missing.
    if (!dryRun) await ensureDays(samples, received.getTime());
    return inTransaction(async tx => {
      await keepPartitions(tx);
      const since = await rowsSince(received.getTime(), tx);
      const isRow = ({time}: Sample) => time.getTime() >= since;
      if (!dryRun) await lockSessions(tx, keysOf(samples, importedSession), received);

      const rows = await withoutStored(tx, samples.filter(isRow));
      const packed = await withoutPacked(
        tx,
        samples.filter(sample => !isRow(sample)),
      );
      if (!dryRun) {
        await storeUnnumbered(tx, importedSession, rows, received);
        await pack(tx, packed);
      }
      return rows.length + packed.length;
    });
  };
}

/** Samples that no agent numbered: a session of this name keeps what is to be rolled up. */
export async function storeUnnumbered(
  tx: Sql,
  session: string,
  samples: readonly Sample[],
  now: Date,
): Promise<void> {
  const locked = await lockSessions(tx, keysOf(samples, session), now);
  const hours = Map.groupBy(samples, ({machineId}) => machineId);
  await copySamples(tx, samples);
  await updateSessions(
    tx,
    locked.map(state => {
      const added = (hours.get(state.machineId) ?? []).map(({time}) => hourOf(time));
      return {...state, openHours: withHours(state.openHours, added)};
    }),
    now,
  );
}

export const withHours = (known: readonly number[], more: readonly number[]): readonly number[] =>
  more.every(hour => known.includes(hour))
    ? known
    : [...new Set([...known, ...more])].sort((a, b) => a - b);

const keysOf = (samples: readonly Sample[], session: string) =>
  [...new Set(samples.map(({machineId}) => machineId))].map(machineId => ({machineId, session}));

async function withoutStored(tx: Sql, samples: readonly Sample[]): Promise<readonly Sample[]> {
  if (samples.length === 0) return [];
  return without(samples, new Set((await listTimes(tx, samples)).map(keyOfSample)));
}

async function withoutPacked(tx: Sql, samples: readonly Sample[]): Promise<readonly Sample[]> {
  if (samples.length === 0) return [];
  const known = new Set<string>();
  for (const {machineId, data} of await findPackedHours(tx, 'metrics_chunks', hoursOf(samples)))
    for (const {timeMs} of decodePoints(data))
      known.add(keyOfSample({machineId, time: new Date(timeMs)}));
  return without(samples, known);
}

/** Each once. */
function without(samples: readonly Sample[], known: ReadonlySet<string>): readonly Sample[] {
  const fresh = new Map(samples.map(sample => [keyOfSample(sample), sample] as const));
  return [...fresh].flatMap(([key, sample]) => (known.has(key) ? [] : [sample]));
}

async function pack(tx: Sql, samples: readonly Sample[]): Promise<void> {
  if (samples.length === 0) return;
  const ofHour = Map.groupBy(samples, sample => keyOfHour(hourKey(sample)));
  const hours = hoursOf(samples).map(key => {
    const own = ofHour.get(keyOfHour(key)) ?? [];
    return {...key, sampleCount: own.length, packs: packPoints(own.map(toPoint))};
  });
  for (const table of packedTables)
    await addToPackedHours(
      tx,
      table,
      hours.map(({packs, ...hour}) => ({...hour, data: packs[table]})),
    );
}

type HourKey = Pick<PackedHour, 'machineId' | 'hour'>;

const hourKey = ({machineId, time}: Sample): HourKey => ({machineId, hour: hourOf(time)});

const hoursOf = (samples: readonly Sample[]): readonly HourKey[] => [
  ...new Map(samples.map(sample => [keyOfHour(hourKey(sample)), hourKey(sample)])).values(),
];

const keyOfSample = ({machineId, time}: Pick<Sample, 'machineId' | 'time'>): string =>
  `${machineId} ${time.getTime()}`;
