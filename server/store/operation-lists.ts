import {type Build, type BuildRow, buildColumns, toBuild} from './builds.ts';
import type {Sql} from './db.ts';
import type {ImageKind} from './images.ts';
import {countRows, type NewestFirst, type Piece, type Span, withinPage} from './newest-first.ts';
import {
  inScope,
  type Operation,
  type OperationRow,
  type OperationState,
  operationStates,
  toOperation,
} from './operations.ts';

export type OperationQuery = Span & {
  readonly machineId: string | undefined;
  /** None is all. */
  readonly states: readonly OperationState[];
  /** "build", "bulk", "rollout"; none is all. */
  readonly kinds: readonly string[];
};

export type BuildQuery = Omit<OperationQuery, 'kinds'> & {
  readonly kind: ImageKind | undefined;
  readonly imageId: string | undefined;
  readonly template: string | undefined;
};

type WithCursor = {readonly cursorTime: string};

/** Newest first. */
export async function listOperations(
  sql: Sql,
  query: OperationQuery & NewestFirst,
): Promise<readonly (Operation & WithCursor)[]> {
  const rows = await sql<(OperationRow & WithCursor)[]>`
    select found.*, create_time::text as cursor_time from ${newestOperations(sql, query)} as found
    order by create_time desc, id desc limit ${query.limit}
  `;
  return rows.map(({cursorTime, ...row}) => ({...toOperation(row), cursorTime}));
}

/** Up to `countedMax`. */
export const countOperations = (sql: Sql, query: OperationQuery): Promise<number> =>
  countRows(
    sql,
    sql`from operations where ${matchingOperations(sql, {...query, before: undefined})}`,
  );

/** Newest first. */
export async function listBuilds(
  sql: Sql,
  query: BuildQuery & NewestFirst,
): Promise<readonly (Build & WithCursor)[]> {
  const rows = await sql<(BuildRow & WithCursor)[]>`
    select found.*, create_time::text as cursor_time from ${newestBuilds(sql, query)} as found
    order by create_time desc, id desc limit ${query.limit}
  `;
  return rows.map(row => ({...toBuild(row), cursorTime: row.cursorTime}));
}

/** Up to `countedMax`. */
export const countBuilds = (sql: Sql, query: BuildQuery): Promise<number> =>
  countRows(
    sql,
    sql`from operations join builds using (id) where ${matchingBuilds(sql, {...query, before: undefined})}`,
  );

/**
 * Of each kind and state so many, each read where an index has them in order: one read over several would have to sort all there are. A machine
 * has few.
 */
function newestOperations(sql: Sql, query: OperationQuery & NewestFirst): Piece {
  const {machineId, states, kinds, limit} = query;
  if (machineId !== undefined || (states.length === 0 && kinds.length === 0))
    return sql`(
      select * from operations where ${matchingOperations(sql, query)} order by create_time desc, id desc limit ${limit}
    )`;
  const rest = matchingOperations(sql, {...query, states: [], kinds: []});
  return ofEach(sql, states, {
    also: kinds.length === 0 ? undefined : sql`unnest(${[...kinds]}::text[]) as of_kind (kind)`,
    select: sql`
      select * from operations where operations.state = of_state.state
        and ${kinds.length === 0 ? sql`true` : sql`operations.kind = of_kind.kind`} and ${rest}
      order by create_time desc, id desc limit ${limit}
    `,
  });
}

/** What is rare, one machine's or one image's, is found by its own index, and the planner knows which. */
function newestBuilds(sql: Sql, query: BuildQuery & NewestFirst): Piece {
  const {machineId, states, kind, imageId, template, limit} = query;
  const newest = (state: Piece, rest: Piece) => sql`
    select ${buildColumns(sql)} from operations join builds using (id) where ${state} and ${rest}
    order by create_time desc, id desc limit ${limit}
  `;
  if ([machineId, kind, imageId, template].some(value => value !== undefined))
    return sql`(${newest(sql`true`, matchingBuilds(sql, query))})`;
  const rest = matchingBuilds(sql, {...query, states: []});
  return ofEach(sql, states, {
    also: undefined,
    select: newest(sql`operations.kind = 'build' and operations.state = of_state.state`, rest),
  });
}

function ofEach(
  sql: Sql,
  states: readonly OperationState[],
  {also, select}: {readonly also: Piece | undefined; readonly select: Piece},
): Piece {
  const each = states.length > 0 ? [...states] : [...operationStates];
  return sql`(
    select one.* from unnest(${each}::text[]) as of_state (state) ${also ? sql`cross join ${also}` : sql``}
    cross join lateral (${select}) as one
  )`;
}

function matchingOperations(sql: Sql, query: OperationQuery & Omit<NewestFirst, 'limit'>): Piece {
  const {machineId, kinds} = query;
  return sql`
    ${machineId === undefined ? sql`true` : ofMachine(sql, machineId)}
    and ${kinds.length === 0 ? sql`true` : sql`operations.kind = any(${[...kinds]}::text[])`}
    and ${matching(sql, query)}
  `;
}

/** Its own, and those over many machines that it is one of. */
const ofMachine = (sql: Sql, machineId: string): Piece => sql`operations.id in (
  select id from operations where machine_id = ${machineId}
  union select bulk_id from bulk_children where machine_id = ${machineId}
)`;

function matchingBuilds(sql: Sql, query: BuildQuery & Omit<NewestFirst, 'limit'>): Piece {
  const {machineId, kind, imageId, template} = query;
  return sql`
    operations.kind = 'build'
    and ${machineId === undefined ? sql`true` : sql`builds.machine_id = ${machineId}`}
    and ${kind === undefined ? sql`true` : sql`builds.image_kind = ${kind}`}
    and ${imageId === undefined ? sql`true` : sql`builds.image_id = ${imageId}`}
    and ${template === undefined ? sql`true` : sql`builds.template_names @> ${[template]}::text[]`}
    and ${matching(sql, query)}
  `;
}

function matching(
  sql: Sql,
  query: Pick<OperationQuery, 'states'> & Omit<NewestFirst, 'limit'>,
): Piece {
  const place = {time: sql`operations.create_time`, id: sql`operations.id`};
  const {states} = query;
  return sql`
    ${states.length === 0 ? sql`true` : sql`operations.state = any(${[...states]}::text[])`}
    and ${withinPage(sql, place, query)} and ${inScope(sql)}
  `;
}
