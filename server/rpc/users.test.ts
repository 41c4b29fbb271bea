import test from 'ava';
import {password, startPeople} from '../../test/helpers/people.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';

const postgres = postgresOf(test);

const next = 'another long password';

test('users are made, found by id and by name, changed one field at a time, and deleted', async t => {
  await using app = await startPeople(postgres);
  const body = {username: 'bob', email: 'bob@example.com', password, role: 'viewer'};
  const created = await app.call('POST', '/api/v1/users', app.local, body);
  t.is(created.status, 200);
  t.like(created.body, {username: 'bob', role: 'viewer', disabled: false, external: false});
  const id = String(created.body['id']);
  for (const name of [id, 'bob'])
    t.like((await app.call('GET', `/api/v1/users/${name}`, app.local)).body, {id, username: 'bob'});
  t.is((await app.call('GET', '/api/v1/users/nobody', app.local)).status, 404);

  const path = `/api/v1/users/${id}`;
  const promoted = await app.call('PUT', path, app.local, {role: 'operator'});
  t.like(promoted.body, {role: 'operator', email: 'bob@example.com'});
  t.like((await app.call('PATCH', path, app.local, {email: ''})).body, {
    email: '',
    role: 'operator',
  });
  t.is((await app.call('PUT', path, app.local, {})).status, 400);
  t.is((await app.call('PUT', path, app.local, {role: 'root'})).status, 400);
  t.is((await app.call('PUT', path, app.local, {password: 'short'})).status, 400);

  t.is((await app.call('DELETE', '/api/v1/users/bob', app.local)).status, 200);
  t.is((await app.call('DELETE', path, app.local)).status, 404);
  const events = await app.events();
  t.deepEqual(
    events.map(({type}) => type),
    ['user.created', 'user.updated', 'user.updated', 'user.deleted'],
  );
  t.like(events[1]?.data, {before: {role: 'viewer'}, after: {role: 'operator'}});
});

test('a name that would be taken for something else is refused', async t => {
  await using app = await startPeople(postgres);
  for (const username of ['me', 'local', '0198c0de-0000-7000-8000-000000000001']) {
    const answer = await app.call('POST', '/api/v1/users', app.local, {
      username,
      password,
      role: 'viewer',
    });
    t.is(answer.status, 400, username);
    t.regex(answer.body.error?.message ?? '', /reserved/);
  }
});

test('the last administrator can be neither deleted, nor disabled, nor made less', async t => {
  await using app = await startPeople(postgres);
  await app.create('root', 'admin');
  const attempts = [
    () => app.call('DELETE', '/api/v1/users/root', app.local),
    () => app.call('PUT', '/api/v1/users/root', app.local, {disabled: true}),
    () => app.call('PUT', '/api/v1/users/root', app.local, {role: 'operator'}),
  ];
  for (const attempt of attempts) {
    const {status, body} = await attempt();
    t.is(status, 400);
    t.is(body.error?.code, 'failed_precondition');
    t.regex(body.error?.message ?? '', /last administrator; make another one first/);
  }
  t.is(
    (await app.call('PUT', '/api/v1/users/root', app.local, {email: 'r@example.com'})).status,
    200,
  );

  await app.create('second', 'admin');
  const both = await Promise.all([
    app.call('PUT', '/api/v1/users/root', app.local, {disabled: true}),
    app.call('DELETE', '/api/v1/users/second', app.local),
  ]);
  t.deepEqual(
    both.map(({status}) => status).toSorted((a, b) => a - b),
    [200, 400],
  );
  t.true(await app.people.users.hasAdministrator());
});

test('disabling somebody ends what they have at once, and enabling gives nothing of it back', async t => {
  await using app = await startPeople(postgres);
  const admin = (await app.create('root', 'admin')) && (await app.logIn('root'));
  await app.create('bob', 'operator');
  const bob = await app.logIn('bob');
  const made = await app.call('POST', '/api/v1/tokens', bob.token, {
    name: 'ci',
    permission: 'view',
  });
  const apiToken = String(made.body['token']);
  for (const token of [bob.token, apiToken])
    t.is((await app.call('GET', '/api/v1/users/me', token)).status, 200);

  const disabled = await app.call('PUT', '/api/v1/users/bob', admin.token, {disabled: true});
  t.like(disabled.body, {disabled: true});
  for (const token of [bob.token, apiToken])
    t.is((await app.call('GET', '/api/v1/users/me', token)).status, 401);
  const refresh = {refresh_token: bob.refreshToken};
  t.is((await app.call('POST', '/api/v1/refresh', '', refresh)).status, 401);
  const login = {username: 'bob', password};
  const refused = await app.call('POST', '/api/v1/login', '', login);
  t.is(refused.status, 403);
  t.regex(refused.body.error?.message ?? '', /disabled; ask an administrator/);
  t.is((await app.call('POST', '/api/v1/login', '', {...login, password: 'x'})).status, 401);

  await app.call('PUT', '/api/v1/users/bob', admin.token, {disabled: false});
  t.is((await app.call('GET', '/api/v1/users/me', bob.token)).status, 401);
  t.is((await app.call('POST', '/api/v1/login', '', login)).status, 200);
});

test('a lower role counts at once for the token that was issued with the higher one', async t => {
  await using app = await startPeople(postgres);
  await app.create('root', 'admin');
  await app.create('eve', 'admin');
  const {token} = await app.logIn('eve');
  t.is((await app.call('GET', '/api/v1/users', token)).status, 200);
  await app.call('PUT', '/api/v1/users/eve', app.local, {role: 'viewer'});
  t.is((await app.call('GET', '/api/v1/users', token)).status, 403);
  t.like((await app.call('GET', '/api/v1/users/me', token)).body, {role: 'viewer'});
});

test('a password is changed with the old one only; the other sessions end, this one goes on', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const here = await app.logIn('bob');
  const there = await app.logIn('bob');
  const change = (current_password: string, new_password = next) =>
    app.call('POST', '/api/v1/users/me/password', here.token, {current_password, new_password});
  const refused = await change('wrong');
  t.is(refused.status, 403, 'the session has not ended');
  t.regex(refused.body.error?.message ?? '', /the present one is wrong/);
  t.is((await change(password, 'short')).status, 400);
  t.is((await change(password)).status, 200);

  t.is((await app.call('GET', '/api/v1/users/me', here.token)).status, 200);
  t.is((await app.call('GET', '/api/v1/users/me', there.token)).status, 401);
  await t.throwsAsync(app.logIn('bob'), {message: /401/});
  t.truthy(await app.logIn('bob', next));
});

test('an administrator sets a password by PUT, which ends every session and every wait', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token} = await app.logIn('bob');
  for (let count = 0; count < 7; count += 1) await t.throwsAsync(app.logIn('bob', 'wrong'));
  await t.throwsAsync(app.logIn('bob'), {message: /429/});
  const set = await app.call('PUT', '/api/v1/users/bob', app.local, {password: next});
  t.is(set.status, 200);
  t.is((await app.call('GET', '/api/v1/users/me', token)).status, 401);
  t.truthy(await app.logIn('bob', next));
});

test('an administrator who sets the own password by PUT stays signed in there, and nowhere else', async t => {
  await using app = await startPeople(postgres);
  await app.create('root', 'admin');
  const here = await app.logIn('root');
  const there = await app.logIn('root');
  t.is((await app.call('PUT', '/api/v1/users/root', here.token, {password: next})).status, 200);
  t.is((await app.call('GET', '/api/v1/users', here.token)).status, 200);
  t.is((await app.call('GET', '/api/v1/users', there.token)).status, 401);
});

test('a reset code sets one password within an hour; an older code and a second use are refused', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const session = await app.logIn('bob');
  const code = async () =>
    String((await app.call('POST', '/api/v1/users/bob/password-resets', app.local)).body['code']);
  const complete = (given: string) =>
    app.call('POST', '/api/v1/password-resets', '', {code: given, new_password: next});

  const older = await code();
  const newer = await code();
  t.is((await complete(older)).status, 403);
  t.is((await app.call('GET', '/api/v1/users/me', session.token)).status, 200);
  const both = await Promise.all([complete(newer), complete(newer)]);
  t.deepEqual(
    both.map(({status}) => status).toSorted((a, b) => a - b),
    [200, 403],
  );
  t.is((await app.call('GET', '/api/v1/users/me', session.token)).status, 401);
  t.truthy(await app.logIn('bob', next));

  const late = await code();
  app.clock.ms += 3_600_000;
  t.is((await complete(late)).status, 403);
  const ofDisabled = await code();
  await app.call('PUT', '/api/v1/users/bob', app.local, {disabled: true});
  t.is((await complete(ofDisabled)).status, 403);
});

test('no secret is in the journal, in the log or in an answer about users', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token, refreshToken} = await app.logIn('bob');
  const reset = await app.call('POST', '/api/v1/users/bob/password-resets', app.local);
  const made = await app.call('POST', '/api/v1/tokens', token, {name: 'ci', permission: 'view'});
  const secrets = [password, next, token, refreshToken];
  secrets.push(String(reset.body['code']), String(made.body['token']));
  await app.call('POST', '/api/v1/password-resets', '', {code: 'x'.repeat(32), new_password: next});
  await app.call('POST', '/api/v1/login', '', {username: 'bob', password: next});
  await app.call('GET', '/api/v1/users', String(made.body['token']));
  t.true(app.logged.length >= 3, 'the refused calls are in the log');

  const lists = await Promise.all(
    ['users', 'tokens?user_id=-', 'sessions?user_id=-'].map(path =>
      app.call('GET', `/api/v1/${path}`, app.local),
    ),
  );
  const text = JSON.stringify([await app.events(), app.logged, lists.map(({body}) => body)]);
  for (const secret of [...secrets, 'argon2id']) t.false(text.includes(secret), secret);
  const stored = JSON.stringify([
    await app.sql`select * from users`,
    await app.sql`select * from api_tokens`,
    await app.sql`select * from password_resets`,
    await app.sql`select * from refresh_tokens`,
  ]);
  for (const secret of secrets) t.false(stored.includes(secret));
});

test('break glass repairs one administrator, on the host only, and what the account had ends', async t => {
  await using app = await startPeople(postgres);
  await app.create('root', 'admin');
  await app.create('eve', 'admin');
  const eve = await app.logIn('eve');
  const made = await app.call('POST', '/api/v1/tokens', eve.token, {
    name: 'ci',
    permission: 'administer',
  });
  const apiToken = String(made.body['token']);
  const path = '/api/v1/administrator-resets';
  for (const token of [eve.token, apiToken]) {
    const refused = await app.call('POST', path, token, {username: 'root'});
    t.is(refused.status, 403);
    t.regex(refused.body.error?.message ?? '', /as root on the host of the server/);
  }

  await app.call('PUT', '/api/v1/users/eve', app.local, {role: 'viewer'});
  await app.call('PUT', '/api/v1/users/eve', app.local, {disabled: true});
  const reset = await app.call('POST', path, app.local, {username: 'eve'});
  t.like(reset.body, {user: {username: 'eve', role: 'admin', disabled: false}});
  for (const token of [eve.token, apiToken])
    t.is((await app.call('GET', '/api/v1/users/me', token)).status, 401);
  const fresh = String(reset.body['password']);
  const {token} = await app.logIn('eve', fresh);
  t.is((await app.call('GET', '/api/v1/users', token)).status, 200);

  t.is((await app.call('POST', path, app.local, {username: 'newcomer'})).status, 200);
  const events = (await app.events()).filter(({type}) => type === 'user.administrator_reset');
  t.like(events, {
    length: 2,
    0: {actor: 'local', data: {username: 'eve', made: false}},
    1: {data: {made: true}},
  });
  t.false(JSON.stringify(events).includes(fresh));
});
