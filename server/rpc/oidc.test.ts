import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import test from 'ava';
import {createBrowser, ownPage} from '../../test/helpers/browser.ts';
import {type Person, startOidcProvider} from '../../test/helpers/oidc-provider.ts';
import {startPeople, type TestPeople} from '../../test/helpers/people.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {
  isAllowedRedirect,
  mapRole,
  parseIssuer,
  roleMap,
  userNameOf,
} from '../domain/oidc-rules.ts';

const postgres = postgresOf(test);

const redirect = 'http://127.0.0.1:54321/callback';

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack();
  const people = new Map<string, Person>([
    [
      'u1',
      {sub: 'u1', preferred_username: 'Bob', email: 'bob@example.com', groups: ['ops', 'all']},
    ],
    ['u2', {sub: 'u2', preferred_username: 'eve', groups: ['all']}],
  ]);
  const provider = stack.use(await startOidcProvider(people));
  const app = stack.use(
    await startPeople(postgres, {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: 'muster',
      OIDC_CLIENT_SECRET: 'a client secret',
      OIDC_SCOPES: 'openid profile email groups',
      OIDC_ROLES: 'ops=operator,admins=admin',
      OIDC_REDIRECT_URLS: 'https://console.example.net/callback',
      ...settings,
    }),
  );
  const owned = stack.move();
  return {app, provider, people, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

async function begin(app: TestPeople, redirect_url = redirect) {
  const {status, body} = await app.call('POST', '/api/v1/oidc/begin', '', {redirect_url});
  return {
    status,
    url: String(body['authorization_url']),
    secret: String(body['login_secret']),
    message: body.error?.message ?? '',
  };
}

const complete = (app: TestPeople, login_secret: string, callback_url: string) =>
  app.call('POST', '/api/v1/oidc/complete', '', {login_secret, callback_url});

test('a person signs in at the provider, with PKCE, and has the role of the group, as of each login', async t => {
  await using site = await setUp();
  const {app, provider, people} = site;
  const signIn = async () => {
    const begun = await begin(app);
    t.regex(begun.url, /code_challenge_method=S256/);
    return complete(app, begun.secret, await provider.visit(begun.url, 'u1'));
  };
  const first = await signIn();
  t.is(first.status, 200, first.body.error?.message);
  t.like(first.body['user'], {
    username: 'bob',
    email: 'bob@example.com',
    role: 'operator',
    external: true,
  });
  const token = String(first.body['token']);
  t.like((await app.call('GET', '/api/v1/sessions', token)).body, {0: {method: 'oidc'}});
  const refresh = {refresh_token: first.body['refresh_token']};
  t.is((await app.call('POST', '/api/v1/refresh', '', refresh)).status, 200);

  people.set('u1', {sub: 'u1', preferred_username: 'renamed', groups: 'admins'});
  const second = await signIn();
  t.like(second.body['user'], {username: 'bob', role: 'admin'});
  t.is((second.body['user'] as {id: string}).id, (first.body['user'] as {id: string}).id);
  t.is((await app.call('GET', '/api/v1/users', token)).status, 200, 'the older session, too');

  await app.create('root', 'admin');
  people.set('u1', {sub: 'u1', groups: []});
  const third = await signIn();
  t.is(third.status, 403);
  t.is((await app.call('GET', '/api/v1/users/me', token)).status, 401, 'no role, no session');
  const password = await app.call('POST', '/api/v1/login', '', {username: 'bob', password: 'x'});
  t.is(password.status, 401);
});

test('who is in no group with a role is not let in, and no user is made', async t => {
  await using site = await setUp();
  const {app, provider} = site;
  const {url, secret} = await begin(app);
  const refused = await complete(app, secret, await provider.visit(url, 'u2'));
  t.is(refused.status, 403);
  t.regex(refused.body.error?.message ?? '', /claim "groups" names no group that has a role/);
  t.deepEqual((await app.call('GET', '/api/v1/users', app.local)).body, [] as never);
});

test('a name that a local user has is never taken over', async t => {
  await using site = await setUp();
  const {app, provider} = site;
  await app.create('bob', 'admin');
  const {url, secret} = await begin(app);
  const refused = await complete(app, secret, await provider.visit(url, 'u1'));
  t.is(refused.status, 409);
});

test('an answer of another sign-in, a changed one, a used one and a late one are refused', async t => {
  await using site = await setUp();
  const {app, provider} = site;
  const mine = await begin(app);
  const other = await begin(app);
  const callback = await provider.visit(mine.url, 'u1');

  const attempts: readonly [string, string, string][] = [
    ['the secret of another sign-in', other.secret, callback],
    ['a made-up secret', 'AAAA', callback],
    ['no code', mine.secret, redirect],
    ['another state', mine.secret, callback.replace(/state=[^&]+/, 'state=x')],
    [
      'another issuer',
      mine.secret,
      callback.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example'),
    ],
    ['an error', mine.secret, callback.replace(/code=[^&]+/, 'error=access_denied')],
    ['a guessed code', mine.secret, callback.replace(/code=[^&]+/, 'code=guessed')],
  ];
  for (const [what, secret, url] of attempts)
    t.is((await complete(app, secret, url)).status, 401, what);

  t.is((await complete(app, mine.secret, callback)).status, 200);
  t.is((await complete(app, mine.secret, callback)).status, 401, 'a used code');
  const late = await begin(app);
  const lateCallback = await provider.visit(late.url, 'u1');
  app.clock.ms += 10 * 60_000;
  t.is((await complete(app, late.secret, lateCallback)).status, 401, 'after ten minutes');
  const text = JSON.stringify([app.logged, await app.events()]);
  for (const secret of [mine.secret, callback, 'a client secret']) t.false(text.includes(secret));
});

test('a disabled user does not come in by the provider either', async t => {
  await using site = await setUp();
  const {app, provider} = site;
  const signIn = async () => {
    const {url, secret} = await begin(app);
    return complete(app, secret, await provider.visit(url, 'u1'));
  };
  t.is((await signIn()).status, 200);
  await app.call('PUT', '/api/v1/users/bob', app.local, {disabled: true});
  t.is((await signIn()).status, 403);
});

test('nobody is sent back to where it was not agreed, and attempts are counted', async t => {
  await using site = await setUp();
  const {app} = site;
  t.is((await begin(app, 'https://console.example.net/callback')).status, 200);
  t.is((await begin(app, 'https://evil.example/callback')).status, 400);
  for (let count = 0; count < 40; count += 1) await begin(app);
  t.is((await begin(app)).status, 429);
});

test('without a provider, and with one that is away, the sentence says so', async t => {
  await using bare = await startPeople(postgres);
  const none = await begin(bare);
  t.is(none.status, 400);
  t.regex(none.message, /set OIDC_ISSUER and OIDC_CLIENT_ID/);

  const settings = {OIDC_ISSUER: 'http://127.0.0.1:9', OIDC_CLIENT_ID: 'muster'};
  await using away = await startPeople(postgres, settings);
  const unanswered = await begin(away);
  t.is(unanswered.status, 503);
  t.regex(unanswered.message, /the provider does not answer/);
});

test('a browser signs in at the provider with cookies alone, for a day at most', async t => {
  await using site = await setUp({PUBLIC_URL: 'https://console.example.net', OIDC_NAME: 'Staff'});
  const {app, provider} = site;
  const options = await app.call('GET', '/api/v1/sign-in-options');
  t.like(options.body, {oidc: true, oidc_name: 'Staff'});
  const browser = createBrowser(app.url);
  const begin = (redirect_url: string, from: Readonly<Record<string, string>> = ownPage) =>
    browser.call('POST', '/api/v1/oidc/begin', {redirect_url, cookie: true}, from);
  const complete = (callback_url: string, from: Readonly<Record<string, string>> = ownPage) =>
    browser.call('POST', '/api/v1/oidc/complete', {callback_url, cookie: true}, from);

  t.is((await begin('https://console.example.net/oidc/callback')).status, 200, 'of PUBLIC_URL');
  const begun = await begin(redirect);
  t.is(begun.body['login_secret'], '');
  const flags =
    /^__Host-muster-oidc=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Strict; Secure$/;
  t.regex(begun.setCookies[0] ?? '', flags);
  const callback = await provider.visit(String(begun.body['authorization_url']), 'u1');

  t.is((await begin(redirect, {'sec-fetch-site': 'cross-site'})).status, 403);
  t.is((await complete(callback, {'sec-fetch-site': 'cross-site'})).status, 403);
  const stranger = createBrowser(app.url);
  const given = {callback_url: callback, cookie: true};
  t.is((await stranger.call('POST', '/api/v1/oidc/complete', given)).status, 401, 'no cookie');

  const done = await complete(callback);
  t.is(done.status, 200, done.body.error?.message);
  t.like(done.body, {token: '', refresh_token: '', user: {username: 'bob', role: 'operator'}});
  t.deepEqual([...browser.cookies.keys()], ['__Host-muster'], 'the first cookie was taken back');
  t.like((await browser.call('GET', '/api/v1/sessions')).body, {
    0: {method: 'oidc', browser: true},
  });
  for (let hours = 4; hours < 24; hours += 4) {
    app.clock.ms += 4 * 3_600_000;
    t.is((await browser.call('GET', '/api/v1/caller')).status, 200);
  }
  app.clock.ms += 4 * 3_600_000;
  t.is((await browser.call('GET', '/api/v1/caller')).status, 401, 'after a day');
});

test('"muster login --oidc" prints the address, waits for the browser and saves the login', async t => {
  await using site = await setUp();
  const {app, provider} = site;
  const folder = await mkdtemp(join(tmpdir(), 'muster-oidc-'));
  const file = join(folder, 'credentials.json');
  const main = join(import.meta.dirname, '../../cli/main.ts');
  const child = spawn(process.execPath, [main, 'login', '--oidc'], {
    env: {PATH: process.env.PATH, SERVER_URL: app.url, MUSTER_CREDENTIALS_FILE: file},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += String(data)));
  const closed = once(child, 'close');
  for await (const line of createInterface({input: child.stderr})) {
    const url = /http\S+/.exec(line)?.[0];
    if (url) await fetch(await provider.visit(url, 'u1'));
  }
  t.deepEqual(await closed, [0, null], output);
  t.regex(output, /Logged in at .* as bob \(operator\)/);
  t.true((await readFile(file, 'utf8')).includes('"username": "bob"'));
  await rm(folder, {recursive: true});
});

test('rules of claims, redirects and settings', t => {
  const map = roleMap(['ops=operator', 'a=b=admin', 'all=viewer']);
  t.is(mapRole(['all', 'ops', 7], map), 'operator');
  t.is(mapRole('a=b', map), 'admin');
  t.is(mapRole({ops: true}, map), undefined);
  t.is(mapRole(undefined, map), undefined);
  t.throws(() => roleMap(['ops=root']), {message: /"ops=root" is not <group>=<role>/});

  t.is(userNameOf('Bob.Builder@Example.com', 'x'), 'bob.builder-example.com');
  t.throws(() => userNameOf('@', 'preferred_username'), {message: /OIDC_USERNAME_CLAIM/});
  t.throws(() => userNameOf(7, 'preferred_username'));

  for (const url of ['http://127.0.0.1:1/x', 'http://[::1]:1/x', 'https://a.example/cb'])
    t.true(isAllowedRedirect(url, ['https://a.example/cb']), url);
  for (const url of [
    'https://a.example/cb/..',
    'http://127.0.0.1.evil.example/x',
    'http://localhost:1/x',
    'http://u:p@127.0.0.1/x',
    'javascript:alert(1)',
    '',
  ])
    t.false(isAllowedRedirect(url, ['https://a.example/cb']), url);

  for (const issuer of ['', 'https://id.example', 'http://127.0.0.1:1', 'http://localhost'])
    t.is(parseIssuer(issuer), issuer);
  for (const issuer of ['http://id.example', 'id.example', 'ftp://127.0.0.1'])
    t.throws(() => parseIssuer(issuer), undefined, issuer);
});
