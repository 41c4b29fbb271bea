import type {Sql} from './db.ts';
import {type MachineChange, updateMachine} from './machines.ts';

/** What clears the override for the next boot, and the boot entry for all boots. */
export const noOverride: MachineChange = {
  overrideAction: undefined,
  overrideImageId: undefined,
  overrideExpireTime: undefined,
  overrideSession: undefined,
};
export const noEntry: MachineChange = {entryAction: undefined, entryImageId: undefined};

export async function clearOverride(sql: Sql, machineId: string): Promise<void> {
  await updateMachine(sql, machineId, noOverride);
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
