import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {accessSync, constants} from 'node:fs';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {env} from 'node:process';
import {createInterface} from 'node:readline';
import {type Account, encodeAccount, encodeOperator, encodeUser, type User} from '@nats-io/jwt';
import {createAccount, createOperator, createUser, fromPublic, type KeyPair} from '@nats-io/nkeys';
import {
  connect,
  jwtAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import {createSitePki, type SitePki} from './site-pki.ts';

const startTimeoutMs = 15_000;
const serverBinary = '/var/lib/muster/tools/nats-server';
const megabyte = 1024 * 1024;
const noLimits = {
  conn: -1,
  subs: -1,
  data: -1,
  payload: -1,
  leaf: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
} as const;

export type TestNats = AsyncDisposable & {
  readonly port: number;
  /** For `nats_servers` of boot.json and for NATS_URL. */
  readonly address: string;
  /** PEM. */
  readonly siteCa: string;
  readonly pki: SitePki;
  /** Where configuration, log and JetStream data lie. */
  readonly directory: string;
  /** All of them with seeds, so that a real server process can play the operator. */
  readonly keys: {readonly operator: KeyPair; readonly fleet: KeyPair; readonly system: KeyPair};
  /** The JWT of the fleet account as preloaded. */
  readonly fleetJwt: string;
  /** A user JWT with an agent's rights (docs/bus.md) for a key whose private part stays with the agent. */
  issueAgent(
    machineId: string,
    publicKey: string,
    options?: {readonly ttlSeconds?: number},
  ): Promise<string>;
  /** A connection with every right in the fleet account, as the server has. The caller closes it. */
  connectServer(options?: Partial<NodeConnectionOptions>): Promise<NatsConnection>;
  /** A connection to the system account. The caller closes it. */
  connectSystem(options?: Partial<NodeConnectionOptions>): Promise<NatsConnection>;
  /** Ends the process and waits for its end; data and port stay. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the process again on the same port and data. */
  start(): Promise<void>;
};

/** A private nats-server on loopback: TLS under its own site CA, operator mode with a full resolver, JetStream. */
export async function startNats(): Promise<TestNats> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-nats-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  const pki = await createSitePki();
  const keys = {operator: createOperator(), fleet: createAccount(), system: createAccount()};
  const fleetJwt = await encodeAccount('FLEET', keys.fleet, fleetClaims, {signer: keys.operator});
  const configFile = join(directory, 'nats.conf');
  const config = await writeServerFiles({directory, pki, keys, fleetJwt});

  await writeFile(configFile, config(-1));
  const processes = createProcessSlot(configFile);
  stack.defer(() => processes.stop('SIGKILL'));
  const port = await processes.start();
  // From now on the port is fixed, so that clients find the server after a restart.
  await writeFile(configFile, config(port));

  // Passed on to node:tls, whose `servername` the client's own type does not know.
  const tls = {ca: pki.siteCa, servername: 'nats.muster'};
  const open = async (user: Credentials, options: Partial<NodeConnectionOptions>) =>
    connect({
      servers: `127.0.0.1:${port}`,
      tls,
      authenticator: jwtAuthenticator(user.jwt, user.key.getSeed()),
      ...options,
    });
  const server = await createCredentials('server', keys.fleet);
  const system = await createCredentials('system', keys.system);
  const owned = stack.move();
  return {
    port,
    address: `127.0.0.1:${port}`,
    siteCa: pki.siteCa,
    pki,
    directory,
    keys,
    fleetJwt,
    issueAgent: (machineId, publicKey, {ttlSeconds = 3600} = {}) =>
      encodeUser(
        `agent-${machineId}`,
        fromPublic(publicKey),
        keys.fleet,
        agentPermissions(machineId),
        {exp: Math.floor(Date.now() / 1000) + ttlSeconds},
      ),
    connectServer: (options = {}) => open(server, {name: 'server', ...options}),
    connectSystem: (options = {}) => open(system, {name: 'system', ...options}),
    stop: (signal = 'SIGTERM') => processes.stop(signal),
    async start() {
      await processes.start();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const fleetClaims: Partial<Account> = {
  limits: {
    ...noLimits,
    mem_storage: 64 * megabyte,
    disk_storage: 4096 * megabyte,
    streams: 20,
    consumer: 1000,
  },
};

const agentPermissions = (machineId: string): Partial<User> => ({
  pub: {allow: [`muster.reports.agent.${machineId}.>`]},
  sub: {allow: [`muster.commands.${machineId}.>`, `muster.inbox.${machineId}.>`]},
});

type Credentials = {readonly key: KeyPair; readonly jwt: string};

async function createCredentials(name: string, account: KeyPair): Promise<Credentials> {
  const key = createUser();
  return {key, jwt: await encodeUser(name, key, account, {})};
}

/** Writes keys and certificates; gives the configuration for a port (-1: any free one). */
async function writeServerFiles({
  directory,
  pki,
  keys,
  fleetJwt,
}: Pick<TestNats, 'directory' | 'pki' | 'keys' | 'fleetJwt'>) {
  const file = (name: string) => join(directory, name);
  await mkdir(file('accounts'));
  await writeFile(file('cert.pem'), pki.natsCertificate);
  await writeFile(file('key.pem'), pki.natsKey, {mode: 0o600});

  const system = keys.system.getPublicKey();
  const operatorJwt = await encodeOperator('MUSTER', keys.operator, {system_account: system});
  const signed = {signer: keys.operator};
  const systemJwt = await encodeAccount('SYS', keys.system, {limits: noLimits}, signed);
  return (port: number) => `listen: "127.0.0.1:${port}"
server_name: test
operator: ${operatorJwt}
system_account: ${system}
resolver: {type: full, dir: "${file('accounts')}", allow_delete: false, interval: "2m", limit: 1000}
resolver_preload: {${system}: ${systemJwt}, ${keys.fleet.getPublicKey()}: ${fleetJwt}}
tls {cert_file: "${file('cert.pem')}", key_file: "${file('key.pem')}", timeout: 5}
jetstream {store_dir: "${file('jetstream')}", max_mem: 128MB, max_file: 8GB}
`;
}

/** One nats-server process at a time. The kernel ends it with its parent, so that a killed test leaves nothing behind. */
function createProcessSlot(configFile: string) {
  const binary = findServerBinary();
  let child: ChildProcess | undefined;
  return {
    /** The port it listens on, once it is ready. */
    async start(): Promise<number> {
      if (child) throw new Error('Cannot start nats-server: it runs already');
      const started = spawn('setpriv', ['--pdeathsig', 'KILL', binary, '-c', configFile], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      return readUntilReady(started);
    },
    async stop(signal: NodeJS.Signals): Promise<void> {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, 'exit');
      running.kill(signal);
      await exited;
    },
  };
}

function readUntilReady(child: ChildProcess): Promise<number> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Error(`Cannot start nats-server: ${why}\n${lines.join('\n')}`));
    const timer = setTimeout(() => fail(`not ready in ${startTimeoutMs} ms`), startTimeoutMs);
    child.once('error', error => fail(error.message));
    child.once('exit', code => fail(`it ended with status ${code}`));
    if (!child.stderr) return fail('no log');

    let port: number | undefined;
    createInterface({input: child.stderr}).on('line', line => {
      // The pipe is read for the whole life of the process: a full one would block the server.
      if (lines.length < 100) lines.push(line);
      const listening = /Listening for client connections on .*:(\d+)$/.exec(line);
      if (listening) port = Number(listening[1]);
      if (!line.includes('Server is ready') || port === undefined) return;
      clearTimeout(timer);
      resolve(port);
    });
  });
}

export function findServerBinary(): string {
  const places = [
    serverBinary,
    ...(env.PATH ?? '').split(delimiter).map(directory => join(directory, 'nats-server')),
  ];
  const found = places.find(isExecutable);
  if (!found)
    throw new Error(
      `Cannot find nats-server at "${serverBinary}" or in PATH: run "npm test" once, which installs it`,
    );
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
