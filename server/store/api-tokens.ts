import type {Sql} from './db.ts';
import type {Role} from './users.ts';

export type NewApiTokenRow = {
  readonly id: string;
  readonly sha256: Buffer;
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
  /** Null: wherever its user may. */
  readonly workspaceId: string | null;
  readonly createTime: Date;
  readonly expireTime: Date;
};

export type ApiTokenRow = Omit<NewApiTokenRow, 'sha256'> & {
  readonly username: string;
  readonly lastUseTime: Date | null;
  readonly lastUseAddress: string;
  readonly revokeTime: Date | null;
};

const selectTokens = (sql: Sql) => sql`
  select t.id, t.user_id, u.username, t.name, t.role, t.workspace_id, t.create_time, t.expire_time,
    t.last_use_time, t.last_use_address, t.revoke_time
  from api_tokens t join users u on u.id = t.user_id
`;

export async function insertApiToken(sql: Sql, token: NewApiTokenRow): Promise<void> {
  await sql`insert into api_tokens ${sql(token)}`;
}

/** Neither revoked nor expired ones count. */
export async function countLiveApiTokens(sql: Sql, userId: string, now: Date): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from api_tokens
    where user_id = ${userId} and revoke_time is null and expire_time > ${now}
  `;
  return row?.count ?? 0;
}

/** Revoked and expired ones too. */
export async function findApiTokenByDigest(
  sql: Sql,
  sha256: Buffer,
): Promise<ApiTokenRow | undefined> {
  const [row] = await sql<ApiTokenRow[]>`${selectTokens(sql)} where t.sha256 = ${sha256}`;
  return row;
}

export async function findApiToken(sql: Sql, id: string): Promise<ApiTokenRow | undefined> {
  const [row] = await sql<ApiTokenRow[]>`${selectTokens(sql)} where t.id = ${id}`;
  return row;
}

/** Newest first, before the id given. */
export async function listApiTokens(
  sql: Sql,
  {userId, before, limit}: {userId: string | undefined; before: string | undefined; limit: number},
): Promise<readonly ApiTokenRow[]> {
  return sql<ApiTokenRow[]>`
    ${selectTokens(sql)}
    where ${userId === undefined ? sql`true` : sql`t.user_id = ${userId}`}
      and ${before === undefined ? sql`true` : sql`t.id < ${before}`}
    order by t.id desc limit ${limit}
  `;
}

export async function noteApiTokenUse(
  sql: Sql,
  id: string,
  {time, address}: {time: Date; address: string},
): Promise<void> {
  await sql`
    update api_tokens set last_use_time = ${time}, last_use_address = ${address} where id = ${id}
  `;
}

/** False when it was revoked already. */
export async function revokeApiToken(sql: Sql, id: string, time: Date): Promise<boolean> {
  const {count} = await sql`
    update api_tokens set revoke_time = ${time} where id = ${id} and revoke_time is null
  `;
  return count === 1;
}

/** All of one user's; gives their number. */
export async function revokeApiTokensOf(sql: Sql, userId: string, time: Date): Promise<number> {
  const {count} = await sql`
    update api_tokens set revoke_time = ${time} where user_id = ${userId} and revoke_time is null
  `;
  return count;
}
