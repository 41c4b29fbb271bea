import type {PendingQuery, Row} from 'postgres';
import type {Sql} from './db.ts';

/** From when, and before when; undefined: without that end. */
export type Span = {readonly since: Date | undefined; readonly until: Date | undefined};

/** The last row of the page before: the database's own text of its time, so that no digit is lost. */
export type Before = {readonly time: string; readonly id: string};

export type NewestFirst = Span & {
  readonly before: Before | undefined;
  readonly limit: number;
};

/** A piece of a query. */
export type Piece = PendingQuery<Row[]>;

/** Beyond it a list is only said to have that many. */
export const countedMax = 10_000;

/** What a page of a list that begins with the newest may hold; `time` and `id` are what it is ordered by. */
export const withinPage = (
  sql: Sql,
  {time, id}: {readonly time: Piece; readonly id: Piece},
  {since, until, before}: Omit<NewestFirst, 'limit'>,
): Piece => sql`
  ${since ? sql`${time} >= ${since}` : sql`true`}
  and ${until ? sql`${time} < ${until}` : sql`true`}
  and ${before ? sql`(${time}, ${id}) < (${before.time}::text::timestamptz, ${before.id}::text::uuid)` : sql`true`}
`;

/** How many rows there are, up to `countedMax`. */
export async function countRows(sql: Sql, from: Piece): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from (select ${from} limit ${countedMax}) as counted
  `;
  return row?.count ?? 0;
}
