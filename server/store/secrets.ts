import type {Sql} from './db.ts';

export async function findSecret(sql: Sql, name: string): Promise<Uint8Array | undefined> {
  const [row] = await sql<{sealed: Uint8Array}[]>`select sealed from secrets where name = ${name}`;
  return row?.sealed;
}

/** False when another process was first: read its secret then. */
export async function insertSecret(
  sql: Sql,
  secret: {name: string; sealed: Buffer; createTime: Date},
): Promise<boolean> {
  const {count} = await sql`insert into secrets ${sql(secret)} on conflict (name) do nothing`;
  return count === 1;
}
