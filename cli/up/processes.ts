import {join} from 'node:path';
import {type Config, environmentWith, localTokenFile} from '../config.ts';
import type {PortNeed} from './ports.ts';
import {databaseUrl} from './postgres.ts';
import type {ProcessDefinition} from './supervisor.ts';

/** The checkout. */
export const root = join(import.meta.dirname, '..', '..');
const natsServer = '/var/lib/muster/tools/nats-server';
const startLimitMs = 120_000;

/**
 * For the server's process. V8 lets the heap of a process that may take four gigabytes grow to four times of what lives before it collects, and
 * glibc keeps a pool of memory for each thread that compresses: without these, a server that takes in a thousand machines holds 410 MiB, with
 * them 210, for a few per cent of CPU. deploy/systemd and nixos/ say the same.
 */
export const serverMemory = {
  NODE_OPTIONS: '--max-old-space-size=1024 --max-semi-space-size=8',
  MALLOC_ARENA_MAX: '2',
} as const;

/** What lies where below MUSTER_DATA_DIR. */
export function foldersOf({dataFolder}: Config) {
  return {
    postgres: join(dataFolder, 'postgres'),
    run: join(dataFolder, 'run'),
    tools: join(dataFolder, 'tools'),
    nats: join(dataFolder, 'nats'),
    server: join(dataFolder, 'server'),
    edge: join(dataFolder, 'edge'),
    builder: join(dataFolder, 'builder'),
    log: join(dataFolder, 'log'),
  } as const;
}

export const serverUrlOf = ({serverPort}: Config): string => `http://127.0.0.1:${serverPort}`;

/** What the server reads; `server/main.ts nats-config` reads the same. */
export function serverEnvironment(config: Config) {
  const {server, run} = foldersOf(config);
  return environmentWith({
    ...serverMemory,
    // Of two that contradict each other the last one counts.
    NODE_OPTIONS:
      `${serverMemory.NODE_OPTIONS} ${environmentWith({})['NODE_OPTIONS'] ?? ''}`.trim(),
    DATABASE_URL: config.databaseUrl || databaseUrl(run),
    NATS_URL: config.natsUrl || `127.0.0.1:${config.natsPort}`,
    SERVER_PORT: String(config.serverPort),
    MASTER_KEY_FILE: join(server, 'master.key'),
    IMAGE_STORE_DIR: join(server, 'images'),
    LOCAL_TOKEN_FILE: localTokenFile(config.dataFolder),
    ENROLL_PUBLIC_URL: config.enrollPublicUrl || `http://{edge_host}:${config.serverPort}`,
    NATS_PUBLIC_SERVERS: config.natsPublicServers || `{edge_host}:${config.natsPort}`,
  });
}

/** Writes configuration, keys and certificates for nats-server, and ends. */
export const natsConfigCommand = (config: Config): readonly [string, ...string[]] => {
  const {nats} = foldersOf(config);
  const listen = `0.0.0.0:${config.natsPort}`;
  return [...nodeCommand('server'), 'nats-config', nats, '--listen', listen, '--data', nats];
};

export function defineNats(config: Config): ProcessDefinition {
  return {
    ...defaults,
    name: 'nats',
    detail: /\[(INF|DBG|TRC)\]/,
    command: [natsServer, '-c', join(foldersOf(config).nats, 'nats.conf')],
    ready: /Server is ready/,
  };
}

export function defineServer(config: Config): ProcessDefinition {
  return {
    ...defaults,
    name: 'server',
    command: nodeCommand('server'),
    env: serverEnvironment(config),
    ready: signal => answersReady(config.serverPort, signal),
  };
}

export function defineEdge(
  config: Config,
  join: Readonly<Record<string, string>>,
): ProcessDefinition {
  return {
    ...defaults,
    name: 'edge',
    command: nodeCommand('ipxe'),
    env: environmentWith({
      SERVER_URL: serverUrlOf(config),
      EDGE_STATE_DIR: foldersOf(config).edge,
      EDGE_HTTP_PORT: String(config.edgePort),
      TFTP_PORT: String(config.tftpPort),
      ...join,
    }),
    ready: signal => answersReady(config.edgePort, signal),
  };
}

export function defineBuilder(
  config: Config,
  join: Readonly<Record<string, string>>,
): ProcessDefinition {
  return {
    ...defaults,
    name: 'builder',
    command: nodeCommand('builder'),
    env: environmentWith({
      SERVER_URL: serverUrlOf(config),
      BUILDER_STATE_DIR: foldersOf(config).builder,
      BUILDER_PORT: String(config.builderPort),
      ...join,
    }),
    ready: signal => answersReady(config.builderPort, signal),
    // A build that runs gets the time to clean up after itself.
    stopLimitMs: 30_000,
  };
}

export const portsOf = (config: Config): readonly PortNeed[] => [
  {port: config.serverPort, protocol: 'TCP', what: 'the server', setting: 'SERVER_PORT'},
  ...(config.natsUrl
    ? []
    : [
        {
          port: config.natsPort,
          protocol: 'TCP',
          what: 'nats-server',
          setting: 'NATS_PORT',
        } as const,
      ]),
  {port: config.edgePort, protocol: 'TCP', what: 'the edge', setting: 'EDGE_HTTP_PORT'},
  {port: config.tftpPort, protocol: 'UDP', what: "the edge's TFTP", setting: 'TFTP_PORT'},
  {port: config.builderPort, protocol: 'TCP', what: 'the builder', setting: 'BUILDER_PORT'},
];

const defaults = {
  stopSignal: 'SIGTERM',
  deathSignal: 'KILL',
  startLimitMs,
  stopLimitMs: 10_000,
} as const;

const nodeCommand = (folder: string): readonly [string, ...string[]] => [
  process.execPath,
  join(root, folder, 'main.ts'),
];

async function answersReady(port: number, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {signal});
  await response.body?.cancel();
  return response.ok;
}
