import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type Client, createClient, type Transport} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import type {DescService} from '@bufbuild/protobuf';
import {serverMemory} from '@muster/cli/up/processes.ts';
import {startPostgres, type TestPostgres} from './postgres.ts';
import {freePort} from './ports.ts';
import {createProcess, type ManagedProcess, ready, until} from './processes.ts';

export const natsServer = '/var/lib/muster/tools/nats-server';

export type Muster = AsyncDisposable & {
  readonly folder: string;
  readonly postgres: TestPostgres;
  readonly server: ManagedProcess;
  readonly nats: ManagedProcess;
  readonly edge: ManagedProcess;
  readonly builder: ManagedProcess;
  readonly serverUrl: string;
  readonly edgeUrl: string;
  readonly builderUrl: string;
  readonly tftpPort: number;
  readonly natsPort: number;
  /** As the local administrator; follows the token file, which is new at each start of the server. */
  client<T extends DescService>(service: T): Client<T>;
  localToken(): Promise<string>;
  /** Undone first when this Muster is disposed. */
  defer(undo: () => Promise<void>): void;
};

/**
 * A whole private Muster: PostgreSQL, nats-server, server and edge as real processes on free loopback ports. The builder is prepared and
 * joined, but started by the test that wants it (`muster.builder.start()`).
 */
export async function startMuster(
  options: {
    readonly serverEnv?: Readonly<Record<string, string>>;
    readonly edgeEnv?: Readonly<Record<string, string>>;
    readonly builderEnv?: Readonly<Record<string, string>>;
    /** In place of those for tests, which do not wait for the disk. */
    readonly postgresSettings?: readonly string[];
    /** For machines in a network namespace: every process listens on all addresses, and TFTP where firmware asks. */
    readonly forMachines?: boolean;
  } = {},
): Promise<Muster> {
  if (!existsSync(natsServer))
    throw new Error(`Cannot start NATS: "${natsServer}" is missing; npm test installs it`);

  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-e2e-'));
  // KEEP=1 leaves the logs to look at.
  if (!process.env.KEEP) stack.defer(() => rm(folder, {recursive: true, force: true}));
  const postgres = stack.use(await startPostgres(options.postgresSettings));
  const [serverPort, natsPort, edgePort, builderPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const host = options.forMachines ? '0.0.0.0' : '127.0.0.1';
  const tftpPort = options.forMachines ? 69 : await freePort();
  const serverUrl = `http://127.0.0.1:${serverPort}`;
  const edgeUrl = `http://127.0.0.1:${edgePort}`;
  const tokenFile = join(folder, 'local-token');
  for (const name of ['server', 'edge', 'builder', 'nats', 'log'])
    await mkdir(join(folder, name), {mode: 0o700});
  const manage = (name: string, command: readonly string[], env: Record<string, string>) => {
    const managed = createProcess(name, {command, env}, join(folder, 'log', `${name}.log`));
    stack.defer(() => managed.stop());
    return managed;
  };

  const serverEnv = {
    ...serverMemory,
    DATABASE_URL: postgres.url,
    NATS_URL: `127.0.0.1:${natsPort}`,
    SERVER_HOST: host,
    SERVER_PORT: String(serverPort),
    MASTER_KEY_FILE: join(folder, 'server', 'master.key'),
    IMAGE_STORE_DIR: join(folder, 'server', 'images'),
    LOCAL_TOKEN_FILE: tokenFile,
    ENROLL_PUBLIC_URL: `http://{edge_host}:${serverPort}`,
    NATS_PUBLIC_SERVERS: `{edge_host}:${natsPort}`,
    ...options.serverEnv,
  };
  const natsFolder = join(folder, 'nats');
  const listen = `${host}:${natsPort}`;
  const config = manage(
    'nats-config',
    ['server/main.ts', 'nats-config', natsFolder, '--listen', listen, '--data', natsFolder],
    serverEnv,
  );
  config.start();
  await until(
    'nats.conf',
    async () => !config.alive() && existsSync(join(natsFolder, 'nats.conf')),
  );
  const nats = manage('nats', [natsServer, '-c', join(natsFolder, 'nats.conf')], {});
  nats.start();
  const server = manage('server', ['server/main.ts'], serverEnv);
  server.start();
  await ready(`${serverUrl}/readyz`);

  const localToken = async () => (await readFile(tokenFile, 'utf8')).trim();
  const transport: Transport = createConnectTransport({
    baseUrl: serverUrl,
    httpVersion: '1.1',
    interceptors: [
      next => async request => {
        request.header.set('authorization', `Bearer ${await localToken()}`);
        return next(request);
      },
    ],
  });
  const client = <T extends DescService>(service: T) => createClient(service, transport);
  const joinCode = async (kind: 1 | 2, name: string) =>
    (await client(ServiceService).createJoinCode({kind, name})).code;

  const edge = manage('edge', ['ipxe/main.ts'], {
    SERVER_URL: serverUrl,
    EDGE_STATE_DIR: join(folder, 'edge'),
    JOIN_CODE: await joinCode(1, 'edge-1'),
    HTTP_HOST: host,
    EDGE_HTTP_PORT: String(edgePort),
    TFTP_HOST: host,
    TFTP_PORT: String(tftpPort),
    ...options.edgeEnv,
  });
  edge.start();
  const builder = manage('builder', ['builder/main.ts'], {
    SERVER_URL: serverUrl,
    BUILDER_STATE_DIR: join(folder, 'builder'),
    JOIN_CODE: await joinCode(2, 'builder-1'),
    BUILDER_HOST: '127.0.0.1',
    BUILDER_PORT: String(builderPort),
    BOOT_TEST_ACCELERATOR: 'tcg',
    ...options.builderEnv,
  });
  await ready(`${edgeUrl}/readyz`);

  const owned = stack.move();
  return {
    folder,
    postgres,
    server,
    nats,
    edge,
    builder,
    serverUrl,
    edgeUrl,
    builderUrl: `http://127.0.0.1:${builderPort}`,
    tftpPort,
    natsPort,
    client,
    localToken,
    defer: undo => owned.defer(undo),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
