import type {Sql} from './db.ts';

export const childStates = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type ChildState = (typeof childStates)[number];
export type ChildStep = '' | 'building' | 'testing' | 'rebooting';

export type BulkChild = {
  readonly bulkId: string;
  readonly number: number;
  /** Undefined when the request named no machine that there is. */
  readonly machineId: string | undefined;
  /** What it was called when it was chosen. */
  readonly machine: string;
  readonly wave: number;
  readonly state: ChildState;
  readonly step: ChildStep;
  readonly summary: string;
  readonly error: string;
  readonly buildId: string | undefined;
  readonly commandId: string | undefined;
  readonly imageId: string | undefined;
  readonly startTime: Date | undefined;
  readonly stepTime: Date | undefined;
  readonly endTime: Date | undefined;
};

export type NewChild = Pick<BulkChild, 'machineId' | 'machine' | 'wave' | 'error'>;

export type ChildChange = Partial<Omit<BulkChild, 'bulkId' | 'number' | 'machineId' | 'machine'>>;

export type ChildCounts = Readonly<Record<ChildState, number>>;

type Row = {readonly [K in keyof BulkChild]: BulkChild[K] | null};

/** Numbered from 1; those with an error have failed already. */
export async function insertChildren(
  sql: Sql,
  bulkId: string,
  {children, time}: {readonly children: readonly NewChild[]; readonly time: Date},
): Promise<void> {
  await sql`
    insert into bulk_children (bulk_id, number, machine_id, machine, wave, state, error, end_time)
    select ${bulkId}, number, machine_id, machine, wave, case error when '' then 'queued' else 'failed' end, error,
      case error when '' then null else ${time}::timestamptz end
    from jsonb_to_recordset(${JSON.stringify(
      children.map(({machineId, ...child}, index) => ({
        ...child,
        machine_id: machineId ?? null,
        number: index + 1,
      })),
    )}::text::jsonb) as child (number int, machine_id uuid, machine text, wave int, error text)
  `;
}

/** The next one that may begin, locked until the transaction ends; one that another server has is passed by. */
export async function takeQueuedChild(
  sql: Sql,
  bulkId: string,
  waveMax: number,
): Promise<BulkChild | undefined> {
  const [row] = await sql<Row[]>`
    select * from bulk_children where bulk_id = ${bulkId} and state = 'queued' and wave <= ${waveMax}
    order by number limit 1 for update skip locked
  `;
  return row && toChild(row);
}

/** Undefined when it runs no longer, or another server has it. */
export async function takeRunningChild(
  sql: Sql,
  bulkId: string,
  number: number,
): Promise<BulkChild | undefined> {
  const [row] = await sql<Row[]>`
    select * from bulk_children where bulk_id = ${bulkId} and number = ${number} and state = 'running'
    for update skip locked
  `;
  return row && toChild(row);
}

export async function listRunningChildren(
  sql: Sql,
  bulkId: string,
  limit: number,
): Promise<readonly BulkChild[]> {
  const rows = await sql<Row[]>`
    select * from bulk_children where bulk_id = ${bulkId} and state = 'running' order by number limit ${limit}
  `;
  return rows.map(toChild);
}

/** Counted up to a limit, so that it costs the same however many machines there are. */
export async function countChildren(
  sql: Sql,
  bulkId: string,
  {state, limit}: {readonly state: 'running' | 'failed'; readonly limit: number},
): Promise<number> {
  // Written out, so that the planner sees which of the partial indexes it is.
  const where = state === 'running' ? sql`state = 'running'` : sql`state = 'failed'`;
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from (
      select from bulk_children where bulk_id = ${bulkId} and ${where} limit ${limit}
    ) as counted
  `;
  return row?.count ?? 0;
}

export async function updateChild(
  sql: Sql,
  {bulkId, number}: Pick<BulkChild, 'bulkId' | 'number'>,
  change: ChildChange,
): Promise<void> {
  const columns = Object.fromEntries(
    Object.entries(change).map(([name, value]) => [name, value ?? null]),
  );
  await sql`
    update bulk_children set ${sql(columns)} where bulk_id = ${bulkId} and number = ${number}
  `;
}

/** Whatever has not begun is over. */
export async function endQueuedChildren(
  sql: Sql,
  bulkId: string,
  end: {readonly state: 'skipped' | 'cancelled'; readonly error: string; readonly time: Date},
): Promise<void> {
  await sql`
    update bulk_children set state = ${end.state}, error = ${end.error}, end_time = ${end.time}
    where bulk_id = ${bulkId} and state = 'queued'
  `;
}

/** Failed ones wait again, as if they had not begun. Gives their number. */
export async function requeueFailedChildren(sql: Sql, bulkId: string): Promise<number> {
  const {count} = await sql`
    update bulk_children set state = 'queued', step = '', summary = '', error = '', build_id = null, command_id = null,
      image_id = null, start_time = null, step_time = null, end_time = null
    where bulk_id = ${bulkId} and state = 'failed' and machine_id is not null
  `;
  return count;
}

/** By number. */
export async function listChildren(
  sql: Sql,
  bulkId: string,
  page: {
    readonly states: readonly ChildState[];
    readonly after: number;
    readonly limit: number;
  },
): Promise<readonly BulkChild[]> {
  const rows = await sql<Row[]>`
    select * from bulk_children
    where bulk_id = ${bulkId} and number > ${page.after}
      and ${page.states.length === 0 ? sql`true` : sql`state = any(${page.states}::text[])`}
    order by number limit ${page.limit}
  `;
  return rows.map(toChild);
}

export type WaveCounts = {readonly wave: number; readonly counts: ChildCounts};

/** Of each wave of each of these. */
export async function countWaves(
  sql: Sql,
  bulkIds: readonly string[],
): Promise<ReadonlyMap<string, readonly WaveCounts[]>> {
  const rows = await sql<{bulkId: string; wave: number; state: ChildState; count: number}[]>`
    select bulk_id, wave, state, count(*)::int as count from bulk_children
    where bulk_id in (select unnest(${bulkIds}::text[])::uuid) group by bulk_id, wave, state order by wave
  `;
  const bulks = new Map<string, WaveCounts[]>();
  for (const {bulkId, wave, state, count} of rows) {
    const waves = bulks.get(bulkId) ?? [];
    if (waves.at(-1)?.wave !== wave) waves.push({wave, counts: noChildren});
    const last = waves.pop() ?? {wave, counts: noChildren};
    bulks.set(bulkId, [...waves, {wave, counts: {...last.counts, [state]: count}}]);
  }
  return bulks;
}

/** How many machines of each of these wait for tests of their image. */
export async function countTesting(
  sql: Sql,
  bulkIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{bulkId: string; count: number}[]>`
    select bulk_id, count(*)::int as count from bulk_children
    where bulk_id in (select unnest(${bulkIds}::text[])::uuid) and state = 'running' and step = 'testing'
    group by bulk_id
  `;
  return new Map(rows.map(({bulkId, count}) => [bulkId, count]));
}

export const noChildren: ChildCounts = {
  queued: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

function toChild(row: Row): BulkChild {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
  ) as BulkChild;
}
