import {randomUUID} from 'node:crypto';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {putRoleBinding} from '../store/role-bindings.ts';
import {insertSession} from '../store/sessions.ts';
import {insertUser} from '../store/users.ts';
import {assertMayLogIn, countFailedLogin, networkOf} from './login-throttle.ts';

const postgres = postgresOf(test);

const now = new Date('2026-11-26T12:00:00Z');

async function failTimes(sql: Sql, count: number, at: (index: number) => [string, string]) {
  for (let index = 0; index < count; index += 1) {
    const [username, address] = at(index);
    await countFailedLogin(sql, {username, address, now});
  }
}

test('an IPv6 site is its /64, however its addresses are written', t => {
  const cases: readonly [string, string][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:ffff::2', '2001:db8:0:0'],
    ['2001:0db8:0000:0000:1:2:3:4', '2001:db8:0:0'],
    ['2001:db8:0:1::1', '2001:db8:0:1'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ];
  for (const [address, network] of cases) t.is(networkOf(address), network, address);
});

test('an address that tries many names has to wait, and its neighbours have not', async t => {
  const {sql, ...database} = await postgres.createDatabase();
  await using _database = database;
  await failTimes(sql, 30, index => [`user${index}`, '2001:db8::1']);
  const attempt = (address: string) => assertMayLogIn(sql, {username: 'alice', address, now});
  const error = await t.throwsAsync(attempt('2001:db8::ffff'), {instanceOf: DomainError});
  t.is(error?.kind, 'resource_exhausted');
  t.is(error?.retryAfterSeconds, 1);
  await t.notThrowsAsync(attempt('2001:db8:0:1::1'));
});

test('strangers who fail for an account from everywhere do not lock out its owner where they have signed in', async t => {
  const {sql, ...database} = await postgres.createDatabase();
  await using _database = database;
  const id = randomUUID();
  await insertUser(sql, {id, username: 'alice', email: '', passwordHash: null, createTime: now});
  await putRoleBinding(sql, {userId: id, workspaceId: null, role: 'viewer', createTime: now});
  await insertSession(sql, {
    id: randomUUID(),
    userId: id,
    method: 'password',
    address: '10.0.0.1',
    createTime: now,
    expireTime: new Date(now.getTime() + 1000),
  });
  await failTimes(sql, 101, index => ['alice', `10.1.${index}.1`]);
  const attempt = (address: string) => assertMayLogIn(sql, {username: 'alice', address, now});
  await t.throwsAsync(attempt('10.0.0.2'), {message: /try again in 2 seconds/});
  await t.notThrowsAsync(attempt('10.0.0.1'));
  // A neighbour behind the same address does not hold her up either.
  await failTimes(sql, 31, index => [`user${index}`, '10.0.0.1']);
  await t.notThrowsAsync(attempt('10.0.0.1'));
  await t.throwsAsync(assertMayLogIn(sql, {username: 'bob', address: '10.0.0.1', now}));
  // Failures of her own account from there do.
  await failTimes(sql, 5, () => ['alice', '10.0.0.1']);
  await t.throwsAsync(attempt('10.0.0.1'));
});

test('what is remembered has an end: an hour, and 100,000 accounts and addresses', async t => {
  const {sql, ...database} = await postgres.createDatabase();
  await using _database = database;
  await sql`
    insert into login_failures (key, count, last_time)
    select 'account:' || i, 1, ${now}::timestamptz - i * interval '1 millisecond'
    from generate_series(1, 150000) as i
  `;
  await countFailedLogin(sql, {username: 'alice', address: '10.0.0.1', now});
  const [row] = await sql<{count: number}[]>`select count(*)::int as count from login_failures`;
  t.true((row?.count ?? 0) <= 100_001, String(row?.count));
  const later = new Date(now.getTime() + 3_700_000);
  await countFailedLogin(sql, {username: 'bob', address: '10.0.0.1', now: later});
  const [left] = await sql<{count: number}[]>`select count(*)::int as count from login_failures`;
  t.is(left?.count, 3);
});
