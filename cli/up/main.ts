import {spawnSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {run} from '@muster/runtime/run.ts';
import {Service_Kind} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {type Logger, pino} from 'pino';
import {type Clients, createClients} from '../client.ts';
import {type Config, environmentWith, localTokenFile} from '../config.ts';
import {isRoot, runAsRoot} from '../sudo.ts';
import {lockFile} from '../lock.ts';
import {hostAddresses, renderBanner} from './banner.ts';
import {type Console, openConsole} from './console.ts';
import {joinEnvironment, setupPath} from './joining.ts';
import {assertPortsFree} from './ports.ts';
import {definePostgres} from './postgres.ts';
import {
  defineBuilder,
  defineEdge,
  defineNats,
  defineServer,
  foldersOf,
  natsConfigCommand,
  portsOf,
  root,
  serverEnvironment,
  serverUrlOf,
} from './processes.ts';
import {type ProcessDefinition, supervise} from './supervisor.ts';
import {ensureSystemUser} from './system-user.ts';

const stepLimitMs = 120_000;
const systemUser = 'muster';
const reasonsForRoot =
  'boot loaders are served on UDP port 69, PostgreSQL runs as its own user, builds need namespaces';

/** `muster up`: the whole of Muster on this host, until SIGINT or SIGTERM. */
export async function runUp(config: Config): Promise<void> {
  if (!isRoot()) return runAsRoot(['up'], reasonsForRoot);

  mkdirSync(config.dataFolder, {recursive: true, mode: 0o755});
  const coloured = process.stdout.isTTY && process.stdout.hasColors();
  using console = openConsole({folder: foldersOf(config).log, out: process.stdout, coloured});
  const log = pino(
    {level: 'info', base: {}, timestamp: pino.stdTimeFunctions.isoTime},
    {write: line => console.line('up', line.trimEnd())},
  );
  await run(log, signal => startTree({config, console, log, coloured, signal}));
}

async function startTree({
  config,
  console,
  log,
  coloured,
  signal,
}: {
  config: Config;
  console: Console;
  log: Logger;
  coloured: boolean;
  signal: AbortSignal;
}): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const {dataFolder} = config;
  const folders = foldersOf(config);
  stack.use(lockFile(join(dataFolder, 'up.lock'), `"muster up" on "${dataFolder}" runs already`));
  await assertPortsFree(portsOf(config));
  for (const name of ['nats', 'server', 'edge', 'builder'] as const)
    mkdirSync(folders[name], {recursive: true, mode: 0o700});
  runStep('Bundling the agent', [process.execPath, join(root, 'scripts', 'bundle.ts')]);

  const options = {log, onLine: console.line};
  const start = async (definition: ProcessDefinition) => {
    signal.throwIfAborted();
    const startedMs = performance.now();
    stack.use(await supervise(definition, options, signal));
    log.info({seconds: seconds(startedMs)}, `${definition.name} is ready`);
  };

  if (!config.databaseUrl)
    await start(
      await definePostgres({
        dataFolder: folders.postgres,
        socketFolder: folders.run,
        toolsFolder: folders.tools,
        owner: ensureSystemUser(systemUser, dataFolder, console.say),
      }),
    );
  if (!config.natsUrl) {
    runStep(
      'Writing the configuration of NATS',
      natsConfigCommand(config),
      serverEnvironment(config),
    );
    await start(defineNats(config));
  }
  await start(defineServer(config));

  const clients = localClients(config);
  const joined = (kind: Service_Kind, folder: string) => joinEnvironment(clients, kind, folder);
  await start(defineEdge(config, await joined(Service_Kind.EDGE, folders.edge)));
  await start(defineBuilder(config, await joined(Service_Kind.BUILDER, folders.builder)));

  const link = await setupPath(clients);
  const hasConsole = await showsConsole(serverUrlOf(config));
  const addresses = hostAddresses();
  console.say(renderBanner({config, addresses, hasConsole, setupPath: link, coloured}));
  const owned = stack.move();
  return {
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
      console.say(`Muster has stopped; its data stays in ${dataFolder}`);
    },
  };
}

/** What a browser that goes there gets. */
async function showsConsole(serverUrl: string): Promise<boolean> {
  const {ok} = await fetch(serverUrl, {method: 'HEAD', headers: {accept: 'text/html'}});
  return ok;
}

const seconds = (sinceMs: number): number => Math.round((performance.now() - sinceMs) / 100) / 10;

/** As the local administrator: the server writes a new token at each start. */
function localClients(config: Config): Clients {
  return createClients({
    serverUrl: serverUrlOf(config),
    token: '',
    credentialsFile: '',
    localTokenFile: localTokenFile(config.dataFolder),
  });
}

/** A command that ends by itself. */
function runStep(
  what: string,
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>> = environmentWith({}),
): void {
  const {status, stdout, stderr, error} = spawnSync(program, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: stepLimitMs,
  });
  if (status !== 0)
    throw new Error(`${what} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}
