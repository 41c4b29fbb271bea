/** Bucket edges grow by 5 %: a percentile is right to that. */
const growth = Math.log(1.05);
const bucketCount = 400;
const failureKindsMax = 40;
const kindLengthMax = 90;

export type Timing = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** Percentiles of any number of durations in 3 KiB. */
export function createTiming() {
  const buckets = new Float64Array(bucketCount);
  let count = 0;
  let maxMs = 0;
  const percentile = (share: number): number => {
    let left = Math.ceil(count * share);
    for (const [at, size] of buckets.entries()) {
      left -= size;
      if (left <= 0 && count > 0) return Math.min(Math.round(Math.exp((at + 1) * growth)), maxMs);
    }
    return maxMs;
  };
  return {
    add(ms: number): void {
      const at = Math.floor(Math.log(Math.max(1, ms)) / growth);
      const bucket = Math.min(bucketCount - 1, at);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      count++;
      maxMs = Math.max(maxMs, Math.round(ms));
    },
    get: (): Timing => ({count, p50Ms: percentile(0.5), p99Ms: percentile(0.99), maxMs}),
  };
}

export const stages = ['boot', 'enrolment', 'login', 'receipt'] as const;
export type Stage = (typeof stages)[number];

export type Statistics = ReturnType<typeof createStatistics>;

/** What happened to the whole fleet. */
export function createStatistics() {
  const failures = new Map<string, number>();
  const timings = new Map(stages.map(stage => [stage, createTiming()]));
  const counts = {boots: 0, enrolments: 0, logins: 0, hellos: 0, commands: 0, renewals: 0};
  return {
    counts,
    timed(stage: Stage, ms: number): void {
      timings.get(stage)?.add(ms);
    },
    /** By kind: addresses, ids and numbers are left out. */
    failed(what: string): void {
      const kind = kindOf(what);
      const known = failures.has(kind) || failures.size < failureKindsMax ? kind : 'others';
      failures.set(known, (failures.get(known) ?? 0) + 1);
    },
    failures: (): Readonly<Record<string, number>> =>
      Object.fromEntries([...failures].sort(([, a], [, b]) => b - a)),
    timings: (): Readonly<Record<Stage, Timing>> =>
      Object.fromEntries(stages.map(stage => [stage, timings.get(stage)?.get()])) as Record<
        Stage,
        Timing
      >,
  };
}

export function kindOf(what: string): string {
  return what
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '#')
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/\d+(?:\.\d+)*(?::\d+)?/g, '#')
    .slice(0, kindLengthMax);
}
