import http2 from 'node:http2';
import {Code, ConnectError, createClient, type Transport} from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import test, {type ExecutionContext} from 'ava';
import {createBrowser, ownPage, type TestBrowser} from '../../test/helpers/browser.ts';
import {createClientPki} from '../../test/helpers/client-pki.ts';
import {basic, password, startPeople, type TestPeople} from '../../test/helpers/people.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';

const postgres = postgresOf(test);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const credentials = (username: string) => ({username, password, cookie: true});

async function signIn(app: TestPeople, username: string): Promise<TestBrowser> {
  const browser = createBrowser(app.url);
  const {status, body} = await browser.call('POST', '/api/v1/login', credentials(username));
  if (status !== 200) throw new Error(`${status} ${body.error?.message}`);
  return browser;
}

const status = async (browser: TestBrowser, verb = 'GET', path = '/api/v1/caller') =>
  (await browser.call(verb, path)).status;

test('a sign-in sets a cookie that no script reads, and tells its secret nowhere else', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const browser = createBrowser(app.url);
  const {body, setCookies} = await browser.call('POST', '/api/v1/login', credentials('bob'));
  t.is(setCookies.length, 1);
  t.regex(
    setCookies[0] ?? '',
    /^muster-session=muster_session_[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
  );
  t.like(body, {user: {username: 'bob'}, token: '', refresh_token: '', expires_in: 0});
  t.like((await browser.call('GET', '/api/v1/caller')).body, {name: 'user:bob'});

  const secret = browser.cookies.get('muster-session') ?? '';
  const rows = await app.sql`select * from sessions`;
  const kept = JSON.stringify([body, app.logged, await app.events(), rows]);
  t.true(kept.includes('session.started'));
  t.false(kept.includes(secret));
  // A cookie is no token: one that leaks into a header opens nothing.
  t.is((await app.call('GET', '/api/v1/caller', secret)).status, 401);
});

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'Connect JSON over HTTP/1.1': baseUrl =>
    createConnectTransport({baseUrl, httpVersion: '1.1', useBinaryFormat: false}),
  'Connect over HTTP/2': baseUrl =>
    createConnectTransport({baseUrl, httpVersion: '2', idleConnectionTimeoutMs: 1000}),
  'gRPC-Web over HTTP/1.1': baseUrl => createGrpcWebTransport({baseUrl, httpVersion: '1.1'}),
  'gRPC over HTTP/2': baseUrl => createGrpcTransport({baseUrl, idleConnectionTimeoutMs: 1000}),
};

for (const [name, transport] of Object.entries(transports))
  test(`a browser signs in, asks who it is, and signs out by ${name}`, async t => {
    await using app = await startPeople(postgres);
    await app.create('bob', 'operator');
    const client = createClient(SessionService, transport(app.url));
    let setCookies: readonly string[] = [];
    const onHeader = (header: Headers) => (setCookies = header.getSetCookie());
    await client.login(credentials('bob'), {headers: ownPage, onHeader});
    t.is(setCookies.length, 1);
    const headers = {...ownPage, cookie: setCookies[0]?.split(';', 1)[0] ?? ''};
    t.is((await client.getCaller({}, {headers})).name, 'user:bob');

    const foreign = {...headers, 'sec-fetch-site': 'cross-site'};
    const refused = await t.throwsAsync(client.getCaller({}, {headers: foreign}));
    t.is(ConnectError.from(refused).code, Code.PermissionDenied);
    await client.logout({}, {headers, onHeader});
    t.deepEqual(setCookies, ['muster-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict']);
    const over = await t.throwsAsync(client.getCaller({}, {headers}));
    t.is(ConnectError.from(over).code, Code.Unauthenticated);
    t.regex(ConnectError.from(over).rawMessage, /its session has ended; sign in again/);
  });

test('over TLS the cookie has the name and the flag that keep it there', async t => {
  const pki = await createClientPki('site');
  const {certificate, key} = await pki.issue([{CN: ['server']}]);
  const tls = {certificate, privateKey: key, clientCa: undefined};
  await using app = await startPeople(postgres, {}, tls);
  await app.create('bob', 'viewer');
  const session = http2.connect(app.tlsUrl, {ca: pki.ca});
  t.teardown(() => session.close());
  const send = async (headers: http2.OutgoingHttpHeaders, body = '') => {
    const stream = session.request({...headers, origin: app.tlsUrl});
    // A GET has ended already.
    if (body) stream.end(body);
    const answer = await new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>(
      resolve => stream.once('response', resolve),
    );
    stream.resume();
    return answer;
  };
  const login = {':method': 'POST', ':path': '/api/v1/login'};
  const answer = await send(login, JSON.stringify(credentials('bob')));
  const [line = ''] = answer['set-cookie'] ?? [];
  t.regex(line, /^__Host-muster=\S+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/);

  const cookie = line.split(';', 1)[0] ?? '';
  const caller = {':path': '/api/v1/caller', 'sec-fetch-site': 'same-origin'};
  t.is((await send({...caller, cookie}))[':status'], 200);
  const renamed = cookie.replace('__Host-muster', 'muster-session');
  t.is((await send({...caller, cookie: renamed}))[':status'], 401);
  const overPlain = await fetch(`${app.url}/api/v1/caller`, {headers: {...ownPage, cookie}});
  t.is(overPlain.status, 401);
});

test('behind a proxy that ends TLS, PUBLIC_URL makes cookies secure, and the plain port says where to go', async t => {
  const url = 'https://muster.example.net';
  await using app = await startPeople(postgres, {PUBLIC_URL: `${url}/`});
  await app.create('bob', 'viewer');
  const browser = createBrowser(app.url);
  const login = (origin: string) =>
    browser.call('POST', '/api/v1/login', credentials('bob'), {origin});
  t.regex((await login(url)).setCookies[0] ?? '', /^__Host-muster=.*; Secure$/);
  t.is((await browser.call('GET', '/api/v1/caller', undefined, {referer: `${url}/x`})).status, 200);
  const direct = await login(app.url);
  t.is(direct.status, 403);
  t.regex(direct.body.error?.message ?? '', /this server is https:\/\/muster\.example\.net$/);
});

test('what another site makes a browser send does nothing, signing in and out included', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'admin');
  const browser = await signIn(app, 'bob');
  const sites: readonly Readonly<Record<string, string>>[] = [
    {'sec-fetch-site': 'cross-site', origin: 'https://evil.example'},
    {'sec-fetch-site': 'same-site', origin: app.url.replace('127.0.0.1', 'localhost')},
    {'sec-fetch-site': 'none'},
    {origin: 'https://evil.example'},
    {origin: 'null'},
    {referer: 'https://evil.example/'},
    {},
  ];
  for (const from of sites) {
    const what = JSON.stringify(from);
    const read = await browser.call('GET', '/api/v1/users/me', undefined, from);
    t.is(read.status, 403, what);
    t.regex(read.body.error?.message ?? '', /^Cannot accept the cookie: the /, what);
    const made = {username: 'eve', password, role: 'admin'};
    t.is((await browser.call('POST', '/api/v1/users', made, from)).status, 403, what);
    const login = await browser.call('POST', '/api/v1/login', credentials('bob'), from);
    t.deepEqual([login.status, login.setCookies], [403, []], what);
    t.is((await browser.call('POST', '/api/v1/logout', {}, from)).status, 403, what);
  }
  t.is((await app.people.users.list({pageSize: 0, pageToken: ''})).users.length, 1);

  // Where browsers say less: plain HTTP at another host than localhost.
  const own = {origin: app.url};
  t.is((await browser.call('GET', '/api/v1/users/me', undefined, own)).status, 200);
  const link = {referer: `${app.url}/machines`};
  t.is((await browser.call('GET', '/api/v1/users/me', undefined, link)).status, 200);
  t.is((await browser.call('POST', '/api/v1/logout', {}, own)).status, 200);
});

test('a header goes before the cookie, whatever the cookie is worth', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const browser = await signIn(app, 'bob');
  const nameWith = async (authorization: string, from: Readonly<Record<string, string>>) => {
    const headers = {authorization, ...from};
    return (await browser.call('GET', '/api/v1/caller', undefined, headers)).body['name'];
  };
  t.is(await nameWith(`Bearer ${app.local}`, ownPage), 'local');
  t.is(await nameWith(`Bearer ${app.local}`, {origin: 'https://evil.example'}), 'local');
  t.is(await nameWith('Bearer wrong', ownPage), undefined, 'no way around a refused header');
  t.is(await nameWith(basic('bob'), {}), 'user:bob');
});

test('signing out ends the session and takes the cookie back, however often', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const browser = await signIn(app, 'bob');
  const stolen = createBrowser(app.url);
  stolen.cookies.set('muster-session', browser.cookies.get('muster-session') ?? '');
  t.is(await status(stolen), 200);
  for (const what of ['first', 'again']) {
    const out = await browser.call('POST', '/api/v1/logout', {});
    t.is(out.status, 200, what);
    t.regex(out.setCookies[0] ?? '', /^muster-session=; .*Max-Age=0/, what);
  }
  t.is(await status(browser), 401);
  t.is(await status(stolen), 401);
  // A program that forgot its token is told.
  t.is((await app.call('POST', '/api/v1/logout', '', {})).status, 400);
});

test('a session that nobody uses ends; each use keeps it, up to its limit', async t => {
  const settings = {BROWSER_SESSION_IDLE_MINUTES: '30', BROWSER_SESSION_HOURS: '2'};
  await using app = await startPeople(postgres, settings);
  await app.create('bob', 'viewer');
  const idle = await signIn(app, 'bob');
  app.clock.ms += 30 * minuteMs - 1;
  t.is(await status(idle), 200);
  app.clock.ms += 30 * minuteMs;
  t.is(await status(idle), 401);

  const used = await signIn(app, 'bob');
  for (let passed = 0; passed < 2 * hourMs - 20 * minuteMs; passed += 20 * minuteMs) {
    app.clock.ms += 20 * minuteMs;
    t.is(await status(used), 200, `${passed}`);
  }
  app.clock.ms += 20 * minuteMs;
  t.is(await status(used), 401, 'after two hours');
});

test('the last use is written once a minute, not once a call', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const browser = await signIn(app, 'bob');
  const writes = async () => {
    const [row] = await app.sql<{xmin: string; lastUseTime: Date}[]>`
      select xmin::text, last_use_time from sessions
    `;
    return row;
  };
  const before = await writes();
  app.clock.ms += minuteMs - 1;
  for (let calls = 0; calls < 5; calls += 1) await status(browser);
  t.deepEqual(await writes(), before);
  app.clock.ms += 1;
  await Promise.all(Array.from({length: 10}, () => status(browser)));
  const after = await writes();
  t.is(after?.lastUseTime.getTime(), app.clock.ms);
  await status(browser);
  t.is((await writes())?.xmin, after?.xmin);
});

async function endsBy(t: ExecutionContext, end: (app: TestPeople) => Promise<unknown>) {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  await app.create('root', 'admin');
  const browser = await signIn(app, 'bob');
  t.is(await status(browser), 200);
  await end(app);
  t.is(await status(browser), 401);
  t.is((await browser.call('POST', '/api/v1/logout', {})).status, 200);
}

const changed = (change: object) => (app: TestPeople) =>
  app.call('PUT', '/api/v1/users/bob', app.local, change);
test('disabling the user ends it', endsBy, changed({disabled: true}));
test('a new password ends it', endsBy, changed({password: 'another password'}));
test('deleting the user ends it', endsBy, (app: TestPeople) =>
  app.call('DELETE', '/api/v1/users/bob', app.local),
);
test('revoking all sessions of the user ends it', endsBy, (app: TestPeople) =>
  app.call('DELETE', '/api/v1/sessions?user_id=bob', app.local),
);

test('it is listed with the others, revoked by its id, and stays when its owner ends the others', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  await app.logIn('bob');
  app.clock.ms += 1;
  const browser = await signIn(app, 'bob');
  app.clock.ms += 1;
  const other = await signIn(app, 'bob');
  const {body} = await browser.call('GET', '/api/v1/sessions');
  const rows = Object.values(body) as unknown as {id: string; browser: boolean; current: boolean}[];
  t.deepEqual(
    rows.map(({browser, current}) => ({browser, current})),
    [
      {browser: true, current: false},
      {browser: true, current: true},
      {browser: false, current: false},
    ],
  );
  t.is(await status(browser, 'DELETE', `/api/v1/sessions/${rows[0]?.id}`), 200);
  t.is(await status(other), 401);
  t.like((await browser.call('DELETE', '/api/v1/sessions')).body, {revoked_count: 1});
  t.is(await status(browser), 200);

  const change = {current_password: password, new_password: 'another password'};
  t.is((await browser.call('POST', '/api/v1/users/me/password', change)).status, 200);
  t.is(await status(browser), 200, 'its owner changed the password in it');
});

test('a second sign-in in the same browser ends the first; wrong passwords wait as everywhere', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const browser = await signIn(app, 'bob');
  const before = {...ownPage, cookie: browser.cookie()};
  await browser.call('POST', '/api/v1/login', credentials('bob'));
  t.is((await browser.call('GET', '/api/v1/caller', undefined, before)).status, 401);
  t.is(await status(browser), 200);

  const wrong = {...credentials('bob'), password: 'wrong'};
  for (let count = 0; count < 5; count += 1)
    t.is((await browser.call('POST', '/api/v1/login', wrong)).status, 401);
  t.is((await browser.call('POST', '/api/v1/login', wrong)).status, 429);
});

test('what one may do is told of each proof, and per workspace', async t => {
  await using app = await startPeople(postgres);
  const options = async () => (await app.call('GET', '/api/v1/sign-in-options')).body;
  t.like(await options(), {setup_required: true, oidc: false, oidc_name: ''});
  await app.create('root', 'admin');
  t.like(await options(), {setup_required: false});
  t.regex(String((await options())['server_version']), /^\d+\.\d+\.\d+/);

  const everywhere = {workspace_id: '', workspace_name: ''};
  const all = ['view', 'develop', 'operate', 'administer'];
  const local = await app.call('GET', '/api/v1/caller', app.local);
  t.like(local.body, {name: 'local', user: undefined, session_id: '', expire_time: undefined});
  t.deepEqual(local.body['grants'], [{...everywhere, role: 'admin', permissions: all}]);

  await app.create('bob', 'viewer');
  const [blue] = await app.sql<{id: string}[]>`
    insert into workspaces (id, name, description, machines_max, create_time, update_time)
    values (gen_random_uuid(), 'blue', '', 0, now(), now()) returning id
  `;
  await app.sql`
    insert into role_bindings (user_id, workspace_id, role, create_time)
    select id, ${blue?.id ?? ''}, 'operator', now() from users where username = 'bob'
  `;
  const inside = {workspace_id: blue?.id, workspace_name: 'blue'};
  const browser = await signIn(app, 'bob');
  const {body} = await browser.call('GET', '/api/v1/caller');
  t.like(body, {name: 'user:bob', user: {username: 'bob'}});
  t.regex(String(body['session_id']), /^[\da-f-]{36}$/);
  t.is(Date.parse(String(body['expire_time'])), app.clock.ms + 8 * hourMs);
  t.deepEqual(body['grants'], [
    {...everywhere, role: 'viewer', permissions: all.slice(0, 1)},
    {...inside, role: 'operator', permissions: all.slice(0, 3)},
  ]);

  const {id: userId} = body['user'] as {id: string};
  const bob = {name: 'user:bob', userId, role: 'viewer'};
  const made = await app.people.apiTokens.create(bob, {
    name: 'ci',
    role: 'developer',
    lifetimeSeconds: 0,
    userId: '',
    workspace: 'blue',
  });
  const byToken = await app.call('GET', '/api/v1/caller', made.token);
  t.like(byToken.body, {name: 'user:bob', session_id: ''});
  t.deepEqual(byToken.body['grants'], [
    {...inside, role: 'developer', permissions: all.slice(0, 2)},
  ]);
  t.true(all.every(name => name.toUpperCase() in Permission));
});
