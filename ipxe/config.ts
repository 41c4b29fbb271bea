import process from 'node:process';
import {
  boolean,
  integer,
  loadSettings,
  oneOf,
  port,
  type Setting,
  text,
  type Values,
} from '@muster/runtime/config.ts';

const gibibyte = 1024 ** 3;

/** Every setting of the edge. docs/configuration.md lists them. */
export const edgeSettings = {
  serverUrl: {
    env: 'SERVER_URL',
    describe: 'Where the server is: contract and image store',
    parse: httpUrl,
    default: 'http://127.0.0.1:8080',
  },
  stateDir: {
    env: 'EDGE_STATE_DIR',
    describe: 'Folder of this edge: its key, its service id, the last boot answers, the artifacts',
    parse: text,
    default: '/var/lib/muster/edge',
  },
  joinCode: {
    env: 'JOIN_CODE',
    describe: 'Code of "muster service add edge NAME"; needed until this edge has joined',
    parse: text,
    default: '',
    secret: true,
  },
  httpHost: {
    env: 'HTTP_HOST',
    describe: 'Address that machines reach by HTTP; "::" for IPv6 and IPv4',
    parse: text,
    default: '0.0.0.0',
  },
  httpPort: {
    env: 'EDGE_HTTP_PORT',
    describe: 'Port for scripts and artifacts; 0 for any free one',
    parse: port,
    default: '8081',
  },
  connectionsMax: {
    env: 'EDGE_CONNECTIONS_MAX',
    describe: 'HTTP connections at a time',
    parse: integer(1, 1_000_000),
    default: '16384',
  },
  connectionsPerAddressMax: {
    env: 'EDGE_CONNECTIONS_PER_ADDRESS_MAX',
    describe: 'HTTP connections at a time from one address',
    parse: integer(1, 1_000_000),
    default: '512',
  },
  edgeUrl: {
    env: 'MUSTER_EDGE_URL',
    describe:
      'How machines reach this edge, "http://10.0.0.1:8081"; empty: the address at which each one reached it',
    parse: (value: string) => (value === '' ? '' : httpUrl(value)),
    default: '',
  },
  tftp: {
    env: 'EDGE_TFTP',
    describe: 'Whether boot loaders are served by TFTP',
    parse: boolean,
    default: 'true',
  },
  tftpHost: {
    env: 'TFTP_HOST',
    describe: 'Address of the TFTP server; on a host with several addresses name one',
    parse: text,
    default: '0.0.0.0',
  },
  tftpPort: {
    env: 'TFTP_PORT',
    describe: 'Port of the TFTP server; 0 for any free one',
    parse: port,
    default: '69',
  },
  tftpBlockBytesMax: {
    env: 'TFTP_BLOCK_BYTES_MAX',
    describe: 'Largest TFTP block; above 1468 packets are fragmented on Ethernet',
    parse: integer(512, 65_464),
    default: '1468',
  },
  tftpTransfersMax: {
    env: 'TFTP_TRANSFERS_MAX',
    describe: 'TFTP transfers at a time',
    parse: integer(1, 100_000),
    default: '4096',
  },
  tftpTransfersPerClientMax: {
    env: 'TFTP_TRANSFERS_PER_CLIENT_MAX',
    describe: 'TFTP transfers at a time to one address',
    parse: integer(1, 100_000),
    default: '64',
  },
  loadersDir: {
    env: 'LOADERS_DIR',
    describe: 'Folder with snponly.efi, undionly.kpxe and ipxe.efi',
    parse: text,
    default: '/usr/lib/ipxe',
  },
  artifactCacheBytesMax: {
    env: 'ARTIFACT_CACHE_BYTES_MAX',
    describe: 'Disk space for artifacts',
    parse: integer(1024 * 1024, Number.MAX_SAFE_INTEGER),
    default: String(20 * gibibyte),
  },
  logLevel: {
    env: 'LOG_LEVEL',
    describe: 'How much is logged',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
  },
} satisfies Record<string, Setting<unknown>>;

export type EdgeConfig = Values<typeof edgeSettings>;

/** Without a slash at the end. */
function httpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw new Error(`"${value}" is not an http or https URL`);
  return value.replace(/\/+$/, '');
}

/** The settings of this process: environment, then the file named by MUSTER_CONFIG, then defaults. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): EdgeConfig {
  return loadSettings(edgeSettings, env);
}
