import process from 'node:process';
import {
  boolean,
  describeSettings,
  integer,
  list,
  loadSettings,
  oneOf,
  port,
  type Settings,
  text,
  type Values,
} from '@muster/runtime/config.ts';

export const settings = {
  databaseUrl: {
    env: 'DATABASE_URL',
    describe:
      'PostgreSQL: postgres://user@host:port/name, or postgres://user@/name?host=/socket/folder',
    parse: text,
    secret: true,
  },
  natsServers: {
    env: 'NATS_URL',
    describe:
      'host:port of each nats-server, as the server and builders reach it, separated by commas',
    parse: list,
    default: '127.0.0.1:4222',
  },
  host: {
    env: 'SERVER_HOST',
    describe: 'Address to listen on',
    parse: text,
    default: '0.0.0.0',
  },
  port: {
    env: 'SERVER_PORT',
    describe: 'The one port for RPC, REST, health and metrics',
    parse: port,
    default: '8080',
  },
  masterKeyFile: {
    env: 'MASTER_KEY_FILE',
    describe:
      'Seals the secrets in the database; made at the first start; the same on every server',
    parse: text,
    default: '/var/lib/muster/server/master.key',
  },
  imageStoreDir: {
    env: 'IMAGE_STORE_DIR',
    describe: 'Folder of the image store',
    parse: text,
    default: '/var/lib/muster/images',
  },
  localTokenFile: {
    env: 'LOCAL_TOKEN_FILE',
    describe: 'Where each start writes a new token of the local administrator; empty: nowhere',
    parse: text,
    default: '',
  },
  enrollPublicUrl: {
    env: 'ENROLL_PUBLIC_URL',
    describe:
      'This server as machines reach it; {edge_host} is the address at which they reached the edge',
    parse: text,
    default: 'http://{edge_host}:8080',
  },
  natsPublicServers: {
    env: 'NATS_PUBLIC_SERVERS',
    describe:
      'host:port of each nats-server as machines reach it, separated by commas; {edge_host} as above',
    parse: list,
    default: '{edge_host}:4222',
  },
  acceptancePolicy: {
    env: 'ACCEPTANCE_POLICY',
    describe:
      'Which machines with a boot token are enrolled at once: open (all), approve (none), expected-only (those in the inventory)',
    parse: oneOf('open', 'approve', 'expected-only'),
    default: 'open',
  },
  rebootWhenReady: {
    env: 'REBOOT_WHEN_READY',
    describe: 'Whether a machine in the registration image is rebooted when its own image is ready',
    parse: boolean,
    default: 'true',
  },
  artifactBytesMax: {
    env: 'ARTIFACT_BYTES_MAX',
    describe: 'Largest artifact that builders may upload, in bytes',
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    default: String(8 * 1024 ** 3),
  },
  newMachinesPerHourMax: {
    env: 'NEW_MACHINES_PER_HOUR_MAX',
    describe: 'How many new machines sightings and enrolments may make in an hour',
    parse: integer(1, 1_000_000),
    default: '2000',
  },
  buildTimeLimitSeconds: {
    env: 'BUILD_TIME_LIMIT_SECONDS',
    describe: 'How long one attempt of a build may take',
    parse: integer(60, 86_400),
    default: '7200',
  },
  metricsRetentionDays: {
    env: 'METRICS_RETENTION_DAYS',
    describe: 'How many days samples are kept',
    parse: integer(1, 3650),
    default: '14',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    describe: 'trace, debug, info, warn, error',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error'),
    default: 'info',
  },
} as const satisfies Settings;

export type Config = Values<typeof settings>;

export const loadConfig = (env = process.env): Config => loadSettings(settings, env);

export const describeConfig = (config: Config): object => describeSettings(settings, config);

/** For the person at this host; other hosts put their name for it in. */
export function setupUrl(
  {host, port: number}: Pick<Config, 'host' | 'port'>,
  path: string,
): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${number}${path}`;
}
