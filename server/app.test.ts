import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import process from 'node:process';
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {createServerConnection, createServiceTransport} from '@muster/runtime/rpc-client.ts';
import {privateKeyOf} from '@muster/runtime/tokens.ts';
import {createUser} from '@nats-io/nkeys';
import test from 'ava';
import {createBrowser, ownPage} from '../test/helpers/browser.ts';
import {findServerBinary} from '../test/helpers/nats.ts';
import {startPostgres} from '../test/helpers/postgres.ts';
import {until} from '../test/helpers/processes.ts';
import {printSetupLink, resetAdministrator, writeNatsConfig} from './commands.ts';
import {startTestServer} from '../test/helpers/test-server.ts';

type Answer = {status: number; body: Record<string, unknown> & {error?: {message: string}}};

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres());
  const server = stack.use(await startTestServer({settings, postgres}));
  const call = async (verb: string, path: string, token = '', body?: object): Promise<Answer> => {
    const response = await fetch(server.url + path, {
      method: verb,
      headers: token === '' ? {} : {authorization: `Bearer ${token}`},
      ...(body ? {body: JSON.stringify(body)} : {}),
    });
    return {status: response.status, body: (await response.json()) as Answer['body']};
  };
  const owned = stack.move();
  return {...server, postgres, call, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

test('from an empty database to a signed-in administrator, without NATS', async t => {
  await using app = await setUp();
  const link = await printSetupLink(app.config);
  const code = /\/setup#(\S+)/.exec(link)?.[1] ?? '';
  const person = {username: 'root', password: 'correct horse'};
  t.is((await app.call('POST', '/api/v1/setup', '', {code, ...person})).status, 200);
  t.is((await app.call('POST', '/api/v1/setup', '', {code, ...person})).status, 403);
  t.regex(await printSetupLink(app.config), /^An administrator exists already/);

  const login = await app.call('POST', '/api/v1/login', '', person);
  t.is(login.status, 200);
  const token = String(login.body['token']);
  t.like(await app.call('GET', '/api/v1/users/me', token), {
    status: 200,
    body: {username: 'root', role: 'admin'},
  });
  const refreshed = await app.call('POST', '/api/v1/refresh', 'stale', {
    refresh_token: login.body['refresh_token'],
  });
  t.is(refreshed.status, 200);
  t.is((await app.call('GET', '/api/v1/users/me', String(refreshed.body['token']))).status, 200);
  t.is((await app.call('GET', '/api/v1/users/me', 'forged.token.x')).status, 401);
  t.is((await app.call('POST', '/api/v1/login', '', {...person, password: 'x'})).status, 401);
});

test('"admin-reset" on the host makes an administrator whose password is printed once', async t => {
  await using app = await setUp();
  const printed = await resetAdministrator(app.config, 'root');
  const password = /\n {2}(\S+)\n/.exec(printed)?.[1] ?? '';
  const login = await app.call('POST', '/api/v1/login', '', {username: 'root', password});
  t.like(login.body, {user: {username: 'root', role: 'admin'}});
  t.like(await app.sql`select actor from events where type = 'user.administrator_reset'`, {
    length: 1,
    0: {actor: 'local'},
  });
  await t.throwsAsync(resetAdministrator(app.config, 'No Name'), {message: /no user name/});
});

test('the local token is the administrator of this run, and its file belongs to its owner', async t => {
  await using app = await setUp();
  t.is((await stat(app.config.localTokenFile)).mode & 0o777, 0o600);
  const token = await app.localToken();
  t.like((await app.call('GET', '/api/v1/users/me', token)).body, {username: 'local'});
  const user = {username: 'bob', password: 'long enough!', role: 'viewer'};
  t.is((await app.call('POST', '/api/v1/users', token, user)).status, 200);
  t.like(await app.sql`select actor from events where type = 'user.created'`, {
    length: 1,
    0: {actor: 'local'},
  });
});

test('a service joins, signs its own requests, and is turned away when revoked', async t => {
  await using app = await setUp();
  const token = await app.localToken();
  const invited = await app.call('POST', '/api/v1/services/join-codes', token, {
    kind: 'builder',
    name: 'b1',
  });
  const pair = createUser();
  const key = privateKeyOf(Buffer.from(pair.getSeed()).toString());
  using connection = createServerConnection(app.url);
  const {sessionManager} = connection;
  const as = (serviceId: string, signer = key) =>
    createClient(
      ServiceService,
      createServiceTransport({baseUrl: app.url, serviceId, key: signer, sessionManager}),
    );
  const code = String(invited.body['code']);
  const {service} = await as('nobody').joinService({code, publicKey: pair.getPublicKey()});
  const id = service?.id ?? '';
  t.is(service?.kind, Service_Kind.BUILDER);

  await as(id).reportService({version: '1', backends: [{name: 'debian', available: true}]});
  const credential = await as(id).issueServiceCredential({});
  t.deepEqual(credential.natsServers, [app.natsAddress]);
  t.is(credential.expiresInSeconds, 3600);
  t.like(await app.call('GET', '/api/v1/services', token), {
    body: {0: {id, name: 'b1', online: true, backends: [{name: 'debian', available: true}]}},
  });

  const stranger = privateKeyOf(Buffer.from(createUser().getSeed()).toString());
  for (const refused of [
    () => as(id, stranger).reportService({}),
    () => as('nobody').reportService({}),
    () => as(id).listServices({}),
  ])
    await t.throwsAsync(refused, {instanceOf: ConnectError});

  t.is((await app.call('DELETE', `/api/v1/services/${id}`, token)).status, 200);
  const error = ConnectError.from(await t.throwsAsync(as(id).reportService({})));
  t.is(error.code, Code.Unauthenticated);
});

test('with the database gone calls say so, and work again when it is back', async t => {
  await using app = await setUp();
  const token = await app.localToken();
  await app.postgres.stop('SIGKILL');
  const {status, body} = await app.call('GET', '/api/v1/users', token);
  t.is(status, 503);
  t.regex(body.error?.message ?? '', /the database does not answer; try again/);
  await until('not ready', async () => (await app.call('GET', '/readyz')).status === 503);

  await app.postgres.start();
  await until('ready', async () => (await app.call('GET', '/readyz')).status === 200);
  t.is((await app.call('GET', '/api/v1/users', token)).status, 200);
});

test('NATS may come late: the server brings it its account and publishes what waited', async t => {
  await using app = await setUp();
  await printSetupLink(app.config);
  const waiting = app.sql`select published from events where type = 'setup_link.created'`;
  t.like(await waiting, {length: 1, 0: {published: false}});
  const folder = join(app.folder, 'nats');
  const path = await writeNatsConfig(app.config, [folder, '--listen', app.natsAddress]);
  t.is((await stat(join(folder, 'server-key.pem'))).mode & 0o777, 0o600);
  await using stack = new AsyncDisposableStack();
  const nats = spawn('setpriv', ['--pdeathsig=KILL', '--', findServerBinary(), '-c', path.trim()], {
    stdio: 'ignore',
  });
  stack.defer(async () => {
    const exit = once(nats, 'exit');
    nats.kill('SIGKILL');
    await exit;
  });
  await until('published', async () => {
    const rows = await app.sql`select 1 from events where not published`;
    return rows.length === 0;
  });
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  t.regex(metrics, /^muster_nats_connected 1$/m);
});

test('the command line says what is wrong with it', t => {
  const main = (args: readonly string[], env: Record<string, string>) =>
    spawnSync(process.execPath, ['server/main.ts', ...args], {env, encoding: 'utf8'});
  const without = main([], {});
  t.is(without.status, 1);
  t.regex(without.stderr, /DATABASE_URL is required/);
  const wrong = main(['dance'], {DATABASE_URL: 'postgres://x@localhost/x'});
  t.is(wrong.status, 2);
  t.regex(wrong.stderr, /^Usage:/);
});

test('a page of this server fetches files by its cookie; that of another site does not', async t => {
  await using app = await setUp({CONSOLE_DIR: '/nonexistent'});
  const local = await app.localToken();
  const person = {username: 'root', password: 'correct horse', role: 'admin'};
  t.is((await app.call('POST', '/api/v1/users', local, person)).status, 200);
  const browser = createBrowser(app.url);
  await browser.call('POST', '/api/v1/login', {...person, role: undefined, cookie: true});
  const fetchBlob = async (from: Readonly<Record<string, string>>) => {
    const headers = {cookie: browser.cookie(), ...from};
    return (await fetch(`${app.url}/blobs/sha256/${'0'.repeat(64)}`, {headers})).status;
  };
  t.is(await fetchBlob(ownPage), 404, 'it is not there');
  t.is(await fetchBlob({referer: `${app.url}/images`}), 404);
  t.is(await fetchBlob({'sec-fetch-site': 'cross-site'}), 401);
  t.is(await fetchBlob({}), 401);
  const page = await fetch(app.url, {headers: {accept: 'text/html'}});
  t.regex(await page.text(), /^The console is not built/);
});
