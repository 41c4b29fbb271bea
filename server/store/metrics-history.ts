import type {Database, Sql} from './db.ts';

const hourMs = 3_600_000;

export const hourOf = (time: Date): number => Math.floor(time.getTime() / hourMs);
export const startOfHour = (hour: number): Date => new Date(hour * hourMs);

export type PackedTable = 'metrics_chunks' | 'metrics_minutes' | 'metrics_hours';

/** What is kept of one machine and hour: its samples, or aggregates of them. */
export type PackedHour = {
  readonly machineId: string;
  /** Since 1970. */
  readonly hour: number;
  readonly sampleCount: number;
  readonly data: Buffer;
};

export type OpenSession = {
  readonly machineId: string;
  readonly session: string;
  readonly openHours: readonly number[];
};

/** Sessions with samples of hours before this one that are in no roll-up; locked until the transaction ends, so that none is stored meanwhile. */
export async function lockSessionsWithOpenHours(
  sql: Sql,
  before: number,
  limit: number,
): Promise<readonly OpenSession[]> {
  return sql<OpenSession[]>`
    select machine_id, session, open_hours from metrics_sessions
    where exists (select from jsonb_array_elements_text(open_hours) as hour where hour::int < ${before})
    order by machine_id, session limit ${limit} for update
  `;
}

export async function setOpenHours(sql: Sql, sessions: readonly OpenSession[]): Promise<void> {
  await sql`
    update metrics_sessions set open_hours = key."openHours"
    from json_to_recordset(${JSON.stringify(sessions)}::text::json)
      as key ("machineId" uuid, session text, "openHours" jsonb)
    where machine_id = key."machineId" and metrics_sessions.session = key.session
  `;
}

/** The first hour of this machine, or of all, with samples that are in no roll-up. */
export async function findFirstOpenHour(sql: Sql, machineId?: string): Promise<number | undefined> {
  const [row] = await sql<{hour: number | null}[]>`
    select min(hour::int) as hour from metrics_sessions, jsonb_array_elements_text(open_hours) as hour
    ${machineId === undefined ? sql`` : sql`where machine_id = ${machineId}`}
  `;
  return row?.hour ?? undefined;
}

/** In place of what was there: the same samples give the same again. */
export async function savePackedHours(
  sql: Sql,
  table: PackedTable,
  hours: readonly PackedHour[],
): Promise<void> {
  if (hours.length === 0) return;
  const rows = hours.map(({machineId, hour, sampleCount, data}) => ({
    machineId,
    hour: startOfHour(hour),
    sampleCount,
    data,
  }));
  await sql`
    insert into ${sql(table)} ${sql(rows)}
    on conflict (machine_id, hour) do update set sample_count = excluded.sample_count, data = excluded.data
  `;
}

export type HourRange = {
  readonly machineId: string;
  readonly since: number;
  /** Not included. */
  readonly until: number;
  readonly limit: number;
};

/** Newest first. */
export async function listPackedHours(
  sql: Sql,
  table: PackedTable,
  {machineId, since, until, limit}: HourRange,
): Promise<readonly PackedHour[]> {
  const rows = await sql<{hour: Date; sampleCount: number; data: Buffer}[]>`
    select hour, sample_count, data from ${sql(table)}
    where machine_id = ${machineId} and hour >= ${startOfHour(since)} and hour < ${startOfHour(until)}
    order by hour desc limit ${limit}
  `;
  return rows.map(row => ({...row, machineId, hour: hourOf(row.hour)}));
}

export async function deleteHoursBefore(sql: Database, time: Date): Promise<number> {
  const result = await sql`delete from metrics_hours where hour < ${time}`;
  return result.count;
}
