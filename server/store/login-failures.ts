import type {Sql} from './db.ts';

export type LoginFailuresRow = {
  readonly key: string;
  readonly count: number;
  readonly lastTime: Date;
};

/** Beyond so many accounts and addresses the ones that failed longest ago are forgotten. */
const rowsMax = 100_000;

export async function listLoginFailures(
  sql: Sql,
  keys: readonly string[],
): Promise<readonly LoginFailuresRow[]> {
  return sql<LoginFailuresRow[]>`
    select key, count, last_time from login_failures where key in ${sql([...keys])}
  `;
}

/** Counts one more; a count that is older than `forgetBefore` begins anew. */
export async function countLoginFailure(
  sql: Sql,
  keys: readonly string[],
  {time, forgetBefore}: {time: Date; forgetBefore: Date},
): Promise<void> {
  const rows = keys.map(key => ({key, count: 1, lastTime: time}));
  await sql`
    insert into login_failures ${sql(rows)}
    on conflict (key) do update set
      count = case when login_failures.last_time < ${forgetBefore} then 1
        else least(login_failures.count + 1, 1000000) end,
      last_time = excluded.last_time
  `;
  await sql`
    delete from login_failures where last_time < greatest(
      ${forgetBefore},
      (select last_time from login_failures order by last_time desc offset ${rowsMax} limit 1)
    )
  `;
}

export async function clearLoginFailures(sql: Sql, keys: readonly string[]): Promise<void> {
  await sql`delete from login_failures where key in ${sql([...keys])}`;
}

/** Of an account: alone and with every address. */
export async function clearLoginFailuresOf(sql: Sql, username: string): Promise<void> {
  await sql`
    delete from login_failures
    where key = ${`account:${username}`} or starts_with(key, ${`pair:${username}@`})
  `;
}
