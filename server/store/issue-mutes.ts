import type {Sql} from './db.ts';

export type MuteScope = 'issue' | 'machine' | 'rule';

export type Mute = {
  readonly id: string;
  readonly scope: MuteScope;
  readonly expireTime: Date;
  readonly reason: string;
  readonly mutedBy: string;
};

/** What is muted: this issue, else those of the kind on this machine, else all of the kind. */
export type MuteTarget = {
  readonly kind: string;
  readonly machineId: string | undefined;
  readonly issueId: string | undefined;
};

export type StoredMute = MuteTarget & Omit<Mute, 'scope'>;

export type MuteRow = {
  readonly muteId: string | null;
  readonly muteScope: MuteScope | null;
  readonly muteExpireTime: Date | null;
  readonly muteReason: string | null;
  readonly mutedBy: string | null;
};

type TargetRow = Omit<StoredMute, 'machineId' | 'issueId'> & {
  readonly machineId: string | null;
  readonly issueId: string | null;
};

const scopeOf = (sql: Sql) =>
  sql`case when issue_id is not null then 'issue' when machine_id is not null then 'machine' else 'rule' end`;

/** After a join by `withMute`. */
export const muteColumns = (sql: Sql) => sql`
  mute.id as mute_id, mute.scope as mute_scope, mute.expire_time as mute_expire_time, mute.reason as mute_reason, mute.muted_by
`;

/** Joins `issues` to the `mute` of each that holds longest. Three lookups by key: one kind may be muted on very many machines. */
export const withMute = (sql: Sql, now: Date) => sql`
  left join lateral (
    select id, ${scopeOf(sql)} as scope, expire_time, reason, muted_by from (
      select * from issue_mutes
      where issue_mutes.kind = issues.kind and issue_mutes.machine_id is null and issue_mutes.issue_id is null
      union all
      select * from issue_mutes
      where issue_mutes.kind = issues.kind and issue_mutes.machine_id = issues.machine_id and issue_mutes.issue_id is null
      union all
      select * from issue_mutes
      where issue_mutes.kind = issues.kind and issue_mutes.machine_id = issues.machine_id and issue_mutes.issue_id = issues.id
    ) as matching
    where expire_time > ${now} order by expire_time desc, id limit 1
  ) as mute on true
`;

export function muteOf(row: MuteRow): Mute | undefined {
  const {muteId: id, muteScope, muteExpireTime, muteReason, mutedBy} = row;
  if (id === null || muteScope === null || muteExpireTime === null) return undefined;
  return {
    id,
    scope: muteScope,
    expireTime: muteExpireTime,
    reason: muteReason ?? '',
    mutedBy: mutedBy ?? '',
  };
}

/** In place of one of the same target. */
export async function saveMute(
  sql: Sql,
  {createTime, ...mute}: StoredMute & {readonly createTime: Date},
): Promise<void> {
  await sql`
    insert into issue_mutes (id, kind, machine_id, issue_id, expire_time, reason, muted_by, create_time)
    values (
      ${mute.id}, ${mute.kind}, ${mute.machineId ?? null}, ${mute.issueId ?? null}, ${mute.expireTime}, ${mute.reason},
      ${mute.mutedBy}, ${createTime}
    )
    on conflict (kind, machine_id, issue_id) do update
    set expire_time = excluded.expire_time, reason = excluded.reason, muted_by = excluded.muted_by, create_time = excluded.create_time
  `;
}

/** Those of this very target; false when there was none. */
export async function deleteMute(sql: Sql, target: MuteTarget): Promise<boolean> {
  const {kind, machineId = null, issueId = null} = target;
  const deleted = await sql`
    delete from issue_mutes where kind = ${kind}
      and machine_id is not distinct from ${machineId}::uuid and issue_id is not distinct from ${issueId}::uuid
    returning id
  `;
  return deleted.length > 0;
}

/** Of its issues too; rules stay muted. */
export async function deleteMutesOfMachine(sql: Sql, machineId: string): Promise<void> {
  await sql`delete from issue_mutes where machine_id = ${machineId}`;
}

/** Of whole rules. */
export async function listRuleMutes(sql: Sql, now: Date): Promise<ReadonlyMap<string, Mute>> {
  const rows = await sql<TargetRow[]>`
    select id, kind, machine_id, issue_id, expire_time, reason, muted_by from issue_mutes
    where machine_id is null and issue_id is null and expire_time > ${now}
  `;
  return new Map(
    rows.map(({id, kind, expireTime, reason, mutedBy}) => [
      kind,
      {id, scope: 'rule', expireTime, reason, mutedBy},
    ]),
  );
}

/** Takes away those whose time is over; another server gets others. */
export async function takeExpiredMutes(
  sql: Sql,
  now: Date,
  limit: number,
): Promise<readonly StoredMute[]> {
  const rows = await sql<TargetRow[]>`
    delete from issue_mutes where id in (
      select id from issue_mutes where expire_time <= ${now} order by expire_time limit ${limit} for update skip locked
    )
    returning id, kind, machine_id, issue_id, expire_time, reason, muted_by
  `;
  return rows.map(row => ({
    ...row,
    machineId: row.machineId ?? undefined,
    issueId: row.issueId ?? undefined,
  }));
}
