import type {Point} from './metrics-points.ts';

/** Of one name within one step of time. */
export type Aggregate = {
  readonly count: number;
  readonly min: number;
  readonly sum: number;
  readonly max: number;
};

/** By name; the empty name counts the samples. */
export type Bucket = {readonly timeMs: number; readonly aggregates: ReadonlyMap<string, Aggregate>};

export type Aggregation = 'average' | 'min' | 'max';

export const samplesName = '';
/** Sums of decimals are rounded to this: what is added in another order is the same then. */
const sumsPerUnit = 1e6;

/** One bucket for each step that has points, in the order of time. Times are multiples of the step. */
export function bucketsOf(points: readonly Point[], stepMs: number): readonly Bucket[] {
  return mergeBuckets(
    points.map(({timeMs, values}) => ({
      timeMs,
      aggregates: new Map([
        [samplesName, {count: 1, min: 1, sum: 1, max: 1}],
        ...[...values].map(
          ([name, value]) => [name, {count: 1, min: value, sum: value, max: value}] as const,
        ),
      ]),
    })),
    stepMs,
  );
}

/** Buckets of a larger step that the steps of these divide. */
export function mergeBuckets(buckets: readonly Bucket[], stepMs: number): readonly Bucket[] {
  const merged = new Map<number, Map<string, Aggregate>>();
  for (const {timeMs, aggregates} of buckets) {
    const start = Math.floor(timeMs / stepMs) * stepMs;
    const known = merged.get(start);
    if (!known) {
      merged.set(start, new Map(aggregates));
      continue;
    }
    for (const [name, aggregate] of aggregates) known.set(name, add(known.get(name), aggregate));
  }
  return [...merged]
    .sort(([a], [b]) => a - b)
    .map(([timeMs, aggregates]) => ({timeMs, aggregates: rounded(aggregates)}));
}

function add(known: Aggregate | undefined, other: Aggregate): Aggregate {
  if (!known) return other;
  return {
    count: known.count + other.count,
    min: Math.min(known.min, other.min),
    sum: known.sum + other.sum,
    max: Math.max(known.max, other.max),
  };
}

function rounded(aggregates: ReadonlyMap<string, Aggregate>): ReadonlyMap<string, Aggregate> {
  return new Map(
    [...aggregates].map(([name, aggregate]) => [
      name,
      {...aggregate, sum: roundSum(aggregate.sum)},
    ]),
  );
}

function roundSum(sum: number): number {
  const units = sum * sumsPerUnit;
  return Number.isInteger(sum) || Math.abs(units) >= Number.MAX_SAFE_INTEGER
    ? sum
    : Math.round(units) / sumsPerUnit;
}

/** The value of each name, as asked for. */
export function valuesOf({timeMs, aggregates}: Bucket, aggregation: Aggregation): Point {
  const values = new Map<string, number>();
  for (const [name, {count, min, sum, max}] of aggregates)
    if (name !== samplesName) values.set(name, {average: sum / count, min, max}[aggregation]);
  return {timeMs, values};
}

const parts = ['count', 'min', 'sum', 'max'] as const;

/** For packing: each part of an aggregate is a column. */
export function toPoints(buckets: readonly Bucket[]): readonly Point[] {
  return buckets.map(({timeMs, aggregates}) => ({
    timeMs,
    values: new Map(
      [...aggregates].flatMap(([name, aggregate]) =>
        parts.map(part => [`${part} ${name}`, aggregate[part]] as const),
      ),
    ),
  }));
}

export function fromPoints(points: readonly Point[]): readonly Bucket[] {
  return points.map(({timeMs, values}) => {
    const aggregates = new Map<string, Aggregate>();
    for (const key of values.keys()) {
      const name = key.slice('count '.length);
      if (!key.startsWith('count ')) continue;
      const [count = 0, min = 0, sum = 0, max = 0] = parts.map(part =>
        values.get(`${part} ${name}`),
      );
      aggregates.set(name, {count, min, sum, max});
    }
    return {timeMs, aggregates};
  });
}
