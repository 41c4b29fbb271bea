import {randomUUID} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {DomainError} from '../errors.ts';
import {masterKey} from '../secrets.ts';
import {createAccessTokens} from './access-tokens.ts';
import {waitMsAfter} from './login-throttle.ts';
import {createPasswordCheck} from './password-check.ts';
import {hashPassword, verifyPassword} from './passwords.ts';
import {createSessions} from './sessions.ts';
import {createUsers} from './users.ts';

const postgres = postgresOf(test);

const password = 'correct horse';

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const clock = {ms: Date.now()};
  const now = () => new Date(clock.ms);
  const deps = {sql, now, newId: randomUUID};
  const accessTokens = createAccessTokens({key: masterKey(Buffer.alloc(32, 1)), now});
  const users = createUsers(deps);
  const checkPassword = createPasswordCheck(deps);
  const sessions = createSessions({...deps, accessTokens, checkPassword});
  await users.create('local', {username: 'alice', email: '', password, role: 'operator'});
  const owned = stack.move();
  const eventTypes = async () =>
    (await sql<{type: string}[]>`select type from events order by time, id`).map(({type}) => type);
  return {
    sql,
    clock,
    users,
    sessions,
    accessTokens,
    eventTypes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function kindOf(t: ExecutionContext, call: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(call, {instanceOf: DomainError});
  return error?.kind ?? '';
}

test('a session lasts by refreshing; its access token names the user for 15 minutes', async t => {
  await using app = await setUp();
  const first = await app.sessions.logIn({username: 'alice', password}, '10.0.0.1');
  t.like(await app.accessTokens.verify(first.token), {username: 'alice', role: 'operator'});
  t.like(first.user, {username: 'alice'});
  t.false('passwordHash' in first.user);

  app.clock.ms += 15 * 60_000;
  t.is(await kindOf(t, app.accessTokens.verify(first.token)), 'unauthenticated');
  const second = await app.sessions.refresh(first.refreshToken, '10.0.0.1');
  t.like(await app.accessTokens.verify(second.token), {username: 'alice'});
  const other = createAccessTokens({
    key: masterKey(Buffer.alloc(32, 2)),
    now: () => new Date(app.clock.ms),
  });
  t.is(await kindOf(t, other.verify(second.token)), 'unauthenticated');
});

test('a refresh token that comes again ends the session, also for the thief', async t => {
  await using app = await setUp();
  const {refreshToken} = await app.sessions.logIn({username: 'alice', password}, '10.0.0.1');
  const stolen = await app.sessions.refresh(refreshToken, '10.0.0.1');
  const error = await t.throwsAsync(app.sessions.refresh(refreshToken, '10.0.0.1'));
  t.regex(error?.message ?? '', /was used before, so the session was ended/);
  t.is(await kindOf(t, app.sessions.refresh(stolen.refreshToken, '10.0.0.1')), 'unauthenticated');
  t.true((await app.eventTypes()).includes('session.token_reused'));
});

test('of two refreshes at once with one token, one works and the session ends', async t => {
  await using app = await setUp();
  const {refreshToken} = await app.sessions.logIn({username: 'alice', password}, '10.0.0.1');
  const both = await Promise.allSettled([
    app.sessions.refresh(refreshToken, '10.0.0.1'),
    app.sessions.refresh(refreshToken, '10.0.0.1'),
  ]);
  t.is(both.filter(({status}) => status === 'fulfilled').length, 1);
});

test('signing out ends the session, twice over is no error, and an old session is over', async t => {
  await using app = await setUp();
  const one = await app.sessions.logIn({username: 'alice', password}, '10.0.0.1');
  await app.sessions.logOut(one.refreshToken);
  await app.sessions.logOut(one.refreshToken);
  await app.sessions.logOut('nothing');
  t.is(await kindOf(t, app.sessions.refresh(one.refreshToken, '10.0.0.1')), 'unauthenticated');

  const two = await app.sessions.logIn({username: 'alice', password}, '10.0.0.1');
  app.clock.ms += 31 * 24 * 3_600_000;
  t.is(await kindOf(t, app.sessions.refresh(two.refreshToken, '10.0.0.1')), 'unauthenticated');
});

test('a wrong name and a wrong password sound the same; after five failures there is a wait', async t => {
  await using app = await setUp();
  const attempt = (username: string, given: string, address = '10.0.0.1') =>
    app.sessions.logIn({username, password: given}, address);
  const wrong = await t.throwsAsync(attempt('alice', 'wrong'));
  const unknown = await t.throwsAsync(attempt('nobody', 'wrong'));
  t.is(wrong?.message.replace('alice', 'X'), unknown?.message.replace('nobody', 'X'));

  for (let count = 0; count < 4; count += 1) await t.throwsAsync(attempt('alice', 'wrong'));
  t.is(await kindOf(t, attempt('alice', password)), 'resource_exhausted');
  // Somebody else at the same address, and alice elsewhere, are not held up.
  t.truthy(await attempt('alice', password, '10.0.0.2'));
  app.clock.ms += 2000;
  t.truthy(await attempt('alice', password));
});

test('the wait doubles from 1 second to 15 minutes', t => {
  t.deepEqual(
    [4, 5, 6, 8, 40].map(count => waitMsAfter('pair', count)),
    [0, 1000, 2000, 8000, 900_000],
  );
});

test('a setup link makes one administrator, once, within a day, and a newer one replaces it', async t => {
  await using app = await setUp();
  t.false(await app.users.hasAdministrator());
  const codeOf = async () => (await app.users.createSetupLink('system')).path.split('#')[1] ?? '';
  const root = {username: 'root', email: '', password};
  const replaced = await codeOf();
  const code = await codeOf();
  t.is(await kindOf(t, app.users.completeSetup(replaced, root)), 'permission_denied');
  const both = await Promise.allSettled([
    app.users.completeSetup(code, root),
    app.users.completeSetup(code, {...root, username: 'other'}),
  ]);
  t.is(both.filter(({status}) => status === 'fulfilled').length, 1);
  t.true(await app.users.hasAdministrator());

  const late = await codeOf();
  app.clock.ms += 24 * 3_600_000;
  t.is(
    await kindOf(t, app.users.completeSetup(late, {...root, username: 'third'})),
    'permission_denied',
  );
});

test('a name that is taken does not use up the setup code', async t => {
  await using app = await setUp();
  const code = (await app.users.createSetupLink('system')).path.split('#')[1] ?? '';
  const taken = app.users.completeSetup(code, {username: 'alice', email: '', password});
  t.is(await kindOf(t, taken), 'already_exists');
  t.is(
    (await app.users.completeSetup(code, {username: 'root', email: '', password})).role,
    'admin',
  );
});

test('users are listed by name in pages, and no event holds a secret', async t => {
  await using app = await setUp();
  for (const username of ['dave', 'bob', 'carol'])
    await app.users.create('local', {username, email: '', password, role: 'viewer'});
  const first = await app.users.list({pageSize: 3, pageToken: ''});
  t.deepEqual(
    first.users.map(({username}) => username),
    ['alice', 'bob', 'carol'],
  );
  const second = await app.users.list({pageSize: 3, pageToken: first.nextPageToken});
  t.deepEqual([second.users.map(({username}) => username), second.nextPageToken], [['dave'], '']);
  t.is(await kindOf(t, app.users.list({pageSize: 3, pageToken: '$$'})), 'invalid_argument');

  const signedIn = await app.sessions.logIn({username: 'alice', password}, '10.0.0.1');
  const journal = JSON.stringify(await app.sql`select * from events`);
  for (const secret of [password, signedIn.token, signedIn.refreshToken, 'argon2'])
    t.false(journal.includes(secret));
});

test('a password is stored as argon2id and verifies; nobody has the decoy', async t => {
  const stored = await hashPassword(password);
  t.regex(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  t.true(await verifyPassword(password, stored));
  t.false(await verifyPassword('wrong', stored));
  t.false(await verifyPassword('', undefined));
});
