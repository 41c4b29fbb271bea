import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {createClient} from '@connectrpc/connect';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {silentLogger as log} from '@muster/runtime/log.ts';
import {startServer} from '@muster/server/app.ts';
import {loadConfig} from '@muster/server/config.ts';
import test from 'ava';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {freePort} from '../helpers/ports.ts';
import {ready, until} from '../helpers/processes.ts';
import {bearer, transportWith} from '../helpers/test-server.ts';
import {onHostOf, runCommand} from '../helpers/command.ts';

type Line = Readonly<Record<string, unknown>> & {
  readonly position: number;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly resource: string;
  readonly hash: string;
};

const muster = (lab: Muster, ...args: readonly string[]) => runCommand(args, onHostOf(lab));

const inOrder = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(inOrder)
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, item]) => [name, inOrder(item)]),
        )
      : value;

/** As docs/audit.md says it, from the exported line alone. */
function hashOf(previous: string, line: Line): string {
  const names =
    'position id time call_id actor address method resource action request before after outcome code error count duration_ms';
  const row = names.split(' ').map(name => {
    if (name === 'time') return new Date(String(line['time'])).toISOString();
    return inOrder(line[name] ?? null);
  });
  return createHash('sha256')
    .update(Buffer.from(previous, 'hex'))
    .update(JSON.stringify(row))
    .digest('hex');
}

/** Another server on the same database, with a token of its own. */
async function startSecond(lab: Muster) {
  const config = loadConfig({
    DATABASE_URL: lab.postgres.url,
    NATS_URL: `127.0.0.1:${lab.natsPort}`,
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: String(await freePort()),
    MASTER_KEY_FILE: join(lab.folder, 'server', 'master.key'),
    IMAGE_STORE_DIR: join(lab.folder, 'server', 'images'),
  });
  const server = await startServer(config, log);
  return {server, url: `http://127.0.0.1:${server.port}`};
}

test('two servers and a kill keep one whole chain, which anybody can check from its export', async t => {
  t.timeout(180_000);
  await using lab = await startMuster();
  const users = lab.client(UserService);
  const person = {username: 'olga', password: 'correct horse battery', role: User_Role.ADMIN};
  await users.createUser(person);
  const second = await startSecond(lab);
  await using _stop = second.server;
  void _stop;
  const login = await fetch(`${second.url}/api/v1/login`, {
    method: 'POST',
    body: JSON.stringify({username: 'olga', password: person.password}),
  });
  const {token} = (await login.json()) as {token: string};
  const viaSecond = createClient(MachineService, transportWith(second.url, bearer(token)));

  const acknowledged: string[] = [];
  const create = async (machines: typeof viaSecond, serviceTag: string) => {
    const {machine} = await machines.createMachine({machine: {serviceTag}});
    acknowledged.push(`machines/${machine?.id}`);
  };
  const viaFirst = lab.client(MachineService);
  const calls = Array.from({length: 120}, (_, index) =>
    create(index % 2 ? viaSecond : viaFirst, `TAG${1000 + index}`),
  );
  await Promise.any(calls.slice(0, 8).map(async (call, index) => index % 2 === 0 && (await call)));
  await lab.server.stop('SIGKILL');
  const results = await Promise.allSettled(calls);
  t.true(results.filter(({status}) => status === 'fulfilled').length >= 60);
  lab.server.start();
  await ready(`${lab.serverUrl}/readyz`);

  const {sql} = lab.postgres;
  await until('every entry to be chained', async () => {
    const waiting = await sql`select from audit_entries where position is null`;
    return waiting.length === 0;
  });
  const [unaudited] = await sql<{count: number}[]>`
    select count(*)::int as count from events where id not in (select id from audit_entries)
  `;
  t.is(unaudited?.count, 0);

  const verified = await muster(lab, 'audit', 'verify');
  t.is(verified.status, 0, verified.stderr);
  const known = /--known (\d+:[0-9a-f]{64})/.exec(verified.stdout)?.[1] ?? '';
  t.is((await muster(lab, 'audit', 'verify', '--known', known)).status, 0);

  const answer = await fetch(`${lab.serverUrl}/api/v1/audit/export`, {
    headers: {authorization: `Bearer ${await lab.localToken()}`},
  });
  const lines = (await answer.text())
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line);
  let previous = '0'.repeat(64);
  for (const [index, line] of lines.entries()) {
    t.is(line.position, index + 1);
    t.is(line.hash, hashOf(previous, line), JSON.stringify(line));
    previous = line.hash;
  }
  const told = new Set(lines.map(({resource}) => resource));
  for (const resource of acknowledged) t.true(told.has(resource), resource);
  const actors = new Set(lines.map(({actor}) => actor));
  for (const actor of ['local', 'user:olga', 'edge:edge-1']) t.true(actors.has(actor), actor);
  t.false(JSON.stringify(lines).includes(person.password));

  const query = 'actor=local&outcome=ok&start_time=2020-01-01T00:00:00Z&page_size=2';
  const page = await fetch(`${lab.serverUrl}/api/v1/audit?${query}`, {
    headers: {authorization: `Bearer ${await lab.localToken()}`},
  });
  const newest = (await page.json()) as readonly Line[];
  t.deepEqual(
    newest.map(({actor}) => actor),
    ['local', 'local'],
  );
  t.is(page.headers.get('next-page-token'), String(newest[1]?.position));

  const listed = await muster(
    lab,
    'audit',
    'list',
    '--actor',
    'user:olga',
    '--resource',
    'machines/',
  );
  t.regex(
    listed.stdout,
    /user:olga +127\.0\.0\.1 +MachineService\.CreateMachine → machine\.expected/,
  );
  const exported = await muster(
    lab,
    'audit',
    'export',
    '--actor',
    'edge:edge-1',
    '--since',
    '2020-01-01',
  );
  const line = JSON.parse(exported.stdout.split('\n')[0] ?? '') as Line;
  t.is(line.actor, 'edge:edge-1');
  t.is(line.hash, hashOf(lines[line.position - 2]?.hash ?? '', line), exported.stdout);

  await sql`update audit_entries set actor = 'user:mallory' where position = 5`;
  const broken = await muster(lab, 'audit', 'verify');
  t.is(broken.status, 1);
  t.regex(broken.stdout + broken.stderr, /broken at 5: Entry 5 is not as it was written/);
});
