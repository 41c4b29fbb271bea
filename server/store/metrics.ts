import type {Sql} from './db.ts';
import {machineInScope, sinceAssigned} from './scope.ts';

/** What could not be read is undefined, never zero. Counters are whole numbers below 2^53. */
export type Measurements = {
  readonly cpuUsagePercent?: number | undefined;
  readonly memoryUsedBytes?: number | undefined;
  readonly memoryTotalBytes?: number | undefined;
  readonly diskUsedBytes?: number | undefined;
  readonly diskTotalBytes?: number | undefined;
  readonly networkRxBytes?: number | undefined;
  readonly networkTxBytes?: number | undefined;
  readonly load1?: number | undefined;
  readonly load5?: number | undefined;
  readonly load15?: number | undefined;
  /** Degrees Celsius. */
  readonly temperature?: number | undefined;
  readonly powerState?: string | undefined;
  /** Seconds since boot. */
  readonly uptime?: number | undefined;
  /** What each device measured, by "kind/field/name" ("interface/rx_bytes/eth0"). */
  readonly devices?: Devices | undefined;
};

export type Devices = Readonly<Record<string, number>>;

export type Sample = Measurements & {readonly machineId: string; readonly time: Date};

export type SessionKey = {readonly machineId: string; readonly session: string};

export type SessionState = SessionKey & {
  /** Closed ranges of sequence numbers, ascending. */
  readonly received: readonly (readonly [first: number, last: number])[];
  /** Hours since 1970 whose samples of this session are in no roll-up yet. */
  readonly openHours: readonly number[];
};

type Row = {readonly [K in keyof Required<Sample>]: Sample[K] | string | null};

const counters: ReadonlySet<string> = new Set<keyof Measurements>([
  'memoryUsedBytes',
  'memoryTotalBytes',
  'diskUsedBytes',
  'diskTotalBytes',
  'networkRxBytes',
  'networkTxBytes',
]);

export type SampleRange = {
  readonly machineId: string;
  readonly since: Date;
  /** Not included. */
  readonly until: Date;
  readonly limit: number;
};

/** Newest first. */
export async function listSamples(sql: Sql, range: SampleRange): Promise<readonly Sample[]> {
  const rows = await sql<Row[]>`
    select * from metrics where machine_id = ${range.machineId} and time >= ${range.since} and time < ${range.until}
      and ${sinceAssigned(sql, sql`metrics.machine_id`, sql`metrics.time`)}
    order by time desc limit ${range.limit}
  `;
  return rows.map(toSample);
}

/** Of these samples those whose machine and time are stored. */
export async function listTimes(
  sql: Sql,
  samples: readonly Pick<Sample, 'machineId' | 'time'>[],
): Promise<readonly Pick<Sample, 'machineId' | 'time'>[]> {
  const keys = samples.map(({machineId, time}) => ({machineId, time}));
  return sql<{machineId: string; time: Date}[]>`
    select metrics.machine_id, metrics.time from metrics
    join json_to_recordset(${JSON.stringify(keys)}::text::json) as key ("machineId" uuid, "time" timestamptz)
      on metrics.machine_id = key."machineId" and metrics.time = key.time
  `;
}

/** The newest sample of each of these machines, when there is one since then, with the last that was said of devices shortly before. */
export async function listLatestSamples(
  sql: Sql,
  machineIds: readonly string[],
  {since, devicesWithinMs}: {readonly since: Date; readonly devicesWithinMs: number},
): Promise<readonly Sample[]> {
  if (machineIds.length === 0) return [];
  const inScope = sinceAssigned(sql, sql`metrics.machine_id`, sql`metrics.time`);
  const rows = await sql<(Row & {readonly lastDevices: string | null})[]>`
    select sample.*, (
      select devices from metrics where machine_id = wanted.id::uuid and devices is not null
        and ${inScope} and time <= sample.time and time >= sample.time - make_interval(secs => ${devicesWithinMs / 1000})
      order by time desc limit 1
    ) as last_devices
    from unnest(${machineIds}::text[]) as wanted (id)
    cross join lateral (
      select * from metrics where machine_id = wanted.id::uuid and time >= ${since} and ${inScope}
      order by time desc limit 1
    ) as sample
  `;
  return rows.map(({lastDevices, ...row}) => toSample({...row, devices: lastDevices}));
}

/**
 * Which samples of each session are stored. Locks the sessions until the transaction ends, in one order, so that two servers wait for each
 * other rather than block each other for good.
 */
export async function lockSessions(
  sql: Sql,
  keys: readonly SessionKey[],
  now: Date,
): Promise<readonly SessionState[]> {
  if (keys.length === 0) return [];
  const json = JSON.stringify(keys);
  await sql`
    insert into metrics_sessions (machine_id, session, update_time)
    select "machineId", session, ${now} from json_to_recordset(${json}::text::json) as key ("machineId" uuid, session text)
    order by 1, 2
    on conflict do nothing
  `;
  return sql<SessionState[]>`
    select machine_id, metrics_sessions.session, received, open_hours from metrics_sessions
    join json_to_recordset(${json}::text::json) as key ("machineId" uuid, session text)
      on machine_id = key."machineId" and metrics_sessions.session = key.session
    order by machine_id, metrics_sessions.session
    for update of metrics_sessions
  `;
}

export async function updateSessions(
  sql: Sql,
  sessions: readonly SessionState[],
  now: Date,
): Promise<void> {
  if (sessions.length === 0) return;
  await sql`
    update metrics_sessions set received = key.received, open_hours = key."openHours", update_time = ${now}
    from json_to_recordset(${JSON.stringify(sessions)}::text::json)
      as key ("machineId" uuid, session text, received jsonb, "openHours" jsonb)
    where machine_id = key."machineId" and metrics_sessions.session = key.session
  `;
}

export async function deleteSessionsBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from metrics_sessions where update_time < ${time} and open_hours = '[]'`;
}

/** Device clock minus server clock of those of these machines that exist; 0 when it is not known. */
export async function listClockSkews(
  sql: Sql,
  machineIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (machineIds.length === 0) return new Map();
  const rows = await sql<{id: string; skew: string}[]>`
    select id, coalesce(clock_skew_ms, 0) as skew from machines
    where id in ${sql(machineIds)} and ${machineInScope(sql)}
  `;
  return new Map(rows.map(({id, skew}) => [id, Number(skew)]));
}

function toSample({devices, ...row}: Row): Sample {
  const values = Object.entries(row).flatMap(([name, value]) =>
    value === null ? [] : [[name, counters.has(name) ? Number(value) : value]],
  );
  const sample = Object.fromEntries(values) as Sample;
  return typeof devices === 'string'
    ? {...sample, devices: JSON.parse(devices) as Devices}
    : sample;
}
