import {DomainError} from '../errors.ts';
import type {Database, Sql} from '../store/db.ts';
import {
  deleteSessionsBefore,
  insertSamples,
  listClockSkews,
  listLatestSamples,
  listSamples,
  lockSessions,
  type Measurements,
  type Sample,
  type SessionKey,
  updateSessions,
} from '../store/metrics.ts';
import {
  createMetricsPartition,
  dayOf,
  dropMetricsPartitionsBefore,
} from '../store/metrics-partitions.ts';
import {addSequence} from './sequence-ranges.ts';

export type {Measurements, Sample} from '../store/metrics.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** An agent that was cut off buffers no longer than this. */
const sampleAgeMsMax = dayMs;
/** A script's host may be a little ahead. */
const clockDifferenceMsMax = 5 * 60_000;
const listedDefault = 1000;
/** Another server may have stored a newer one since. */
const latestFreshMs = 15_000;
const latestMax = 100_000;
const sessionsKeptMs = 2 * dayMs;

/** Samples as an agent sent them: `time` is by its clock, sequence numbers follow one by one. */
export type MetricsReport = SessionKey & {
  readonly firstSequence: number;
  readonly samples: readonly (Measurements & {readonly time: Date | undefined})[];
  readonly receiveTime: Date;
};

export type StoreResult = {
  /** Machines that nobody knows: their reports were left out. */
  readonly unknownMachineIds: ReadonlySet<string>;
  readonly stored: number;
  readonly dropped: number;
};

/**
 * When it was measured, by the server's clock: the machine's clock less its known skew. A time that cannot be (in the future, or older than an
 * agent keeps) is replaced by the time of receipt.
 */
export function correctTime(time: Date | undefined, clockSkewMs: number, received: Date): Date {
  if (!time) return received;
  const corrected = time.getTime() - clockSkewMs;
  const ageMs = received.getTime() - corrected;
  return ageMs < 0 || ageMs > sampleAgeMsMax ? received : new Date(corrected);
}

/** "24h", "90m", "30s", "7d"; empty is 24 hours. Throws invalid_argument. */
export function parseSinceMs(text: string): number {
  const units: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: hourMs, d: dayMs};
  const match = /^(\d{1,6})([smhd])$/.exec(text === '' ? '24h' : text);
  const unitMs = units[match?.[2] ?? ''];
  if (!match || unitMs === undefined)
    throw new DomainError(
      'invalid_argument',
      `Cannot read duration "${text}": use for example "90m", "24h" or "7d"`,
    );
  return Number(match[1]) * unitMs;
}

export type MetricsStore = ReturnType<typeof createMetrics>;

export function createMetrics({
  sql,
  now,
  retentionDays,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly retentionDays: number;
}) {
  const latest = new Map<string, {readonly sample: Sample; readonly storedMs: number}>();
  const knownDays = new Set<string>();

  async function ensureDays(times: readonly Date[]): Promise<void> {
    const missing = new Map(times.map(time => [dayOf(time), time]));
    for (const [day, time] of missing) {
      if (knownDays.has(day)) continue;
      await createMetricsPartition(sql, time);
      knownDays.add(day);
    }
  }

  function remember(samples: readonly Sample[]): void {
    const storedMs = performance.now();
    for (const sample of samples) {
      const known = latest.get(sample.machineId);
      if (known && known.sample.time > sample.time) continue;
      latest.delete(sample.machineId);
      latest.set(sample.machineId, {sample, storedMs});
    }
    for (const machineId of latest.keys()) {
      if (latest.size <= latestMax) break;
      latest.delete(machineId);
    }
  }

  async function assertMachine(machineId: string): Promise<number> {
    const skew = (await listClockSkews(sql, [machineId])).get(machineId.toLowerCase());
    if (skew === undefined)
      throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
    return skew;
  }

  return {
    /** Stores each sample once, however often its report comes, and all of these reports or none. */
    async store(reports: readonly MetricsReport[]): Promise<StoreResult> {
      const skews = await listClockSkews(sql, [
        ...new Set(reports.map(({machineId}) => machineId)),
      ]);
      const known = reports.filter(({machineId}) => skews.has(machineId));
      const timed = known.map(report => ({
        ...report,
        samples: report.samples.map(sample => ({
          ...sample,
          machineId: report.machineId,
          time: correctTime(sample.time, skews.get(report.machineId) ?? 0, report.receiveTime),
        })),
      }));
      await ensureDays(timed.flatMap(({samples}) => samples.map(({time}) => time)));

      const samples = await sql.begin(tx => storeNew(tx, timed, now()));
      remember(samples);
      const sent = known.reduce((sum, report) => sum + report.samples.length, 0);
      const unknown = reports.map(report => report.machineId).filter(id => !skews.has(id));
      return {
        unknownMachineIds: new Set(unknown),
        stored: samples.length,
        dropped: sent - samples.length,
      };
    },

    /** One sample of a script. Throws not_found, and invalid_argument for a time that cannot be. */
    async submit(
      machineId: string,
      {time, ...measurements}: Measurements & {readonly time: Date | undefined},
    ): Promise<Sample> {
      await assertMachine(machineId);
      const received = now();
      const measured = time ?? received;
      const ageMs = received.getTime() - measured.getTime();
      if (ageMs > sampleAgeMsMax || ageMs < -clockDifferenceMsMax) throw badTime(measured);
      const sample = {...measurements, machineId, time: measured};
      await ensureDays([measured]);
      await insertSamples(sql, [sample]);
      remember([sample]);
      return sample;
    },

    /** Throws not_found: no such machine, or no sample of it. */
    async latest(machineId: string): Promise<Sample> {
      const known = latest.get(machineId);
      if (known && performance.now() - known.storedMs < latestFreshMs) return known.sample;
      const since = new Date(now().getTime() - retentionDays * dayMs);
      const [sample] = await listSamples(sql, {machineId, since, limit: 1});
      if (sample) return sample;
      await assertMachine(machineId);
      throw new DomainError(
        'not_found',
        `Cannot find metrics of machine "${machineId}": none were reported in the last ${retentionDays} days`,
      );
    },

    /** The last sample of each of these machines since then; from memory, else from the table: another server may have stored it. */
    async latestOf(
      machineIds: readonly string[],
      since: Date,
    ): Promise<ReadonlyMap<string, Sample>> {
      const found = new Map<string, Sample>();
      const missing: string[] = [];
      for (const machineId of machineIds) {
        const known = latest.get(machineId);
        if (known && performance.now() - known.storedMs < latestFreshMs)
          found.set(machineId, known.sample);
        else missing.push(machineId);
      }
      const samples = await listLatestSamples(sql, missing, since);
      remember(samples);
      for (const sample of samples) found.set(sample.machineId, sample);
      return found;
    },

    /** Newest first. `limit` 0 is 1000. Throws not_found for an unknown machine. */
    async list(machineId: string, since: string, limit: number): Promise<readonly Sample[]> {
      const from = new Date(Math.max(0, now().getTime() - parseSinceMs(since)));
      await assertMachine(machineId);
      return listSamples(sql, {machineId, since: from, limit: limit || listedDefault});
    },

    /** Makes the partitions of the days around now, and drops what is older than the retention. Gives what was dropped. */
    async maintain(): Promise<readonly string[]> {
      const time = now().getTime();
      await ensureDays([-1, 0, 1, 2].map(days => new Date(time + days * dayMs)));
      await deleteSessionsBefore(sql, new Date(time - sessionsKeptMs));
      const dropped = await dropMetricsPartitionsBefore(
        sql,
        new Date(time - Math.max(retentionDays, 2) * dayMs),
      );
      for (const name of dropped) knownDays.delete(name.slice('metrics_'.length));
      return dropped;
    },
  };
}

type TimedReport = Omit<MetricsReport, 'samples'> & {readonly samples: readonly Sample[]};

async function storeNew(tx: Sql, reports: readonly TimedReport[], now: Date): Promise<Sample[]> {
  const keyOf = ({machineId, session}: SessionKey) => `${machineId} ${session}`;
  const keys = new Map(
    reports.map(({machineId, session}) => [keyOf({machineId, session}), {machineId, session}]),
  );
  const locked = await lockSessions(tx, [...keys.values()], now);
  const received = new Map(locked.map(state => [keyOf(state), state.received]));

  const fresh: Sample[] = [];
  for (const report of reports) {
    for (const [index, sample] of report.samples.entries()) {
      const before = received.get(keyOf(report)) ?? [];
      const after = addSequence(before, report.firstSequence + index);
      if (!after) continue;
      received.set(keyOf(report), after);
      fresh.push(sample);
    }
  }
  const moved = locked.flatMap(state => {
    const after = received.get(keyOf(state)) ?? state.received;
    return after === state.received ? [] : [{...state, received: after}];
  });
  await insertSamples(tx, fresh);
  await updateSessions(tx, moved, now);
  return fresh;
}

function badTime(time: Date): DomainError {
  return new DomainError(
    'invalid_argument',
    `Cannot store metrics of "${time.toISOString()}": the time must be within the last 24 hours`,
  );
}
