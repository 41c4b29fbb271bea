import {DomainError} from '../errors.ts';
import type {Database} from '../store/db.ts';
import {
  deleteSessionsBefore,
  listClockSkews,
  listLatestSamples,
  type Measurements,
  type Sample,
  type SessionKey,
} from '../store/metrics.ts';
import {seesEverything} from '../store/scope.ts';
import type {Aggregation} from './metrics-buckets.ts';
import {createMetricsHistory, type HistoryEntry} from './metrics-history.ts';
import {createMetricsIntake, storeUnnumbered} from './metrics-intake.ts';
import {createMetricsRollups, type Retention, rowsKeptMs} from './metrics-rollups.ts';
import {storeNumbered} from './metrics-sessions.ts';
import {parseDurationMs, parseMoment} from './moments.ts';

export type {Measurements, Sample} from '../store/metrics.ts';

const dayMs = 24 * 3_600_000;
/** An agent that was cut off buffers no longer than this. */
const sampleAgeMsMax = dayMs;
/** A script's host may be a little ahead. */
const clockDifferenceMsMax = 5 * 60_000;
const listedDefault = 1000;
/** Another server may have stored a newer one since. */
const latestFreshMs = 15_000;
const latestMax = 100_000;
/** What is known of devices, at most so much older than the sample it is told with. */
const devicesWithinMs = 300_000;
const sessionsKeptMs = 2 * dayMs;
const submittedSession = 'submitted';

/** Samples that stay columns until they are stored: as objects they cost more than all the rest. */
export type PackedSamples = {
  readonly length: number;
  readonly unpack: (machineId: string, toServerMs: (timeMs: number) => number) => readonly Sample[];
};

/** Samples as an agent sent them: `time` is by its clock, sequence numbers follow one by one. */
export type MetricsReport = SessionKey & {
  readonly firstSequence: number;
  readonly samples: readonly (Measurements & {readonly time: Date | undefined})[] | PackedSamples;
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
  return time ? new Date(correctMs(time.getTime(), clockSkewMs, received.getTime())) : received;
}

function correctMs(timeMs: number, clockSkewMs: number, receivedMs: number): number {
  const corrected = timeMs - clockSkewMs;
  const ageMs = receivedMs - corrected;
  return ageMs < 0 || ageMs > sampleAgeMsMax ? receivedMs : corrected;
}

/** By the server's clock. */
function samplesOf(
  {machineId, samples, receiveTime}: MetricsReport,
  clockSkewMs: number,
): readonly Sample[] {
  const receivedMs = receiveTime.getTime();
  if ('unpack' in samples)
    return samples.unpack(machineId, timeMs => correctMs(timeMs, clockSkewMs, receivedMs));
  return samples.map(sample => ({
    ...sample,
    machineId,
    time: correctTime(sample.time, clockSkewMs, receiveTime),
  }));
}

export type MetricsQuery = {
  readonly machineId: string;
  /** Durations back from now, or times; empty are 24 hours ago and now. */
  readonly since: string;
  readonly until: string;
  /** 0 is 1000. */
  readonly limit: number;
  /** A duration; empty: the samples themselves. */
  readonly step: string;
  readonly aggregation: Aggregation;
};

export type MetricsStore = ReturnType<typeof createMetrics>;

export function createMetrics({
  sql,
  now,
  retention,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly retention: Retention;
}) {
  const rollups = createMetricsRollups({sql, now, retention});
  const history = createMetricsHistory({sql, rollups});
  const takeIn = createMetricsIntake({now, rollups});
  const latest = new Map<string, {readonly sample: Sample; readonly storedMs: number}>();

  async function ensureDays(times: readonly Date[]): Promise<void> {
    const days = new Map(times.map(time => [Math.floor(time.getTime() / dayMs), time]));
    for (const time of days.values()) await rollups.ensureDay(time);
  }

  /** Samples of a machine stand together: it is looked up once. */
  function remember(samples: readonly Sample[]): void {
    const storedMs = performance.now();
    for (let at = 0; at < samples.length;) {
      const machineId = samples[at]?.machineId ?? '';
      const known = latest.get(machineId)?.sample;
      let [sample, devicesFrom] = [known, known];
      for (; samples[at]?.machineId === machineId; at++) {
        const next = samples[at];
        if (!next || (sample && sample.time > next.time)) continue;
        sample = next;
        if (next.devices) devicesFrom = next;
      }
      if (!sample || sample === known) continue;
      latest.delete(machineId);
      latest.set(machineId, {sample: withDevices(sample, devicesFrom), storedMs});
    }
    for (const machineId of latest.keys()) {
      if (latest.size <= latestMax) break;
      latest.delete(machineId);
    }
  }

  /** What is remembered is not asked for by whom it may be seen. */
  function recall(machineId: string): Sample | undefined {
    const known = seesEverything() ? latest.get(machineId) : undefined;
    return known && performance.now() - known.storedMs < latestFreshMs ? known.sample : undefined;
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
        samples: samplesOf(report, skews.get(report.machineId) ?? 0),
      }));
      await ensureDays(timed.flatMap(({samples}) => samples.map(({time}) => time)));

      const samples = await sql.begin(tx => storeNumbered(tx, timed, now()));
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
      await sql.begin(tx => storeUnnumbered(tx, submittedSession, [sample], received));
      remember([sample]);
      return sample;
    },

    takeIn,

    /** Throws not_found: no such machine, or no sample of it. */
    async latest(machineId: string): Promise<Sample> {
      const known = recall(machineId);
      if (known) return known;
      const time = now();
      const [row] = await listLatestSamples(sql, [machineId], {
        since: new Date(time.getTime() - rowsKeptMs),
        devicesWithinMs,
      });
      if (row) return row;
      const since = new Date(time.getTime() - retention.samplesDays * dayMs);
      const plain = {stepMs: undefined, aggregation: 'average', limit: 1} as const;
      const [packed] = await history.read({machineId, since, until: time, ...plain});
      if (packed) return packed;
      await assertMachine(machineId);
      throw new DomainError(
        'not_found',
        `Cannot find metrics of machine "${machineId}": none were reported in the last ${retention.samplesDays} days`,
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
        const known = recall(machineId);
        if (known) found.set(machineId, known);
        else missing.push(machineId);
      }
      const samples = await listLatestSamples(sql, missing, {since, devicesWithinMs});
      if (seesEverything()) remember(samples);
      for (const sample of samples) found.set(sample.machineId, sample);
      return found;
    },

    /** Newest first. Throws not_found for an unknown machine, invalid_argument. */
    async list(query: MetricsQuery): Promise<readonly HistoryEntry[]> {
      const {machineId, aggregation} = query;
      const time = now();
      const since = parseMoment(query.since, time, new Date(time.getTime() - dayMs));
      // A script's sample may be a little ahead.
      const latestTime = new Date(time.getTime() + clockDifferenceMsMax);
      const until = parseMoment(query.until, time, latestTime);
      const stepMs = query.step === '' ? undefined : parseDurationMs(query.step);
      if (stepMs === 0)
        throw new DomainError('invalid_argument', 'Cannot aggregate by a step of 0: say "1m"');
      await assertMachine(machineId);
      const limit = query.limit || listedDefault;
      return history.read({machineId, since, until, stepMs, aggregation, limit});
    },

    /** Packs and aggregates the hours that are over. */
    rollUp: (signal?: AbortSignal) => rollups.rollUp(signal),

    /** Makes partitions ahead, and drops what is older than its retention. Gives what was dropped. */
    async maintain(): Promise<readonly string[]> {
      await deleteSessionsBefore(sql, new Date(now().getTime() - sessionsKeptMs));
      return rollups.maintain();
    },
  };
}

/** Agents tell of devices once a minute: what they said last holds until then. */
function withDevices(sample: Sample, before: Sample | undefined): Sample {
  const ageMs = before ? sample.time.getTime() - before.time.getTime() : Infinity;
  return sample.devices || !before?.devices || ageMs > devicesWithinMs
    ? sample
    : {...sample, devices: before.devices};
}

function badTime(time: Date): DomainError {
  return new DomainError(
    'invalid_argument',
    `Cannot store metrics of "${time.toISOString()}": the time must be within the last 24 hours`,
  );
}
