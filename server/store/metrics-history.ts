import type {Database, Sql} from './db.ts';
import {machineInScope, ofMachineInScope, seesEverything, sinceAssigned} from './scope.ts';

const hourMs = 3_600_000;

export const hourOf = (time: Date): number => Math.floor(time.getTime() / hourMs);
export const startOfHour = (hour: number): Date => new Date(hour * hourMs);

export const packedTables = ['metrics_chunks', 'metrics_minutes', 'metrics_hours'] as const;

export type PackedTable = (typeof packedTables)[number];

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
    ${
      machineId === undefined
        ? sql``
        : sql`where machine_id = ${machineId} and ${ofMachineInScope(sql, sql`metrics_sessions.machine_id`)}`
    }
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

/**
 * From when on the caller may see what this machine measured; undefined when that is nothing. Within an hour that is packed only whoever unpacks it can
 * keep to it.
 */
export async function findSeenSince(sql: Sql, machineId: string): Promise<Date | undefined> {
  if (seesEverything()) return new Date(0);
  const [row] = await sql<{workspaceTime: Date | null}[]>`
    select workspace_time from machines where id = ${machineId} and ${machineInScope(sql)}
  `;
  return row?.workspaceTime ?? undefined;
}

/** Newest first; of the hour in which it was assigned to the caller's workspace all. */
export async function listPackedHours(
  sql: Sql,
  table: PackedTable,
  {machineId, since, until, limit}: HourRange,
): Promise<readonly PackedHour[]> {
  const rows = await sql<{hour: Date; sampleCount: number; data: Buffer}[]>`
    select hour, sample_count, data from ${sql(table)} as packed
    where machine_id = ${machineId} and hour >= ${startOfHour(since)} and hour < ${startOfHour(until)}
      and ${sinceAssigned(sql, sql`packed.machine_id`, sql`packed.hour + interval '1 hour'`)}
    order by hour desc limit ${limit}
  `;
  return rows.map(row => ({...row, machineId, hour: hourOf(row.hour)}));
}

/** What is kept of these, for whoever writes beside it. */
export async function findPackedHours(
  sql: Sql,
  table: PackedTable,
  keys: readonly Pick<PackedHour, 'machineId' | 'hour'>[],
): Promise<readonly PackedHour[]> {
  if (keys.length === 0) return [];
  const wanted = keys.map(({machineId, hour}) => ({machineId, hour: startOfHour(hour)}));
  const rows = await sql<(Omit<PackedHour, 'hour'> & {hour: Date})[]>`
    select packed.* from ${sql(table)} as packed
    join json_to_recordset(${JSON.stringify(wanted)}::text::json) as key ("machineId" uuid, hour timestamptz)
      on packed.machine_id = key."machineId" and packed.hour = key.hour
  `;
  return rows.map(row => ({...row, hour: hourOf(row.hour)}));
}

/** Deletes those of `from` of hours of which `to` has one, too. */
export async function takeHoursOfBoth(
  sql: Sql,
  table: PackedTable,
  {from, to}: {readonly from: string; readonly to: string},
): Promise<readonly PackedHour[]> {
  const rows = await sql<(Omit<PackedHour, 'hour'> & {hour: Date})[]>`
    delete from ${sql(table)} as taken using ${sql(table)} as kept
    where taken.machine_id = ${from} and kept.machine_id = ${to} and taken.hour = kept.hour returning taken.*
  `;
  return rows.map(row => ({...row, hour: hourOf(row.hour)}));
}

export async function deleteHoursBefore(sql: Database, time: Date): Promise<number> {
  const result = await sql`delete from metrics_hours where hour < ${time}`;
  return result.count;
}
