import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {busOptions, ensureStreams, streams} from '@muster/runtime/bus.ts';
import {silentLogger as log} from '@muster/runtime/log.ts';
import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import {decode, encodeAccount} from '@nats-io/jwt';
import {createOperator, createUser, type KeyPair} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import test from 'ava';
import {findServerBinary} from '../../test/helpers/nats.ts';
import {freePort} from '../../test/helpers/ports.ts';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {pushAccountJwt} from '../clients/nats-accounts.ts';
import {keepConnected} from '../clients/nats.ts';
import {masterKey} from '../secrets.ts';
import {startAccountPusher} from '../workers/push-account.ts';
import {natsConfig} from './nats-config.ts';
import {loadNatsKeys, type NatsKeys} from './nats-keys.ts';
import {createNatsTrust, type NatsTrust} from './nats-trust.ts';

const key = masterKey(Buffer.alloc(32, 7));
const now = () => new Date();
const machineA = '0199c0de-0000-7000-8000-00000000000a';
const machineB = '0199c0de-0000-7000-8000-00000000000b';

/** nats-server with the files that `nats-config` writes. */
async function startNatsServer(keys: NatsKeys) {
  const binary = findServerBinary();
  const folder = await mkdtemp(join(tmpdir(), 'muster-nats-'));
  const port = await freePort();
  const file = (name: string) => join(folder, name);
  await writeFile(file('cert.pem'), keys.certificates.server);
  await writeFile(file('key.pem'), keys.certificates.serverKey, {mode: 0o600});
  await writeFile(
    file('nats.conf'),
    natsConfig(keys, {
      listen: `127.0.0.1:${port}`,
      dataFolder: folder,
      certificateFile: file('cert.pem'),
      privateKeyFile: file('key.pem'),
    }),
  );
  const start = () => {
    const options = ['--pdeathsig=KILL', '--', binary, '-c', file('nats.conf'), '-l', file('log')];
    return spawn('setpriv', options, {stdio: 'ignore'});
  };
  let child = start();
  const kill = async () => {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  return {
    servers: [`127.0.0.1:${port}`],
    kill,
    start() {
      child = start();
    },
    readLog: () => readFile(file('log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, {recursive: true, force: true});
    },
  };
}

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres());
  const {sql} = postgres;
  const keys = await loadNatsKeys({sql, now, key});
  const trust = createNatsTrust({sql, now, keys});
  const nats = stack.use(await startNatsServer(keys));
  const {servers} = nats;
  const siteCa = trust.siteCa;
  const login = {servers, siteCa, name: 'system', user: await trust.systemUser()};
  const link = stack.use(keepConnected(login, log));
  const push = async (jwt: string) => {
    const system = link.connection();
    if (!system) throw new Error('NATS is away');
    await pushAccountJwt(system, {accountId: trust.accountId, jwt});
  };
  const isConnected = () => link.connection() !== undefined;
  const pusher = stack.use(await startAccountPusher({sql, trust, push, isConnected, log}));
  link.onConnected(pusher.pushSoon);

  let connections: NatsConnection[] = [];
  stack.defer(async () => {
    await Promise.all(connections.map(connection => connection.close()));
  });
  /** Tries again while the account is not there yet. */
  const open = async (name: string, user: {jwt: string; pair: KeyPair}, inbox?: string) => {
    for (const deadline = performance.now() + 20_000; ; await sleep(100)) {
      try {
        const connection = await connect({
          ...busOptions({servers, siteCa, name}),
          authenticator: jwtAuthenticator(user.jwt, user.pair.getSeed()),
          ...(inbox ? {inboxPrefix: inbox} : {}),
          ignoreAuthErrorAbort: false,
        });
        connections = [...connections, connection];
        return connection;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  };
  const owned = stack.move();
  return {sql, keys, trust, nats, push, open, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

async function agent(trust: NatsTrust, machineId: string) {
  const pair = createUser();
  const publicKey = pair.getPublicKey();
  const {jwt, expiresInSeconds} = await trust.issueAgentCredential({machineId, publicKey});
  return {pair, jwt, publicKey, expiresInSeconds};
}

/** What NATS says about an action that the rights do not cover. */
async function refusal(connection: NatsConnection, act: () => void): Promise<string> {
  const status = connection.status()[Symbol.asyncIterator]();
  act();
  for (;;) {
    const {value, done} = await status.next();
    if (done) return 'closed';
    if (value.type === 'error') return value.error.message;
  }
}

test('the installation is made once, whoever comes first', async t => {
  await using postgres = await startPostgres();
  const load = () => loadNatsKeys({sql: postgres.sql, now, key});
  const all = await Promise.all([load(), load(), load()]);
  t.is(new Set(all.map(({operator}) => operator.getPublicKey())).size, 1);
  t.is(new Set(all.map(({certificates}) => certificates.ca)).size, 1);

  const other = masterKey(Buffer.alloc(32, 8));
  await t.throwsAsync(loadNatsKeys({sql: postgres.sql, now, key: other}), {
    message: /sealed with another master key/,
  });
});

test('an agent reaches its own subjects only, a builder its queue only', async t => {
  await using app = await setUp();
  const server = await app.open('server', await app.trust.serverUser());
  await ensureStreams(await jetstreamManager(server));
  for (const name of ['REPORTS', 'METRICS']) {
    const {config} = await (await jetstreamManager(server)).streams.info(name);
    t.true(config.no_ack, `${name} must be no_ack: else agents can make JetStream speak for them`);
  }
  t.is(Object.keys(streams).length, 4);

  const user = await agent(app.trust, machineA);
  t.is(user.expiresInSeconds, 3600);
  const inbox = `muster.inbox.${machineA}`;
  const connection = await app.open('agent', user, inbox);
  const heard = server.subscribe(`muster.reports.agent.${machineA}.hello`, {max: 1});
  await server.flush();
  connection.publish(`muster.reports.agent.${machineA}.hello`, 'hi');
  for await (const message of heard) t.is(message.string(), 'hi');

  for (const subject of [
    `muster.reports.agent.${machineB}.hello`,
    `muster.commands.${machineB}.reboot`,
    `muster.commands.${machineA}.reboot`,
    'muster.events.x',
    'muster.jobs.build',
    'muster.jobs.validate',
    'muster.jobs.test',
    '$JS.API.STREAM.NAMES',
    '$SYS.REQ.CLAIMS.UPDATE',
  ])
    t.regex(
      await refusal(connection, () => connection.publish(subject)),
      /Permissions Violation/i,
      subject,
    );
  for (const subject of [`muster.commands.${machineB}.>`, 'muster.>', '_INBOX.>', '>'])
    t.regex(
      await refusal(connection, () => void connection.subscribe(subject, {callback() {}})),
      /Permissions Violation/i,
      subject,
    );

  const pair = createUser();
  const serviceId = '0199c0de-0000-7000-8000-00000000000c';
  const {jwt} = await app.trust.issueBuilderCredential({serviceId, publicKey: pair.getPublicKey()});
  const builder = await app.open('builder', {jwt, pair}, `muster.inbox.${serviceId}`);
  const manager = await jetstreamManager(server);
  for (const [durable, subject] of [
    ['builders', 'muster.jobs.build'],
    ['validations', 'muster.jobs.validate'],
    ['image-tests', 'muster.jobs.test'],
  ] as const) {
    const filter = {filter_subject: subject, ack_policy: 'explicit'} as const;
    await manager.consumers.add('JOBS', {durable_name: durable, ...filter});
    await jetstream(server).publish(subject, `{"for":"${durable}"}`);
    const consumer = await jetstream(builder).consumers.get('JOBS', durable);
    const job = await consumer.next({expires: 2000});
    t.is(job?.string(), `{"for":"${durable}"}`);
    t.true(await job?.ackAck());
  }
  for (const subject of [
    'muster.jobs.build',
    'muster.jobs.validate',
    'muster.jobs.test',
    '$JS.API.CONSUMER.INFO.JOBS.other',
    '$JS.API.CONSUMER.DELETE.JOBS.validations',
    '$JS.API.STREAM.PURGE.JOBS',
    '$JS.ACK.METRICS.metrics.1.1.1.1.0',
  ])
    t.regex(
      await refusal(builder, () => builder.publish(subject)),
      /Permissions Violation/i,
      subject,
    );
});

test('a revoked agent is dropped at once, others stay, and a restart of NATS forgets nothing', async t => {
  await using app = await setUp();
  const [a, b] = [await agent(app.trust, machineA), await agent(app.trust, machineB)];
  const first = await app.open('a', a, `muster.inbox.${machineA}`);
  const second = await app.open('b', b, `muster.inbox.${machineB}`);

  const dropped = (async () => {
    for await (const {type} of first.status()) if (type === 'disconnect') return;
  })();
  const started = performance.now();
  await app.trust.revoke(a.publicKey);
  await dropped;
  t.log(`dropped after ${Math.round(performance.now() - started)} ms`);
  await first.closed();
  t.false(second.isClosed());
  await second.flush();

  const back = (async () => {
    for await (const {type} of second.status()) if (type === 'reconnect') return;
  })();
  await app.nats.kill();
  app.nats.start();
  await back;
  const login = connect({
    ...busOptions({servers: app.nats.servers, siteCa: app.trust.siteCa, name: 'a'}),
    authenticator: jwtAuthenticator(a.jwt, a.pair.getSeed()),
    maxReconnectAttempts: 0,
    ignoreAuthErrorAbort: false,
  });
  await t.throwsAsync(login, {message: /Authorization Violation|Revoked/i});
});

test('a revocation that no valid credential needs any more is dropped', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const keys = await loadNatsKeys({sql, now, key});
  const start = Date.now();
  let time = start;
  const trust = createNatsTrust({sql, now: () => new Date(time), keys});
  const revoked = async () => {
    let found: Record<string, number> = {};
    await trust.withAccountJwt(async jwt => {
      found = decode<{revocations: Record<string, number>}>(jwt).nats.revocations ?? {};
    });
    return found;
  };
  const publicKey = createUser().getPublicKey();
  await trust.revoke(publicKey);
  t.deepEqual(await revoked(), {[publicKey]: Math.floor(start / 1000)});
  time += 2 * 3600 * 1000;
  t.deepEqual(await revoked(), {});
});

test('an account JWT of a foreign signer is not pushed', async t => {
  await using app = await setUp();
  const {account} = app.keys;
  const byItself = await encodeAccount('MUSTER', account, {}, {signer: account});
  const byOther = await encodeAccount('MUSTER', account, {}, {signer: createOperator()});
  for (const jwt of [byItself, byOther])
    t.throws(() => app.trust.assertPushable(jwt), {message: /not by the operator/});
  t.throws(() => app.trust.assertPushable(`${byOther.slice(0, -4)}AAAA`), {
    message: /verification/,
  });
});
