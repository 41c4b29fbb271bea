import type {Sql} from './db.ts';
import {countRows, type NewestFirst, type Piece, type Span, withinPage} from './newest-first.ts';
import {sinceAssigned} from './scope.ts';

export type BootHopKind =
  | 'loader'
  | 'script'
  | 'kernel'
  | 'initrd'
  | 'token'
  | 'layer'
  | 'failure'
  | 'enrolled'
  | 'hello';

export type BootHop = {
  readonly id: string;
  readonly sessionId: string;
  readonly kind: BootHopKind;
  /** The receiver's clock. */
  readonly time: Date;
  readonly ipAddress: string;
  readonly detail: string;
  readonly bytes: number;
  readonly complete: boolean;
  readonly imageId: string | undefined;
};

export const bootSessionStates = ['open', 'stalled', 'completed'] as const;
export type BootSessionState = (typeof bootSessionStates)[number];

export type BootSession = {
  readonly id: string;
  readonly edgeSession: string;
  readonly macAddress: string;
  readonly machineId: string | undefined;
  readonly uuid: string;
  readonly serial: string;
  readonly ipAddress: string;
  readonly platform: string;
  readonly state: BootSessionState;
  readonly imageId: string | undefined;
  readonly hopCount: number;
  readonly fetchTime: Date | undefined;
  readonly judged: boolean;
  readonly startTime: Date;
  readonly heardTime: Date;
  readonly endTime: Date | undefined;
};

type SessionRow = {readonly [K in keyof BootSession]: BootSession[K] | null};
type HopRow = {readonly [K in keyof BootHop]: BootHop[K] | null};

const known = (row: object): object =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined]));
const toSession = (row: SessionRow): BootSession => known(row) as BootSession;
const toHop = (row: HopRow): BootHop => ({...(known(row) as BootHop), bytes: Number(row.bytes)});

/** Serialises everything about one session of an edge until the transaction ends. */
export async function lockBootSession(sql: Sql, edgeSession: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`boot-session:${edgeSession}`}, 0))`;
}

/** All sessions that were given this number: more than one when another MAC used it too. */
export async function findBootSessions(
  sql: Sql,
  edgeSession: string,
): Promise<readonly BootSession[]> {
  const rows = await sql<SessionRow[]>`
    select * from boot_sessions where edge_session = ${edgeSession} order by start_time, id limit 16
  `;
  return rows.map(toSession);
}

export async function insertBootSession(sql: Sql, session: BootSession): Promise<void> {
  await sql`insert into boot_sessions ${sql(columns(session))}`;
}

export async function updateBootSession(
  sql: Sql,
  id: string,
  change: Partial<Omit<BootSession, 'id'>>,
): Promise<void> {
  await sql`update boot_sessions set ${sql(columns(change))} where id = ${id}`;
}

/** The ids of those that are new. */
export async function insertBootHops(
  sql: Sql,
  hops: readonly BootHop[],
): Promise<readonly string[]> {
  if (hops.length === 0) return [];
  const rows = await sql<{id: string}[]>`
    insert into boot_hops ${sql(hops.map(columns))} on conflict (id) do nothing returning id
  `;
  return rows.map(({id}) => id);
}

export async function listBootHops(
  sql: Sql,
  sessionIds: readonly string[],
): Promise<readonly BootHop[]> {
  if (sessionIds.length === 0) return [];
  const rows = await sql<HopRow[]>`
    select * from boot_hops where session_id in ${sql(sessionIds)} order by time, id
  `;
  return rows.map(toHop);
}

export type BootSessionQuery = Span & {
  readonly machineId: string | undefined;
  /** None is all. */
  readonly states: readonly BootSessionState[];
  readonly imageId: string | undefined;
};

/** Newest first; of all machines and of strangers unless one is named. */
export async function listBootSessions(
  sql: Sql,
  query: BootSessionQuery & NewestFirst,
): Promise<readonly (BootSession & {readonly cursorTime: string})[]> {
  const rows = await sql<(SessionRow & {cursorTime: string})[]>`
    select found.*, start_time::text as cursor_time from ${newest(sql, query)} as found
    order by start_time desc, id desc limit ${query.limit}
  `;
  return rows.map(row => ({...toSession(row), cursorTime: row.cursorTime}));
}

/** Up to `countedMax`. */
export const countBootSessions = (sql: Sql, query: BootSessionQuery): Promise<number> =>
  countRows(sql, sql`from boot_sessions where ${matching(sql, {...query, before: undefined})}`);

/**
 * Of each state so many, each read where its index has them in order: one read over several states would have to sort all there are. A machine has
 * few, and all states together are in order.
 */
function newest(sql: Sql, query: BootSessionQuery & NewestFirst): Piece {
  const {machineId, states, imageId, limit} = query;
  if (machineId !== undefined || (states.length === 0 && imageId === undefined))
    return sql`(select * from boot_sessions where ${matching(sql, query)} order by start_time desc, id desc limit ${limit})`;
  const each = states.length > 0 ? [...states] : [...bootSessionStates];
  return sql`(
    select of_state.* from unnest(${each}::text[]) as wanted (state) cross join lateral (
      select * from boot_sessions
      where boot_sessions.state = wanted.state and ${matching(sql, {...query, states: []})}
      order by start_time desc, id desc limit ${limit}
    ) as of_state
  )`;
}

function matching(sql: Sql, query: BootSessionQuery & Omit<NewestFirst, 'limit'>): Piece {
  const {machineId, states, imageId} = query;
  const place = {time: sql`boot_sessions.start_time`, id: sql`boot_sessions.id`};
  return sql`
    ${machineId === undefined ? sql`true` : sql`boot_sessions.machine_id = ${machineId}`}
    and ${states.length === 0 ? sql`true` : sql`boot_sessions.state = any(${[...states]}::text[])`}
    and ${imageId === undefined ? sql`true` : sql`boot_sessions.image_id = ${imageId}`}
    and ${withinPage(sql, place, query)}
    and ${sinceAssigned(sql, sql`boot_sessions.machine_id`, sql`boot_sessions.start_time`)}
  `;
}

/** Locks open sessions that nothing was heard of since `before`; another server skips them. */
export async function takeSilentBootSessions(
  sql: Sql,
  before: Date,
  limit: number,
): Promise<readonly BootSession[]> {
  const rows = await sql<SessionRow[]>`
    select * from boot_sessions where state = 'open' and heard_time < ${before}
    order by heard_time limit ${limit} for update skip locked
  `;
  return rows.map(toSession);
}

/** Sessions whose image was fetched before `before` and whose trial is not judged. */
export async function listTrials(
  sql: Sql,
  before: Date,
  limit: number,
): Promise<readonly BootSession[]> {
  const rows = await sql<SessionRow[]>`
    select * from boot_sessions where not judged and fetch_time < ${before} and machine_id is not null
    order by fetch_time limit ${limit}
  `;
  return rows.map(toSession);
}

/** False when another server, or a hello, was first. */
export async function claimTrial(sql: Sql, id: string): Promise<boolean> {
  const claimed = await sql`
    update boot_sessions set judged = true where id = ${id} and not judged returning id
  `;
  return claimed.length > 0;
}

export async function countStrangersSince(sql: Sql, since: Date): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from boot_sessions where machine_id is null and start_time > ${since}
  `;
  return row?.count ?? 0;
}

export async function deleteBootSessionsBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from boot_sessions where start_time < ${time}`;
}

/** Of each machine, all but the newest. */
export async function deleteSurplusBootSessions(sql: Sql, keptOfMachine: number): Promise<void> {
  await sql`
    delete from boot_sessions where id in (
      select id from (
        select id, row_number() over (partition by machine_id order by start_time desc, id desc) as age
        from boot_sessions where machine_id is not null
      ) as ranked where age > ${keptOfMachine}
    )
  `;
}

function columns(values: object): Record<string, never> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value ?? null]),
  ) as Record<string, never>;
}
