import type {Sql} from './db.ts';

export type SessionRow = {
  readonly id: string;
  readonly userId: string;
  readonly createTime: Date;
  readonly expireTime: Date;
};

export type RefreshTokenRow = {
  readonly sessionId: string;
  readonly userId: string;
  readonly expireTime: Date;
  readonly ended: boolean;
  readonly used: boolean;
};

export async function insertSession(sql: Sql, session: SessionRow): Promise<void> {
  await sql`insert into sessions ${sql(session)}`;
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

export async function markRefreshTokenUsed(sql: Sql, sha256: Buffer, time: Date): Promise<void> {
  await sql`update refresh_tokens set use_time = ${time} where sha256 = ${sha256}`;
}

/** False when it had ended already. */
export async function endSession(
  sql: Sql,
  id: string,
  {time, reason}: {time: Date; reason: string},
): Promise<boolean> {
  const {count} = await sql`
    update sessions set end_time = ${time}, end_reason = ${reason}
    where id = ${id} and end_time is null
  `;
  return count === 1;
}

export async function deleteSessionsExpiredBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from sessions where expire_time < ${time}`;
}
