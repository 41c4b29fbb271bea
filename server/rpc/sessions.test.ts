import test from 'ava';
import {password, startPeople, type TestPeople} from '../../test/helpers/people.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';

const postgres = postgresOf(test);

type Row = {readonly id: string; readonly username: string; readonly current: boolean};

const list = async (app: TestPeople, as: string, query = '') =>
  (await app.call('GET', `/api/v1/sessions${query}`, as)).body as unknown as readonly Row[];

const alive = async (app: TestPeople, token: string) =>
  (await app.call('GET', '/api/v1/users/me', token)).status === 200;

test('a stolen refresh token that is used twice ends the session for both, and is an event', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const victim = await app.logIn('bob');
  const other = await app.logIn('bob');
  const refresh = (refresh_token: unknown) =>
    app.call('POST', '/api/v1/refresh', '', {refresh_token});
  const thief = await refresh(victim.refreshToken);
  t.is(thief.status, 200);
  t.true(await alive(app, String(thief.body['token'])));

  const second = await refresh(victim.refreshToken);
  t.is(second.status, 401);
  t.regex(second.body.error?.message ?? '', /was used before, so the session was ended/);
  t.is((await refresh(thief.body['refresh_token'])).status, 401);
  // Not after 15 minutes: now.
  t.false(await alive(app, String(thief.body['token'])));
  t.false(await alive(app, victim.token));
  t.true(await alive(app, other.token));
  const [event] = (await app.events()).filter(({type}) => type === 'session.token_reused');
  t.like(event, {actor: 'user:bob', data: {address: '127.0.0.1'}});
});

test('the login and the refresh of the Provisioning API server work as they are printed', async t => {
  await using app = await startPeople(postgres);
  await app.create('admin', 'admin');
  const login = await app.call('POST', '/v1/auth/login', '', {username: 'admin', password});
  t.is(login.status, 200);
  t.like(login.body, {expires_in: 900});
  const {refresh_token} = login.body;
  const refreshed = await app.call('POST', '/v1/auth/refresh', '', {refresh_token});
  t.is(refreshed.status, 200);
  t.true(await alive(app, String(refreshed.body['token'])));
  t.is(refreshed.body['expires_in'], 900);
});

test('people see their own sessions and which one asks; administrators see all', async t => {
  await using app = await startPeople(postgres);
  await app.create('alice', 'viewer');
  await app.create('bob', 'viewer');
  const first = await app.logIn('bob');
  app.clock.ms += 1000;
  const second = await app.logIn('bob');
  const rows = await list(app, second.token);
  t.like(rows, {
    length: 2,
    0: {username: 'bob', current: true, method: 'password', address: '127.0.0.1'},
    1: {current: false},
  });
  t.is((await app.call('GET', '/api/v1/sessions?user_id=alice', first.token)).status, 403);
  t.is((await app.call('GET', '/api/v1/sessions?user_id=-', first.token)).status, 403);
  t.is((await list(app, second.token, '?user_id=bob')).length, 2);

  await app.logIn('alice');
  t.is((await list(app, app.local, '?user_id=-')).length, 3);
  t.is((await list(app, app.local, '?user_id=alice')).length, 1);
  t.is((await app.call('GET', '/api/v1/sessions', app.local)).status, 400);
});

test('a revoked session is over at once; that of somebody else is as if it were not there', async t => {
  await using app = await startPeople(postgres);
  await app.create('alice', 'operator');
  await app.create('bob', 'viewer');
  const alice = await app.logIn('alice');
  const lost = await app.logIn('bob');
  const here = await app.logIn('bob');
  const lostId = (await list(app, lost.token)).find(({current}) => current)?.id;
  const path = `/api/v1/sessions/${lostId}`;
  t.is((await app.call('DELETE', path, alice.token)).status, 404);
  t.true(await alive(app, lost.token));
  t.is((await app.call('DELETE', path, here.token)).status, 200);
  t.false(await alive(app, lost.token));
  t.is((await app.call('DELETE', path, here.token)).status, 404);

  const more = await app.logIn('bob');
  const own = await app.call('DELETE', '/api/v1/sessions', here.token);
  t.is(own.body['revoked_count'], 1);
  t.deepEqual([await alive(app, here.token), await alive(app, more.token)], [true, false]);
  t.is((await app.call('DELETE', '/api/v1/sessions?user_id=bob', alice.token)).status, 403);
  t.is((await app.call('DELETE', '/api/v1/sessions?user_id=-', app.local)).status, 400);
  const all = await app.call('DELETE', '/api/v1/sessions?user_id=bob', app.local);
  t.is(all.body['revoked_count'], 1);
  t.false(await alive(app, here.token));
});

test('signing out makes the access token worthless too', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token, refreshToken} = await app.logIn('bob');
  await app.call('POST', '/api/v1/logout', '', {refresh_token: refreshToken});
  t.false(await alive(app, token));
});
