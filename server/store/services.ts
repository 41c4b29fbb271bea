import type {Sql} from './db.ts';

export type ServiceKind = 'edge' | 'builder';

export type BackendRow = {
  readonly name: string;
  readonly available: boolean;
  /** What is missing when it is not available. */
  readonly missing: string;
};

export type ServiceRow = {
  readonly id: string;
  readonly kind: ServiceKind;
  readonly name: string;
  readonly publicKey: string;
  readonly version: string;
  readonly backends: readonly BackendRow[];
  readonly createTime: Date;
  readonly lastSeenTime: Date | null;
  readonly revokeTime: Date | null;
};

export type JoinCodeRow = {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly expireTime: Date;
  readonly serviceId: string | null;
};

/** Undefined when a live service has this kind and name, or any service this key. */
export async function insertService(
  sql: Sql,
  service: Pick<ServiceRow, 'id' | 'kind' | 'name' | 'publicKey' | 'createTime'>,
): Promise<ServiceRow | undefined> {
  const [row] = await sql<ServiceRow[]>`
    insert into services ${sql(service)} on conflict do nothing returning *
  `;
  return row;
}

export async function findService(sql: Sql, id: string): Promise<ServiceRow | undefined> {
  const [row] = await sql<ServiceRow[]>`select * from services where id = ${id}`;
  return row;
}

export async function hasLiveService(sql: Sql, kind: ServiceKind, name: string): Promise<boolean> {
  const rows = await sql`
    select 1 from services where kind = ${kind} and name = ${name} and revoke_time is null
  `;
  return rows.length > 0;
}

/** Newest first, before the id given. */
export async function listServices(
  sql: Sql,
  {before, limit}: {before: string | undefined; limit: number},
): Promise<readonly ServiceRow[]> {
  return sql<ServiceRow[]>`
    select * from services where ${before ? sql`id < ${before}` : sql`true`}
    order by id desc limit ${limit}
  `;
}

/** Undefined when it was revoked before. */
export async function revokeService(
  sql: Sql,
  id: string,
  time: Date,
): Promise<ServiceRow | undefined> {
  const [row] = await sql<ServiceRow[]>`
    update services set revoke_time = ${time} where id = ${id} and revoke_time is null returning *
  `;
  return row;
}

export async function updateServiceReport(
  sql: Sql,
  id: string,
  {version, backends, time}: {version: string; backends: readonly BackendRow[]; time: Date},
): Promise<void> {
  await sql`
    update services set version = ${version}, backends = ${JSON.stringify(backends)}::text::jsonb,
      last_seen_time = ${time}
    where id = ${id}
  `;
}

export async function listServicesSeenAfter(
  sql: Sql,
  kind: ServiceKind,
  time: Date,
): Promise<readonly ServiceRow[]> {
  return sql<ServiceRow[]>`
    select * from services
    where kind = ${kind} and revoke_time is null and last_seen_time > ${time}
    order by name
  `;
}

export async function insertJoinCode(
  sql: Sql,
  code: Omit<JoinCodeRow, 'serviceId'> & {sha256: Buffer; createTime: Date},
): Promise<void> {
  await sql`delete from join_codes where expire_time < ${code.createTime} and service_id is null`;
  await sql`insert into join_codes ${sql(code)}`;
}

/** Locked until the transaction ends: of two keys that present one code at once, one wins. */
export async function lockJoinCode(sql: Sql, sha256: Buffer): Promise<JoinCodeRow | undefined> {
  const [row] = await sql<JoinCodeRow[]>`
    select kind, name, expire_time, service_id from join_codes where sha256 = ${sha256} for update
  `;
  return row;
}

export async function bindJoinCode(sql: Sql, sha256: Buffer, serviceId: string): Promise<void> {
  await sql`update join_codes set service_id = ${serviceId} where sha256 = ${sha256}`;
}
