import type {Sql} from './db.ts';

export type SavedSearch = {
  readonly id: string;
  /** Empty: everybody's. */
  readonly owner: string;
  readonly name: string;
  readonly filter: string;
  readonly orderBy: string;
  readonly createTime: Date;
};

/** Replaces the owner's search of this name; gives it as it is kept. */
export async function saveSearch(sql: Sql, search: SavedSearch): Promise<SavedSearch> {
  const [row] = await sql<SavedSearch[]>`
    insert into saved_searches ${sql(search)}
    on conflict (owner, lower(name)) do update
    set name = excluded.name, filter = excluded.filter, order_by = excluded.order_by
    returning *
  `;
  if (!row) throw new Error(`Saved search "${search.id}" vanished as it was kept`);
  return row;
}

export async function countSearches(sql: Sql, owner: string): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from saved_searches where owner = ${owner}
  `;
  return row?.count ?? 0;
}

/** Of these owners, by name. */
export async function listSearches(
  sql: Sql,
  owners: readonly string[],
  limit: number,
): Promise<readonly SavedSearch[]> {
  return sql<SavedSearch[]>`
    select * from saved_searches where owner = any(${owners}::text[]) order by lower(name), owner desc limit ${limit}
  `;
}

/** By id or name; the person's own before everybody's. */
export async function findSearch(
  sql: Sql,
  owners: readonly string[],
  key: {readonly id: string} | {readonly name: string},
): Promise<SavedSearch | undefined> {
  const [row] = await sql<SavedSearch[]>`
    select * from saved_searches
    where owner = any(${owners}::text[])
      and ${'id' in key ? sql`id = ${key.id}` : sql`lower(name) = lower(${key.name})`}
    order by owner desc limit 1
  `;
  return row;
}

export async function deleteSearch(sql: Sql, id: string): Promise<void> {
  await sql`delete from saved_searches where id = ${id}`;
}
