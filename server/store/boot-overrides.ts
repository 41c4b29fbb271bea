import type {Sql} from './db.ts';
import {type BootAction, type MachineChange, updateMachine} from './machines.ts';
import type {Before, Piece} from './newest-first.ts';
import {machineInScope} from './scope.ts';

/** What somebody decided about the boots of a machine. */
export type BootOverride = {
  readonly machineId: string;
  /** For all boots, instead of the next one. */
  readonly persistent: boolean;
  readonly action: BootAction;
  readonly imageId: string | undefined;
  /** Empty when that is not known. */
  readonly actor: string;
  readonly time: Date;
  /** Of the next boot only. */
  readonly expireTime: Date | undefined;
  /** A boot was given it. */
  readonly given: boolean;
  readonly workspaceTime: Date | undefined;
};

/** What clears the override for the next boot, and the boot entry for all boots. */
export const noOverride: MachineChange = {
  overrideAction: undefined,
  overrideImageId: undefined,
  overrideExpireTime: undefined,
  overrideSession: undefined,
  overrideActor: '',
  overrideTime: undefined,
};
export const noEntry: MachineChange = {
  entryAction: undefined,
  entryImageId: undefined,
  entryActor: '',
  entryTime: undefined,
};

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

/** The last row of the page before. */
export type BeforeOverride = Before & {readonly persistent: boolean};

export type BootOverrideQuery = {
  readonly machineId: string | undefined;
  /** Undefined: both kinds. */
  readonly persistent: boolean | undefined;
  readonly now: Date;
  readonly before: BeforeOverride | undefined;
  readonly limit: number;
};

/** What holds now, newest first; of one machine at one time its boot entry before its override. */
export async function listBootOverrides(
  sql: Sql,
  query: BootOverrideQuery,
): Promise<readonly (BootOverride & {readonly cursorTime: string})[]> {
  const {persistent, now, before, limit} = query;
  const matching = (time: Piece, reached: Piece) => sql`
    ${query.machineId === undefined ? sql`true` : sql`id = ${query.machineId}`}
    and ${before ? sql`(${time}, id) ${reached} (${before.time}::text::timestamptz, ${before.id}::text::uuid)` : sql`true`}
    and ${machineInScope(sql)}
  `;
  const once = sql`(
    select id, false as persistent, override_action as action, override_image_id as image_id, override_actor as actor,
      override_time as time, override_expire_time as expire_time, coalesce(override_session, '') <> '' as given, workspace_time
    from machines
    where override_action is not null and override_expire_time > ${now}
      and ${matching(sql`override_time`, before?.persistent ? sql`<=` : sql`<`)}
    order by override_time desc, id desc limit ${limit}
  )`;
  const always = sql`(
    select id, true as persistent, entry_action as action, entry_image_id as image_id, entry_actor as actor, entry_time as time,
      null::timestamptz as expire_time, false as given, workspace_time
    from machines where entry_action is not null and ${matching(sql`entry_time`, sql`<`)}
    order by entry_time desc, id desc limit ${limit}
  )`;
  const both = sql`(${once} union all ${always})`;
  const rows = await sql<OverrideRow[]>`
    select found.*, time::text as cursor_time from ${persistent === undefined ? both : persistent ? always : once} as found
    order by time desc, id desc, persistent desc limit ${limit}
  `;
  return rows.map(({id, ...row}) => ({
    ...row,
    machineId: id,
    imageId: row.imageId ?? undefined,
    expireTime: row.expireTime ?? undefined,
    workspaceTime: row.workspaceTime ?? undefined,
  }));
}

type OverrideRow = Omit<BootOverride, 'machineId' | 'imageId' | 'expireTime' | 'workspaceTime'> & {
  readonly id: string;
  readonly imageId: string | null;
  readonly expireTime: Date | null;
  readonly workspaceTime: Date | null;
  readonly cursorTime: string;
};
