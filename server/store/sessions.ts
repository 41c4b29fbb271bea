import type {Sql} from './db.ts';

export type SessionMethod = 'password' | 'oidc';

export type NewSessionRow = {
  readonly id: string;
  readonly userId: string;
  readonly method: SessionMethod;
  readonly address: string;
  readonly createTime: Date;
  readonly expireTime: Date;
};

/** What the session of a browser has in place of refresh tokens. */
export type BrowserKeyRow = {
  readonly cookieSha256: Buffer;
  /** `expireTime` moves with each use, up to this. */
  readonly limitTime: Date;
};

export type SessionRow = NewSessionRow & {
  readonly username: string;
  readonly browser: boolean;
  /** Where and when it was refreshed, or a browser used it, last. */
  readonly lastAddress: string;
  readonly lastUseTime: Date;
};

export type RefreshTokenRow = {
  readonly sessionId: string;
  readonly userId: string;
  readonly expireTime: Date;
  readonly ended: boolean;
  readonly used: boolean;
};

export async function insertSession(
  sql: Sql,
  session: NewSessionRow,
  browserKey?: BrowserKeyRow,
): Promise<void> {
  const {address: lastAddress, createTime: lastUseTime} = session;
  await sql`insert into sessions ${sql({...session, ...browserKey, lastAddress, lastUseTime})}`;
}

export type BrowserSessionRow = {
  readonly id: string;
  readonly userId: string;
  readonly lastUseTime: Date;
};

/** One that has neither ended nor expired. */
export async function findSessionByCookie(
  sql: Sql,
  sha256: Buffer,
  now: Date,
): Promise<BrowserSessionRow | undefined> {
  const [row] = await sql<BrowserSessionRow[]>`
    select id, user_id, last_use_time from sessions
    where cookie_sha256 = ${sha256} and end_time is null and expire_time > ${now}
  `;
  return row;
}

/** Once for many calls at once: of those that saw the use before `unusedSince`, the first one writes. */
export async function noteSessionUse(
  sql: Sql,
  id: string,
  use: {
    readonly time: Date;
    readonly address: string;
    readonly expireTime: Date;
    readonly unusedSince: Date;
  },
): Promise<void> {
  await sql`
    update sessions set last_use_time = ${use.time}, last_address = ${use.address},
      expire_time = least(limit_time, ${use.expireTime})
    where id = ${id} and end_time is null and last_use_time <= ${use.unusedSince}
  `;
}

/** When a session that has not ended expires. */
export async function findSessionExpiry(sql: Sql, id: string): Promise<Date | undefined> {
  const [row] = await sql<{expireTime: Date}[]>`
    select expire_time from sessions where id = ${id} and end_time is null
  `;
  return row?.expireTime;
}

export async function insertRefreshToken(
  sql: Sql,
  token: {sha256: Buffer; sessionId: string; createTime: Date},
): Promise<void> {
  await sql`insert into refresh_tokens ${sql(token)}`;
}

/** Locks the session, so that of two presentations of one token the second finds it used. */
export async function findRefreshToken(
  sql: Sql,
  sha256: Buffer,
): Promise<RefreshTokenRow | undefined> {
  const [row] = await sql<RefreshTokenRow[]>`
    select s.id as session_id, s.user_id, s.expire_time,
      s.end_time is not null as ended, t.use_time is not null as used
    from refresh_tokens t join sessions s on s.id = t.session_id
    where t.sha256 = ${sha256}
    for update
  `;
  return row;
}

export async function markRefreshTokenUsed(
  sql: Sql,
  sha256: Buffer,
  {time, address}: {time: Date; address: string},
): Promise<void> {
  await sql`
    with used as (
      update refresh_tokens set use_time = ${time} where sha256 = ${sha256} returning session_id
    )
    update sessions set last_use_time = ${time}, last_address = ${address}
    from used where id = used.session_id
  `;
}

/** The user of a session that has neither ended nor expired. */
export async function findUserOfSession(
  sql: Sql,
  id: string,
  now: Date,
): Promise<string | undefined> {
  const [row] = await sql<{userId: string}[]>`
    select user_id from sessions where id = ${id} and end_time is null and expire_time > ${now}
  `;
  return row?.userId;
}

/** Whether this person has signed in from here before. */
export async function hasSessionFrom(
  sql: Sql,
  username: string,
  address: string,
): Promise<boolean> {
  const rows = await sql`
    select 1 from sessions s join users u on u.id = s.user_id
    where u.username = ${username} and s.address = ${address} limit 1
  `;
  return rows.length > 0;
}

/** Live ones, newest first, before the id given. */
export async function listSessions(
  sql: Sql,
  {
    userId,
    before,
    now,
    limit,
  }: {
    userId: string | undefined;
    before: string | undefined;
    now: Date;
    limit: number;
  },
): Promise<readonly SessionRow[]> {
  return sql<SessionRow[]>`
    select s.id, s.user_id, u.username, s.method, s.address, s.last_address, s.create_time,
      s.last_use_time, s.expire_time, s.cookie_sha256 is not null as browser
    from sessions s join users u on u.id = s.user_id
    where s.end_time is null and s.expire_time > ${now}
      and ${userId === undefined ? sql`true` : sql`s.user_id = ${userId}`}
      and ${before === undefined ? sql`true` : sql`s.id < ${before}`}
    order by s.id desc limit ${limit}
  `;
}

type End = {readonly time: Date; readonly reason: string};

/** False when it had ended already. */
export async function endSession(sql: Sql, id: string, {time, reason}: End): Promise<boolean> {
  const {count} = await sql`
    update sessions set end_time = ${time}, end_reason = ${reason}
    where id = ${id} and end_time is null
  `;
  return count === 1;
}

/** All of one user but `except`; gives their number. */
export async function endSessionsOf(
  sql: Sql,
  userId: string,
  {time, reason, except}: End & {readonly except?: string | undefined},
): Promise<number> {
  const {count} = await sql`
    update sessions set end_time = ${time}, end_reason = ${reason}
    where user_id = ${userId} and end_time is null and expire_time > ${time}
      and ${except === undefined ? sql`true` : sql`id <> ${except}`}
  `;
  return count;
}

/** That of a browser stays until its limit: where somebody has signed in, `hasSessionFrom` asks. */
export async function deleteSessionsExpiredBefore(sql: Sql, time: Date): Promise<void> {
  await sql`
    delete from sessions where expire_time < ${time} and (limit_time is null or limit_time < ${time})
  `;
}
