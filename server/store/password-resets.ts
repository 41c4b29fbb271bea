import type {Sql} from './db.ts';

/** An older one of the same user ends. */
export async function replacePasswordReset(
  sql: Sql,
  reset: {userId: string; sha256: Buffer; createTime: Date; expireTime: Date},
): Promise<void> {
  await sql`delete from password_resets where user_id = ${reset.userId}`;
  await sql`insert into password_resets ${sql(reset)}`;
}

export async function hasPasswordReset(sql: Sql, sha256: Buffer, now: Date): Promise<boolean> {
  const rows = await sql`
    select 1 from password_resets where sha256 = ${sha256} and expire_time > ${now}
  `;
  return rows.length > 0;
}

/** The user, for one caller only: the code is gone afterwards. */
export async function takePasswordReset(
  sql: Sql,
  sha256: Buffer,
  now: Date,
): Promise<string | undefined> {
  const [row] = await sql<{userId: string}[]>`
    delete from password_resets where sha256 = ${sha256} and expire_time > ${now} returning user_id
  `;
  return row?.userId;
}

export async function deletePasswordResets(sql: Sql, userId: string): Promise<void> {
  await sql`delete from password_resets where user_id = ${userId}`;
}
