import path from 'node:path';
import process from 'node:process';
import {
  integer,
  list,
  loadSettings,
  oneOf,
  port,
  text,
  type Values,
} from '@muster/runtime/config.ts';
import type {Firmware} from './boot-tests/qemu.ts';
import {nixTable} from './nix-config.ts';

const checkout = path.dirname(import.meta.dirname);

const firmwares = (value: string): readonly Firmware[] => {
  const chosen = list(value).map(item => oneOf('bios', 'uefi')(item));
  if (chosen.length === 0) throw new Error('name at least one of bios, uefi');
  return [...new Set(chosen)];
};

const absolutePath = (value: string): string => path.resolve(value);

export const settings = {
  serverUrl: {
    env: 'SERVER_URL',
    describe: 'where the server is',
    default: 'http://127.0.0.1:8080',
    parse: (value: string) => new URL(value).origin,
  },
  stateDirectory: {
    env: 'BUILDER_STATE_DIR',
    describe: "the builder's key, service id, cache and work",
    default: '/var/lib/muster/builder',
    parse: absolutePath,
  },
  joinCode: {
    env: 'JOIN_CODE',
    describe:
      'joins this builder to the server at its first start (muster service add builder NAME)',
    default: '',
    secret: true,
    parse: text,
  },
  buildSlots: {
    env: 'BUILD_SLOTS',
    describe: 'builds at a time',
    default: '1',
    parse: integer(1, 16),
  },
  buildTimeLimitSeconds: {
    env: 'BUILD_TIME_LIMIT_SECONDS',
    describe: 'a build that takes longer fails; the server may set less',
    default: '3600',
    parse: integer(60, 86_400),
  },
  imageTestSlots: {
    env: 'IMAGE_TEST_SLOTS',
    describe: 'tests of images at a time; each is a virtual machine',
    default: '1',
    parse: integer(1, 16),
  },
  bootTestTimeLimitSeconds: {
    env: 'BOOT_TEST_TIME_LIMIT_SECONDS',
    describe: 'a boot test that takes longer fails; generous, because it also holds without KVM',
    default: '600',
    parse: integer(30, 7200),
  },
  bootTestFirmwares: {
    env: 'BOOT_TEST_FIRMWARES',
    describe: 'the firmwares that each image is tested with: bios, uefi',
    default: 'bios,uefi',
    parse: firmwares,
  },
  bootTestAccelerator: {
    env: 'BOOT_TEST_ACCELERATOR',
    describe: 'kvm, tcg (slow, runs everywhere), or auto: KVM once a small machine has run with it',
    default: 'auto',
    parse: oneOf('auto', 'kvm', 'tcg'),
  },
  agentBundle: {
    env: 'AGENT_BUNDLE',
    describe: 'the agent that goes into images (npm run bundle writes it)',
    default: path.join(checkout, 'dist/agent.cjs'),
    parse: absolutePath,
  },
  nodeBinary: {
    env: 'NODE_BINARY',
    describe: 'the Node that goes into images; the default is the one that runs the builder',
    default: process.execPath,
    parse: absolutePath,
  },
  healthHost: {
    env: 'BUILDER_HOST',
    describe: 'the address that answers /healthz, /readyz and /metrics',
    default: '127.0.0.1',
    parse: text,
  },
  healthPort: {
    env: 'BUILDER_PORT',
    describe: 'the port that answers /healthz, /readyz and /metrics; 0 takes a free one',
    default: '8082',
    parse: port,
  },
  logLevel: {
    env: 'LOG_LEVEL',
    describe: 'the least level that is logged',
    default: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
  },
  ...nixTable,
  httpProxy: {
    env: 'http_proxy',
    describe: 'handed to apt, mmdebstrap and nix',
    default: '',
    parse: text,
  },
  httpsProxy: {
    env: 'https_proxy',
    describe: 'handed to apt, mmdebstrap and nix',
    default: '',
    parse: text,
  },
  noProxy: {
    env: 'no_proxy',
    describe: 'handed to apt, mmdebstrap and nix',
    default: '',
    parse: text,
  },
} as const;

export type Config = Values<typeof settings>;

export const loadConfig = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config => loadSettings(settings, env);

/** The environment of programs that download. */
export function programEnvironment(config: Config): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries({
      http_proxy: config.httpProxy,
      https_proxy: config.httpsProxy,
      no_proxy: config.noProxy,
    }).filter(([, value]) => value !== ''),
  );
}

/** Of each kind of thing in the cache: kernels, package sets, node segments, layers. */
export const cacheEntriesMax = 24;
