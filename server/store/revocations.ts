import type {Sql} from './db.ts';

export type RevocationRow = {readonly publicKey: string; readonly revokeTime: Date};

/** In the transaction of the change that ends the key's worth; whoever listens pushes it when that commits. */
export async function insertRevocation(sql: Sql, row: RevocationRow): Promise<void> {
  await sql`
    insert into revocations ${sql(row)}
    on conflict (public_key) do update set revoke_time = excluded.revoke_time
  `;
  await sql`select pg_notify('revocations', '')`;
}

export async function listRevocations(sql: Sql): Promise<readonly RevocationRow[]> {
  return sql<RevocationRow[]>`select public_key, revoke_time from revocations order by public_key`;
}

export async function deleteRevocationsBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from revocations where revoke_time < ${time}`;
}

/** One server at a time, until the transaction ends. */
export async function lockRevocations(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('revocations'))`;
}
