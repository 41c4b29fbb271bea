import {DomainError} from '../errors.ts';
import type {Database} from '../store/db.ts';
import {listSamples, type Sample} from '../store/metrics.ts';
import {
  findFirstOpenHour,
  findSeenSince,
  hourOf,
  listPackedHours,
  type PackedTable,
  startOfHour,
} from '../store/metrics-history.ts';
import {
  type Aggregation,
  type Bucket,
  bucketsOf,
  fromPoints,
  mergeBuckets,
  samplesName,
  valuesOf,
} from './metrics-buckets.ts';
import {decodePoints} from './metrics-chunks.ts';
import {fromPoint, type Point, toPoint} from './metrics-points.ts';
import type {MetricsRollups} from './metrics-rollups.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const samplesMax = 10_000;
/** Of aggregates that must be made of samples: 10,000 of them are a day of an agent. */
const samplesOfAggregatesMax = 100_000;
/** Hours that are unpacked at a time, each some 100 KiB. */
const hoursAtATimeMax = 24;

export type HistoryQuery = {
  readonly machineId: string;
  readonly since: Date;
  readonly until: Date;
  /** Undefined: the samples themselves. */
  readonly stepMs: number | undefined;
  readonly aggregation: Aggregation;
  readonly limit: number;
};

export type HistoryEntry = Sample & {
  /** Of an aggregate. */
  readonly sampleCount?: number;
};

export type MetricsHistory = ReturnType<typeof createMetricsHistory>;

/** What a machine measured: from rows while there are some, else from what was packed; aggregates from roll-ups wherever they fit. */
export function createMetricsHistory({
  sql,
  rollups,
}: {
  readonly sql: Database;
  readonly rollups: Pick<MetricsRollups, 'firstRowTime'>;
}) {
  /** What was packed in these hours, the newest hour first. */
  async function* packedHours(
    table: PackedTable,
    {machineId, since, before}: {machineId: string; since: Date; before: number},
  ): AsyncGenerator<readonly Point[]> {
    let until = before;
    for (;;) {
      const range = {machineId, since: hourOf(since), until, limit: hoursAtATimeMax};
      const hours = await listPackedHours(sql, table, range);
      for (const {data} of hours) yield decodePoints(data);
      const last = hours.at(-1);
      if (!last || hours.length < hoursAtATimeMax) return;
      until = last.hour;
    }
  }

  /** Newest first. */
  async function samples(query: Range & {readonly limit: number}): Promise<readonly Sample[]> {
    const {machineId, since, until, limit} = query;
    const firstRow = await rollups.firstRowTime();
    const rows = await listSamples(sql, {machineId, since: later(since, firstRow), until, limit});
    const found = [...rows];
    const before = Math.min(hourOf(new Date(until.getTime() - 1)) + 1, hourOf(firstRow));
    for await (const points of packedHours('metrics_chunks', {machineId, since, before})) {
      found.push(
        ...points
          .filter(({timeMs}) => timeMs >= since.getTime() && timeMs < until.getTime())
          .map(point => ({machineId, ...fromPoint(point)}))
          .reverse(),
      );
      if (found.length >= limit) break;
    }
    // A day of rows may have been packed and dropped since we looked.
    const moved = (await rollups.firstRowTime()).getTime() !== firstRow.getTime();
    return moved ? samples(query) : found.slice(0, limit);
  }

  async function aggregatesOfSamples(range: Range, stepMs: number): Promise<readonly Bucket[]> {
    if (range.since >= range.until) return [];
    const found = await samples({...range, limit: samplesOfAggregatesMax + 1});
    if (found.length > samplesOfAggregatesMax)
      throw new DomainError(
        'resource_exhausted',
        `Cannot aggregate more than ${samplesOfAggregatesMax} samples: ask for less time, or for a step of whole minutes or hours`,
      );
    return bucketsOf(found.map(toPoint), stepMs);
  }

  /** Of hours that are over from the roll-ups, of the others from samples. In the order of time; the oldest may be missing beyond `limit`. */
  async function aggregates(
    range: Range,
    {stepMs, limit}: {readonly stepMs: number; readonly limit: number},
  ): Promise<readonly Bucket[]> {
    if (stepMs % minuteMs !== 0) return aggregatesOfSamples(range, stepMs);
    const table = stepMs % hourMs === 0 ? 'metrics_hours' : 'metrics_minutes';
    const {machineId, since, until} = range;
    const end = hourOf(new Date(until.getTime() - 1)) + 1;
    const open = Math.min((await findFirstOpenHour(sql, machineId)) ?? end, end);
    let found = await aggregatesOfSamples(
      {...range, since: later(since, startOfHour(open))},
      stepMs,
    );
    for await (const points of packedHours(table, {machineId, since, before: open})) {
      const packed = fromPoints(points).filter(
        ({timeMs}) => timeMs >= since.getTime() && timeMs < until.getTime(),
      );
      found = mergeBuckets([...packed, ...found], stepMs);
      // One more than is wanted: the oldest may go on in the hours before.
      if (found.length > limit) break;
    }
    return found;
  }

  return {
    /** Newest first. Of an aggregate the time is its beginning; the first and the last one are whole, too. */
    async read(query: HistoryQuery): Promise<readonly HistoryEntry[]> {
      const {machineId, stepMs, aggregation} = query;
      const limit = Math.min(query.limit, samplesMax);
      const seenSince = await findSeenSince(sql, machineId);
      if (!seenSince) return [];
      if (stepMs === undefined)
        return samples({...query, since: later(query.since, seenSince), limit});
      const until = Math.ceil(query.until.getTime() / stepMs) * stepMs;
      const since = Math.floor(query.since.getTime() / stepMs) * stepMs;
      // What began before the caller may see it is not shown, whether it was made already or would be of samples.
      const unitMs = [hourMs, minuteMs].find(ms => stepMs % ms === 0) ?? 1;
      const seen = new Date(Math.ceil(seenSince.getTime() / unitMs) * unitMs);
      const range = {machineId, since: later(new Date(since), seen), until: new Date(until)};
      const buckets = await aggregates(range, {stepMs, limit});
      const newest = buckets.toReversed().slice(0, limit);
      return newest.map(bucket => ({
        machineId,
        ...fromPoint(valuesOf(bucket, aggregation)),
        sampleCount: bucket.aggregates.get(samplesName)?.count ?? 0,
      }));
    },
  };
}

type Range = {readonly machineId: string; readonly since: Date; readonly until: Date};

const later = (a: Date, b: Date): Date => (a > b ? a : b);
