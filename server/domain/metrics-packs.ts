import type {Sql} from '../store/db.ts';
import {
  findPackedHours,
  type PackedHour,
  packedTables,
  type PackedTable,
  savePackedHours,
  takeHoursOfBoth,
} from '../store/metrics-history.ts';
import {lockSessionsOf} from '../store/metrics-moves.ts';
import {bucketsOf, fromPoints, mergeBuckets, toPoints} from './metrics-buckets.ts';
import {decodePoints, encodePoints} from './metrics-chunks.ts';
import type {Point} from './metrics-points.ts';

const stepsMs = {metrics_minutes: 60_000, metrics_hours: 3_600_000} as const;

/** The samples of one machine and hour, as they are kept. */
export function packPoints(points: readonly Point[]): Readonly<Record<PackedTable, Buffer>> {
  const ordered = inOrder(points);
  return {
    metrics_chunks: encodePoints(ordered),
    metrics_minutes: encodePoints(toPoints(bucketsOf(ordered, stepsMs.metrics_minutes))),
    metrics_hours: encodePoints(toPoints(bucketsOf(ordered, stepsMs.metrics_hours))),
  };
}

/** Beside what is kept of these hours. Their sessions are locked. */
export async function addToPackedHours(
  tx: Sql,
  table: PackedTable,
  hours: readonly PackedHour[],
): Promise<void> {
  const kept = new Map(
    (await findPackedHours(tx, table, hours)).map(hour => [keyOfHour(hour), hour] as const),
  );
  const joined = hours.map(hour => {
    const known = kept.get(keyOfHour(hour));
    return known ? join(table, known, hour) : hour;
  });
  await savePackedHours(tx, table, joined);
}

/** Two records of one machine become one: hours of which both have something are made one here, so that the others can be moved. */
export async function mergeMetrics(
  tx: Sql,
  {from, to}: {readonly from: string; readonly to: string},
): Promise<void> {
  await lockSessionsOf(tx, [from, to]);
  for (const table of packedTables) {
    const hours = await takeHoursOfBoth(tx, table, {from, to});
    await addToPackedHours(
      tx,
      table,
      hours.map(hour => ({...hour, machineId: to})),
    );
  }
}

export const keyOfHour = ({machineId, hour}: Pick<PackedHour, 'machineId' | 'hour'>): string =>
  `${machineId} ${hour}`;

function join(table: PackedTable, a: PackedHour, b: PackedHour): PackedHour {
  const points = [...decodePoints(a.data), ...decodePoints(b.data)];
  const data =
    table === 'metrics_chunks'
      ? encodePoints(inOrder(points))
      : encodePoints(toPoints(mergeBuckets(fromPoints(points), stepsMs[table])));
  return {...a, sampleCount: a.sampleCount + b.sampleCount, data};
}

const inOrder = (points: readonly Point[]) => points.toSorted((a, b) => a.timeMs - b.timeMs);
