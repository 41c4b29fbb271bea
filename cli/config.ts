import {homedir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {integer, loadSettings, oneOf, port, text, type Values} from '@muster/runtime/config.ts';

/** Everything that `muster` reads from its environment; docs/configuration.md lists the same. */
export const settings = {
  serverUrl: {
    env: 'SERVER_URL',
    describe: 'The server that the commands talk to; `--server` wins',
    default: 'http://127.0.0.1:8080',
    parse: parseUrl,
  },
  token: {
    env: 'MUSTER_TOKEN',
    describe: 'An access token in place of the saved login; `--token` wins',
    default: '',
    parse: text,
    secret: true,
  },
  credentialsFile: {
    env: 'MUSTER_CREDENTIALS_FILE',
    describe: 'Where `muster login` keeps its tokens',
    default: '~/.config/muster/credentials.json',
    parse: expandHome,
  },
  clientCertificateFile: {
    env: 'MUSTER_CLIENT_CERT_FILE',
    describe: 'PEM file of a client certificate that is a login at a server with https',
    default: '',
    parse: text,
  },
  clientKeyFile: {
    env: 'MUSTER_CLIENT_KEY_FILE',
    describe: 'PEM file of its private key',
    default: '',
    parse: text,
  },
  caFile: {
    env: 'MUSTER_CA_FILE',
    describe: 'PEM file of the CA of a server with https; empty: those that Node knows',
    default: '',
    parse: text,
  },
  importDsn: {
    env: 'MUSTER_IMPORT_DSN',
    describe:
      '`import`: the database of the other system, where the password is in no command line',
    default: '',
    parse: text,
    secret: true,
  },
  dataFolder: {
    env: 'MUSTER_DATA_DIR',
    describe: '`up`: everything that it keeps; its local token is found there too',
    default: '/var/lib/muster',
    parse: text,
  },
  serverPort: {
    env: 'SERVER_PORT',
    describe: '`up`: TCP port of the server',
    default: '8080',
    parse: port,
  },
  edgePort: {
    env: 'EDGE_HTTP_PORT',
    describe: '`up`: TCP port of the edge',
    default: '8081',
    parse: port,
  },
  tftpPort: {
    env: 'TFTP_PORT',
    describe: '`up`: UDP port of the edge; firmware only asks 69',
    default: '69',
    parse: port,
  },
  natsPort: {
    env: 'NATS_PORT',
    describe: '`up`: TCP port of nats-server',
    default: '4222',
    parse: port,
  },
  builderPort: {
    env: 'BUILDER_PORT',
    describe: '`up`: TCP port of the builder, for its health only',
    default: '8082',
    parse: port,
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    describe: '`up`: an external PostgreSQL; empty starts one',
    default: '',
    parse: text,
    secret: true,
  },
  natsUrl: {
    env: 'NATS_URL',
    describe: '`up`: an external nats-server, host:port; empty starts one',
    default: '',
    parse: text,
  },
  enrollPublicUrl: {
    env: 'ENROLL_PUBLIC_URL',
    describe:
      '`up`: where machines reach the server; empty is http://{edge_host}:SERVER_PORT, {edge_host} being the address at which a machine reached the edge',
    default: '',
    parse: text,
  },
  natsPublicServers: {
    env: 'NATS_PUBLIC_SERVERS',
    describe: '`up`: where machines reach nats-server; empty is {edge_host}:NATS_PORT',
    default: '',
    parse: text,
  },
  labAccelerator: {
    env: 'LAB_ACCELERATOR',
    describe: '`lab`: tcg emulates, kvm needs /dev/kvm, auto tries kvm for some seconds first',
    default: 'auto',
    parse: oneOf('auto', 'tcg', 'kvm'),
  },
  labMachinesAtOnce: {
    env: 'LAB_MACHINES_AT_ONCE',
    describe: '`lab`: virtual machines that run at the same time; 0: as many as the cores bear',
    default: '0',
    parse: integer(0, 4),
  },
  labMemoryMb: {
    env: 'LAB_MEMORY_MB',
    describe: '`lab`: memory of each virtual machine, in MiB',
    default: '1536',
    parse: integer(512, 65_536),
  },
  labTimeLimitMinutes: {
    env: 'LAB_TIME_LIMIT_MINUTES',
    describe: '`lab`: gives up after this time',
    default: '90',
    parse: integer(1, 1440),
  },
} as const;

export type Config = Values<typeof settings>;

export const loadConfig = (): Config => loadSettings(settings, process.env);

/** What child processes get: this environment, changed. */
export const environmentWith = (
  changes: Readonly<Record<string, string>>,
): Readonly<Record<string, string | undefined>> => ({...process.env, ...changes});

/** Names of the settings that are set here: what sudo shall let through. */
export const namesOfSetVariables = (names: readonly string[]): readonly string[] =>
  names.filter(name => process.env[name] !== undefined);

/** Where the local token of `up` lies. */
export const localTokenFile = (dataFolder: string): string => join(dataFolder, 'local-token');

export function parseUrl(value: string): string {
  const url = URL.parse(value);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`"${value}" is not a URL such as http://127.0.0.1:8080`);
  return url.href.replace(/\/$/, '');
}

function expandHome(value: string): string {
  return value.startsWith('~/') ? join(homedir(), value.slice(2)) : value;
}
