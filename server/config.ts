import {join, resolve} from 'node:path';
import process from 'node:process';
import {
  boolean,
  describeSettings,
  integer,
  list,
  loadSettings,
  oneOf,
  port,
  text,
  type Values,
} from '@muster/runtime/config.ts';
import {consoleSettings} from './console-settings.ts';
import {acceptancePolicies} from './domain/acceptance.ts';
import {parseIssuer, roleMap} from './domain/oidc-rules.ts';
import {parseNetworks} from './http/scrape-networks.ts';
import {webhookSettings} from './webhook-settings.ts';

const checkout = resolve(import.meta.dirname, '..');

export const settings = {
  databaseUrl: {
    env: 'DATABASE_URL',
    describe:
      'PostgreSQL: postgres://user:password@host:port/name, or postgres://user@/name?host=/socket/folder',
    parse: text,
    secret: true,
  },
  natsUrl: {
    env: 'NATS_URL',
    describe: 'nats-servers as host:port, separated by commas',
    default: '127.0.0.1:4222',
    parse: list,
  },
  host: {
    env: 'SERVER_HOST',
    describe: 'address that the one port listens on',
    default: '0.0.0.0',
    parse: text,
  },
  port: {
    env: 'SERVER_PORT',
    describe: 'port for Connect, gRPC, gRPC-Web, REST, health and the image store',
    default: '8080',
    parse: port,
  },
  tlsPort: {
    env: 'TLS_PORT',
    describe: 'port for the same over TLS, when there is a certificate',
    default: '8443',
    parse: port,
  },
  tlsCertificateFile: {
    env: 'TLS_CERT_FILE',
    describe: 'PEM file with the certificate of this server and its intermediates; empty: no TLS',
    default: '',
    parse: text,
  },
  tlsKeyFile: {
    env: 'TLS_KEY_FILE',
    describe: 'PEM file with its private key, readable by its owner only',
    default: '',
    parse: text,
  },
  tlsClientCaFile: {
    env: 'TLS_CLIENT_CA_FILE',
    describe: 'PEM file of the CAs whose client certificates are a login; empty: none are',
    default: '',
    parse: text,
  },
  masterKeyFile: {
    env: 'MASTER_KEY_FILE',
    describe:
      'key that seals every secret in PostgreSQL; made when it is missing, the same for every server',
    default: '/var/lib/muster/server/master.key',
    parse: text,
  },
  imageStoreDirectory: {
    env: 'IMAGE_STORE_DIR',
    describe: 'folder of image artifacts, named by their SHA-256',
    default: '/var/lib/muster/images',
    parse: text,
  },
  artifactBytesMax: {
    env: 'ARTIFACT_BYTES_MAX',
    describe: 'largest artifact that builders may upload, in bytes',
    default: String(8 * 1024 ** 3),
    parse: integer(1, Number.MAX_SAFE_INTEGER),
  },
  templatesDirectory: {
    env: 'TEMPLATES_DIR',
    describe: 'folder of the machine templates that come with Muster, read at each start',
    default: join(checkout, 'nixos', 'templates'),
    parse: text,
  },
  localTokenFile: {
    env: 'LOCAL_TOKEN_FILE',
    describe:
      'where to write a new administrator token at each start, readable by its owner only; empty: none',
    default: '',
    parse: text,
  },
  enrollPublicUrl: {
    env: 'ENROLL_PUBLIC_URL',
    describe:
      'where machines reach this server; {edge_host} stands for the address at which a machine reached its edge',
    default: 'http://{edge_host}:8080',
    parse: text,
  },
  natsPublicServers: {
    env: 'NATS_PUBLIC_SERVERS',
    describe: 'where machines reach NATS, as host:port, separated by commas; with {edge_host}',
    default: '{edge_host}:4222',
    parse: list,
  },
  oidcIssuer: {
    env: 'OIDC_ISSUER',
    describe: 'OpenID provider at which people sign in, as https://…; empty: none',
    default: '',
    parse: parseIssuer,
  },
  oidcClientId: {
    env: 'OIDC_CLIENT_ID',
    describe: 'what the OpenID provider knows this server as',
    default: '',
    parse: text,
  },
  oidcClientSecret: {
    env: 'OIDC_CLIENT_SECRET',
    describe: 'secret of that client; empty: a public client',
    default: '',
    parse: text,
    secret: true,
  },
  oidcScopes: {
    env: 'OIDC_SCOPES',
    describe: 'scopes to ask the OpenID provider for',
    default: 'openid profile email',
    parse: text,
  },
  oidcRoleClaim: {
    env: 'OIDC_ROLE_CLAIM',
    describe: "claim that holds a person's groups",
    default: 'groups',
    parse: text,
  },
  oidcUsernameClaim: {
    env: 'OIDC_USERNAME_CLAIM',
    describe: 'claim that holds the user name, at the first sign-in',
    default: 'preferred_username',
    parse: text,
  },
  oidcRoles: {
    env: 'OIDC_ROLES',
    describe:
      'which role each group has, as group=role separated by commas; who is in none is not let in',
    default: '',
    parse: parseRoles,
  },
  oidcRedirectUrls: {
    env: 'OIDC_REDIRECT_URLS',
    describe:
      'where else than to the loopback of their own host the provider may send people back, separated by commas',
    default: '',
    parse: list,
  },
  acceptancePolicy: {
    env: 'ACCEPTANCE_POLICY',
    describe:
      'which machines are let in: open (with a boot token), approve (an operator accepts each), expected-only',
    default: 'open',
    parse: oneOf(...acceptancePolicies),
  },
  newMachinesPerHourMax: {
    env: 'NEW_MACHINES_PER_HOUR_MAX',
    describe: 'new machines that sightings and enrolments may make in an hour',
    default: '2000',
    parse: integer(1, 1_000_000),
  },
  rebootWhenReady: {
    env: 'REBOOT_WHEN_READY',
    describe: 'whether a machine in the registration image is rebooted when its image is ready',
    default: 'true',
    parse: boolean,
  },
  buildTimeLimitSeconds: {
    env: 'BUILD_TIME_LIMIT_SECONDS',
    describe: 'how long one attempt of a build may take',
    default: '7200',
    parse: integer(60, 86_400),
  },
  trialLimitSeconds: {
    env: 'TRIAL_LIMIT_SECONDS',
    describe:
      'how long a machine that has fetched its image may stay silent; two such boots mark the image bad for it',
    default: '600',
    parse: integer(30, 86_400),
  },
  metricsRetentionDays: {
    env: 'METRICS_RETENTION_DAYS',
    describe: 'days that samples are kept',
    default: '14',
    parse: integer(1, 3650),
  },
  metricsMinutesDays: {
    env: 'METRICS_MINUTES_DAYS',
    describe: 'days that aggregates of a minute are kept',
    default: '90',
    parse: integer(1, 3650),
  },
  metricsHoursDays: {
    env: 'METRICS_HOURS_DAYS',
    describe: 'days that aggregates of an hour are kept',
    default: '1095',
    parse: integer(1, 36_500),
  },
  scrapeNetworks: {
    env: 'METRICS_SCRAPE_NETWORKS',
    describe:
      'networks whose hosts read /metrics and /api/v1/metrics without a token, as CIDR separated by commas; loopback always may',
    default: '',
    parse: (value: string) => parseNetworks(list(value)),
  },
  hardwareVersionsMax: {
    env: 'HARDWARE_VERSIONS_MAX',
    describe: 'versions of the hardware that are kept of one machine',
    default: '100',
    parse: integer(2, 10_000),
  },
  hardwareHistoryDays: {
    env: 'HARDWARE_HISTORY_DAYS',
    describe:
      'days that older versions of the hardware, places that components have left, and cleared issues are kept',
    default: '1095',
    parse: integer(1, 36_500),
  },
  auditRetentionDays: {
    env: 'AUDIT_RETENTION_DAYS',
    describe: 'days that entries of the audit are kept; 0 keeps them for ever',
    default: '730',
    parse: integer(0, 36_500),
  },
  ...webhookSettings,
  ...consoleSettings,
  logLevel: {
    env: 'LOG_LEVEL',
    describe: 'debug, info, warn or error',
    default: 'info',
    parse: oneOf('debug', 'info', 'warn', 'error'),
  },
};

function parseRoles(value: string): readonly string[] {
  roleMap(list(value));
  return list(value);
}

export type Config = Values<typeof settings>;

/** Throws one error that names every problem. */
export const loadConfig = (env = process.env): Config => loadSettings(settings, env);

/** For the log at start: every value but the secrets. */
export const describeConfig = (config: Config): object => describeSettings(settings, config);

/** A path of this server for the person at this host; on another host its name stands there. */
export function localUrl(
  {host, port: number}: Pick<Config, 'host' | 'port'>,
  path: string,
): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${number}${path}`;
}
