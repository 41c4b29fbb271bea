import {create} from '@bufbuild/protobuf';
import {CreateApiTokenRequestSchema} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import test from 'ava';
import {basic, password, startPeople, type TestPeople} from '../../test/helpers/people.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';

const postgres = postgresOf(test);

const day = 86_400_000;

async function makeToken(app: TestPeople, as: string, fields: object = {}) {
  const wanted = {name: 'ci', permission: 'view', ...fields};
  const {status, body} = await app.call('POST', '/api/v1/tokens', as, wanted);
  const {id} = (body['api_token'] ?? {}) as {id?: string};
  return {status, body, id: id ?? '', token: String(body['token'])};
}

const whoAmI = (app: TestPeople, as: string) => app.call('GET', '/api/v1/users/me', as);

test('a token works until it expires; its secret is shown once, its last use is noted', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'operator');
  const {token: session} = await app.logIn('bob');
  const made = await makeToken(app, session, {permission: 'operate', lifetime_seconds: 3600});
  t.is(made.status, 200);
  t.regex(made.token, /^muster_token_[\w-]{43}$/);
  t.like(made.body['api_token'], {
    username: 'bob',
    name: 'ci',
    permission: 'operate',
    revoked: false,
  });
  t.like((await whoAmI(app, made.token)).body, {username: 'bob'});

  app.clock.ms += 20_000;
  await whoAmI(app, made.token);
  const list = await app.call('GET', '/api/v1/tokens', session);
  t.false(JSON.stringify(list.body).includes('muster_token_'));
  const [row] = list.body as unknown as Record<string, unknown>[];
  t.like(row, {id: made.id, last_use_address: '127.0.0.1'});
  t.is(Date.parse(String(row?.['last_use_time'])), app.clock.ms - 20_000, 'noted once a minute');

  app.clock.ms += 3_600_000;
  const late = await whoAmI(app, made.token);
  t.is(late.status, 401);
  t.regex(late.body.error?.message ?? '', /it has expired; create another one/);
});

test('a leaked token is worthless after it was revoked, and others are not', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token: session} = await app.logIn('bob');
  const leaked = await makeToken(app, session);
  const kept = await makeToken(app, session, {name: 'other'});
  t.is((await app.call('DELETE', `/api/v1/tokens/${leaked.id}`, session)).status, 200);
  t.is((await app.call('DELETE', `/api/v1/tokens/${leaked.id}`, session)).status, 200);
  t.is((await whoAmI(app, leaked.token)).status, 401);
  t.is((await whoAmI(app, kept.token)).status, 200);
  const events = (await app.events()).filter(({type}) => type === 'token.revoked');
  t.like(events, {length: 1, 0: {actor: 'user:bob', data: {name: 'ci'}}});
});

test('a token guessed, cut, or sent in another letter case is nobody', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token} = await makeToken(app, (await app.logIn('bob')).token);
  const wrong = [
    'muster_token_',
    `muster_token_${'A'.repeat(43)}`,
    token.slice(0, -1),
    `${token}A`,
    token.toLowerCase().replace('muster_token_', 'MUSTER_TOKEN_'),
  ];
  for (const guess of wrong) t.is((await whoAmI(app, guess)).status, 401, guess);
});

test('a token does no more than it is for, and never more than its user', async t => {
  await using app = await startPeople(postgres);
  await app.create('root', 'admin');
  const {token: session} = await app.logIn('root');
  const narrow = await makeToken(app, session);
  const refused = await app.call('GET', '/api/v1/users', narrow.token);
  t.is(refused.status, 403);
  t.regex(refused.body.error?.message ?? '', /with role "viewer": it needs role "admin"/);

  await app.create('second', 'admin');
  const wide = await makeToken(app, session, {name: 'wide', permission: 'administer'});
  t.is((await app.call('GET', '/api/v1/users', wide.token)).status, 200);
  await app.call('PUT', '/api/v1/users/root', app.local, {role: 'viewer'});
  t.is((await app.call('GET', '/api/v1/users', wide.token)).status, 403);

  const again = await app.logIn('root');
  const above = await makeToken(app, again.token, {permission: 'operate'});
  t.is(above.status, 400);
  t.regex(above.body.error?.message ?? '', /"root" has role "viewer"/);
});

test('a token cannot outlive itself: it makes none, and touches neither password nor sessions', async t => {
  await using app = await startPeople(postgres);
  await app.create('root', 'admin');
  await app.create('bob', 'operator');
  const session = await app.logIn('bob');
  const {token, id} = await makeToken(app, session.token, {permission: 'operate'});
  const other = await makeToken(app, session.token, {name: 'other'});
  const change = {current_password: password, new_password: 'a new long password'};
  const attempts: readonly [string, string, object?][] = [
    ['POST', '/api/v1/tokens', {name: 'more', permission: 'view'}],
    ['POST', '/api/v1/users/me/password', change],
    ['DELETE', '/api/v1/sessions'],
    ['DELETE', `/api/v1/tokens/${other.id}`],
  ];
  for (const [verb, path, body] of attempts)
    t.is((await app.call(verb, path, token, body)).status, 403, path);

  const admin = await makeToken(app, (await app.logIn('root')).token, {permission: 'administer'});
  t.is((await makeToken(app, admin.token, {user_id: 'bob'})).status, 403);
  // It may end itself: whoever finds one can make it harmless.
  t.is((await app.call('DELETE', `/api/v1/tokens/${id}`, token)).status, 200);
  t.is((await whoAmI(app, token)).status, 401);
});

test('people see and revoke their own tokens; administrators those of all, and make them for programs', async t => {
  await using app = await startPeople(postgres);
  await app.create('alice', 'operator');
  await app.create('bob', 'operator');
  const alice = (await app.logIn('alice')).token;
  const bob = (await app.logIn('bob')).token;
  const {id} = await makeToken(app, alice);
  t.deepEqual((await app.call('GET', '/api/v1/tokens', bob)).body, [] as never);
  for (const whose of ['alice', '-', '0198c0de-0000-7000-8000-000000000001'])
    t.is((await app.call('GET', `/api/v1/tokens?user_id=${whose}`, bob)).status, 403, whose);
  t.is((await makeToken(app, bob, {user_id: 'alice'})).status, 403);
  const foreign = await app.call('DELETE', `/api/v1/tokens/${id}`, bob);
  const missing = await app.call(
    'DELETE',
    '/api/v1/tokens/0198c0de-0000-7000-8000-000000000001',
    bob,
  );
  t.deepEqual([foreign.status, missing.status], [404, 404], 'as if it were not there');

  const own = await makeToken(app, app.local);
  t.is(own.status, 400);
  // Ids of one millisecond have no order.
  app.clock.ms += 1;
  const forProgram = await makeToken(app, app.local, {user_id: 'bob', permission: 'operate'});
  t.like((await whoAmI(app, forProgram.token)).body, {username: 'bob'});
  const all = await app.call('GET', '/api/v1/tokens?user_id=-&page_size=1', app.local);
  t.like(all.body, {length: 1, 0: {username: 'bob'}});
  const rest = `user_id=-&page_token=${all.headers.get('next-page-token')}`;
  t.like((await app.call('GET', `/api/v1/tokens?${rest}`, app.local)).body, {
    length: 1,
    0: {username: 'alice'},
  });
  t.is((await app.call('DELETE', `/api/v1/tokens/${id}`, app.local)).status, 200);
});

test('a token may stand in for the password of HTTP Basic, of its own user only', async t => {
  await using app = await startPeople(postgres);
  await app.create('alice', 'viewer');
  await app.create('bob', 'viewer');
  const {token} = await makeToken(app, (await app.logIn('bob')).token);
  t.like((await whoAmI(app, basic('bob', token))).body, {username: 'bob'});
  t.is((await whoAmI(app, basic('alice', token))).status, 401);
});

test('lifetimes are bounded, 90 days when nothing is said, and one user has at most 100 tokens', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token} = await app.logIn('bob');
  for (const lifetime_seconds of [1, 59, 367 * 86_400])
    t.is((await makeToken(app, token, {lifetime_seconds})).status, 400, String(lifetime_seconds));
  t.is(create(CreateApiTokenRequestSchema).lifetimeSeconds, 0);
  const {body} = await makeToken(app, token);
  const {expire_time: end} = body['api_token'] as {expire_time: string};
  t.is(Date.parse(end), app.clock.ms + 90 * day);

  for (let count = 1; count < 100; count += 1) await makeToken(app, token, {name: `t${count}`});
  const beyond = await makeToken(app, token);
  t.is(beyond.status, 429);
  t.regex(beyond.body.error?.message ?? '', /has 100 already; revoke some first/);
});
