import type {Sql} from './db.ts';
import {updateMachine} from './machines.ts';

export async function clearOverride(sql: Sql, machineId: string): Promise<void> {
  await updateMachine(sql, machineId, {
    overrideAction: undefined,
    overrideImageId: undefined,
    overrideExpireTime: undefined,
    overrideSession: undefined,
  });
}

/** Locked; another server skips them. */
export async function findExpiredOverrides(
  sql: Sql,
  now: Date,
  limit: number,
): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`
    select id from machines where override_expire_time <= ${now} limit ${limit} for update skip locked
  `;
  return rows.map(({id}) => id);
}
