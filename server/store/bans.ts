import type {Sql} from './db.ts';

export type BanKind = 'mac' | 'uuid' | 'serial';

export type Ban = {
  readonly id: string;
  readonly kind: BanKind;
  readonly value: string;
  readonly reason: string;
  readonly actor: string;
  readonly createTime: Date;
};

export type BanKey = Pick<Ban, 'kind' | 'value'>;

/** False when it is banned already. */
export async function insertBan(sql: Sql, ban: Ban): Promise<boolean> {
  const result = await sql`insert into bans ${sql(ban)} on conflict do nothing`;
  return result.count === 1;
}

export async function deleteBan(sql: Sql, id: string): Promise<void> {
  await sql`delete from bans where id = ${id}`;
}

export async function findBan(
  sql: Sql,
  key: {readonly id: string} | {readonly keys: readonly BanKey[]},
): Promise<Ban | undefined> {
  if ('id' in key) return (await sql<Ban[]>`select * from bans where id = ${key.id}`)[0];
  if (key.keys.length === 0) return undefined;
  const kinds = key.keys.map(({kind}) => kind);
  const values = key.keys.map(({value}) => value);
  const [row] = await sql<Ban[]>`
    select * from bans where (kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))
    order by create_time, id limit 1
  `;
  return row;
}

/** Of all these identifiers, the oldest first. */
export async function findBansOf(sql: Sql, keys: readonly BanKey[]): Promise<readonly Ban[]> {
  if (keys.length === 0) return [];
  return sql<Ban[]>`
    select bans.* from json_to_recordset(${JSON.stringify(keys)}::text::json) as key (kind text, value text)
    cross join lateral (
      select * from bans where bans.kind = key.kind and bans.value = key.value offset 0
    ) as bans
    order by create_time, id
  `;
}

/** Newest first, before the one given. */
export async function listBans(
  sql: Sql,
  {before, limit}: {readonly before: string | undefined; readonly limit: number},
): Promise<readonly Ban[]> {
  return sql<Ban[]>`
    select * from bans where ${before === undefined ? sql`true` : sql`id < ${before}`}
    order by id desc limit ${limit}
  `;
}

/** Which kinds of evidence a ban is about. */
const evidenceKinds: Readonly<Record<BanKind, readonly string[]>> = {
  mac: ['mac', 'local_mac', 'bmc_mac'],
  uuid: ['uuid'],
  serial: ['system_serial'],
};

/** Gives every machine that was recognised by this identifier the reason of its oldest ban, or none; their ids. */
export async function noteBans(sql: Sql, {kind, value}: BanKey): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`
    with reasons as (
      select machines.id, coalesce((
        select bans.reason from machine_evidence join bans on bans.value = machine_evidence.value and (
          bans.kind = 'mac' and machine_evidence.kind = any(${[...evidenceKinds.mac]}::text[])
          or bans.kind = 'uuid' and machine_evidence.kind = 'uuid'
          or bans.kind = 'serial' and machine_evidence.kind = 'system_serial'
        )
        where machine_evidence.machine_id = machines.id order by bans.create_time, bans.id limit 1
      ), '') as reason
      from machines where id in (
        select machine_id from machine_evidence where value = ${value} and kind = any(${[...evidenceKinds[kind]]}::text[])
      )
    )
    update machines set ban_reason = reason from reasons
    where machines.id = reasons.id and ban_reason <> reason returning machines.id
  `;
  return rows.map(({id}) => id);
}
