import type {Sql} from './db.ts';

/** Gives rows of a chained table their places in it. */
export async function placeInChain(
  sql: Sql,
  table: 'events' | 'audit_entries',
  entries: readonly {readonly id: string; readonly position: number; readonly hash: Buffer}[],
): Promise<void> {
  await sql`
    update ${sql(table)} as entry set position = placed.position::bigint, hash = decode(placed.hash, 'hex')
    from (values ${sql(entries.map(({id, position, hash}) => [id, position, hash.toString('hex')]))})
      as placed (id, position, hash)
    where entry.id = placed.id::uuid
  `;
}
