import {randomUUID} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {openSession} from './db.ts';
import {findUser} from './users.ts';

test('people of an older version keep their roles, passwords and sessions', async t => {
  await using postgres = await startPostgres();
  const sql = openSession(postgres.sql);
  const run = async (name: string) =>
    sql.unsafe(await readFile(new URL(`migrations/${name}.sql`, import.meta.url), 'utf8'));
  try {
    await sql`create schema old`;
    await sql`set search_path to old`;
    await run('0021_users');
    const [root, bob] = [randomUUID(), randomUUID()];
    for (const [id, username, role] of [
      [root, 'root', 'admin'],
      [bob, 'bob', 'viewer'],
    ] as const)
      await sql`
        insert into users (id, username, role, password_hash, create_time)
        values (${id}, ${username}, ${role}, 'a hash', now())
      `;
    await sql`
      insert into sessions (id, user_id, create_time, expire_time)
      values (${randomUUID()}, ${bob}, now(), now() + interval '1 day')
    `;

    for (const name of [
      '0060_people',
      '0061_api_tokens',
      '0062_oidc',
      '0063_client_certificates',
      '0090_workspaces',
    ])
      await run(name);
    t.like(await findUser(sql, root), {username: 'root', role: 'admin', external: false});
    t.like(await findUser(sql, bob), {role: 'viewer', disabled: false, certificateSubject: ''});
    t.like(await sql`select method, last_use_time = create_time as same from sessions`, {
      length: 1,
      0: {method: 'password', same: true},
    });
  } finally {
    await sql.end({timeout: 1});
  }
});
