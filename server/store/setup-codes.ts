import type {Sql} from './db.ts';

export async function replaceSetupCode(
  sql: Sql,
  code: {sha256: Buffer; createTime: Date; expireTime: Date},
): Promise<void> {
  await sql`delete from setup_codes`;
  await sql`insert into setup_codes ${sql(code)}`;
}

/** True for one caller only: the code is gone afterwards. */
export async function takeSetupCode(sql: Sql, sha256: Buffer, now: Date): Promise<boolean> {
  const {count} = await sql`
    delete from setup_codes where sha256 = ${sha256} and expire_time > ${now}
  `;
  return count === 1;
}
