import type {Sql} from './db.ts';
import {type Operation, type OperationRow, toOperation} from './operations.ts';

export type BulkAction =
  | 'update'
  | 'build'
  | 'reboot'
  | 'label'
  | 'assign'
  | 'release'
  | 'delete'
  | 'rollout';
export type Hold = '' | 'paused' | 'halted';

export type NewBulk = {
  readonly id: string;
  readonly action: BulkAction;
  /** JSON; what is in it is the domain's. */
  readonly spec: object;
  readonly selection: string;
  /** In whose name it goes on; the operation's is who started it. */
  readonly actor: string;
  readonly userId: string | undefined;
  readonly address: string;
  readonly dryRun: boolean;
  readonly concurrency: number;
  readonly failuresMax: number | undefined;
  readonly waves: number;
  readonly canary: number;
  readonly machineLimitSeconds: number;
};

/** Its id is its operation's id. */
export type Bulk = NewBulk & {
  readonly operation: Operation;
  readonly failuresForgiven: number;
  readonly hold: Hold;
  readonly holdReason: string;
  readonly wave: number;
};

export type BulkChange = Partial<
  Pick<Bulk, 'hold' | 'holdReason' | 'wave' | 'failuresForgiven' | 'actor' | 'userId' | 'address'>
>;

type Row = OperationRow & {
  readonly actsAs: string;
  readonly action: BulkAction;
  /** As text: postgres.js puts the keys of JSON into camel case. */
  readonly specText: string;
  readonly selection: string;
  readonly userId: string | null;
  readonly address: string;
  readonly dryRun: boolean;
  readonly concurrency: number;
  readonly failuresMax: number | null;
  readonly failuresForgiven: number;
  readonly hold: Hold;
  readonly holdReason: string;
  readonly wave: number;
  readonly waves: number;
  readonly canary: number;
  readonly machineLimitSeconds: number;
};

const columns = (sql: Sql) => sql`
  operations.*, action, spec::text as spec_text, selection, bulks.actor as acts_as, user_id, address, dry_run, concurrency, failures_max,
  failures_forgiven, hold, hold_reason, wave, waves, canary, machine_limit_seconds
`;

/** The operation with this id exists. */
export async function insertBulk(sql: Sql, {spec, ...bulk}: NewBulk): Promise<void> {
  const {userId, failuresMax, ...rest} = bulk;
  const row = {...rest, userId: userId ?? null, failuresMax: failuresMax ?? null};
  await sql`
    insert into bulks ${sql(row)}
  `;
  await sql`update bulks set spec = ${JSON.stringify(spec)}::text::jsonb where id = ${bulk.id}`;
}

export async function findBulk(sql: Sql, id: string): Promise<Bulk | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from bulks join operations using (id) where id = ${id}
  `;
  return row && toBulk(row);
}

/** Queued or running, oldest first. */
export async function listLiveBulks(sql: Sql, limit: number): Promise<readonly Bulk[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from bulks join operations using (id)
    where state in ('queued', 'running') and kind in ('bulk', 'rollout') order by id limit ${limit}
  `;
  return rows.map(toBulk);
}

/** Counted up to a limit. */
export async function countLiveBulks(sql: Sql, limit: number): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from (
      select from operations where state in ('queued', 'running') and kind in ('bulk', 'rollout') limit ${limit}
    ) as live
  `;
  return row?.count ?? 0;
}

/** Newest first; `before` is the last id of the page before. */
export async function listBulks(
  sql: Sql,
  page: {readonly kind: string; readonly before: string | undefined; readonly limit: number},
): Promise<readonly Bulk[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from bulks join operations using (id)
    where kind = ${page.kind} and ${page.before === undefined ? sql`true` : sql`id < ${page.before}`}
    order by id desc limit ${page.limit}
  `;
  return rows.map(toBulk);
}

export async function updateBulk(sql: Sql, id: string, change: BulkChange): Promise<void> {
  const columns = Object.fromEntries(
    Object.entries(change).map(([name, value]) => [name, value ?? null]),
  );
  await sql`update bulks set ${sql(columns)} where id = ${id}`;
}

/** With their children. */
export async function deleteBulksBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from operations where kind in ('bulk', 'rollout') and end_time < ${time}`;
}

/** Wakes the servers when the transaction commits. */
export async function notifyBulk(sql: Sql, id: string): Promise<void> {
  await sql`select pg_notify('bulks', ${id})`;
}

/**
 * Until the transaction ends: many at once may work on children, one alone decides about the whole. Advisory, because those who wait stand in a
 * line: a row lock would let children pass for ever by a person who cancels.
 */
export async function lockBulk(sql: Sql, id: string, mode: 'shared' | 'alone'): Promise<void> {
  const key = sql`hashtextextended(${`bulk ${id}`}, 0)`;
  await (mode === 'alone'
    ? sql`select pg_advisory_xact_lock(${key})`
    : sql`select pg_advisory_xact_lock_shared(${key})`);
}

/** One of so many places, on whatever server, until the transaction ends; false when all are taken. */
export async function takePlace(sql: Sql, id: string, places: number): Promise<boolean> {
  const rows = await sql`
    select place from generate_series(1, ${places}::int) as place
    where pg_try_advisory_xact_lock(hashtextextended('bulk ' || ${id}::text || ' place ' || place, 0))
    limit 1
  `;
  return rows.length > 0;
}

function toBulk({specText, userId, failuresMax, actsAs, ...row}: Row): Bulk {
  const {id, action, selection, address, dryRun, concurrency} = row;
  const {failuresForgiven, hold, holdReason, wave, waves, canary, machineLimitSeconds} = row;
  return {
    id,
    action,
    spec: JSON.parse(specText) as object,
    selection,
    actor: actsAs,
    userId: userId ?? undefined,
    address,
    dryRun,
    concurrency,
    failuresMax: failuresMax ?? undefined,
    failuresForgiven,
    hold,
    holdReason,
    wave,
    waves,
    canary,
    machineLimitSeconds,
    operation: operationOf(row),
  };
}

function operationOf(row: OperationRow): Operation {
  const {id, kind, state, steps, progressPercent, error, machineId, actor} = row;
  const {cancelRequested, revision, createTime, startTime, endTime} = row;
  const times = {createTime, startTime, endTime};
  const known = {id, kind, state, steps, progressPercent, error, machineId, actor};
  return toOperation({...known, ...times, cancelRequested, revision});
}
