import path from 'node:path';
import {boolean, integer, list, text} from '@muster/runtime/config.ts';

const checkout = path.dirname(import.meta.dirname);

/** Empty: as Nix is configured on this host. */
const configuredOr = (value: string): readonly string[] | undefined => {
  if (value.trim() === '') return undefined;
  return value.trim() === 'none' ? [] : list(value);
};

const optionalPath = (value: string): string => (value === '' ? '' : path.resolve(value));

/** The part of the builder's settings that the nix back end reads. */
export const nixTable = {
  nixFlake: {
    env: 'NIX_FLAKE',
    describe: "folder of Muster's own flake (lib.machineImage)",
    default: path.join(checkout, 'nixos'),
    parse: (value: string) => path.resolve(value),
  },
  nixNixpkgs: {
    env: 'NIX_NIXPKGS',
    describe:
      'flake reference of nixpkgs; pinned when it is first used, until it changes or the pin is removed (docs/nix-builds.md)',
    default: 'github:NixOS/nixpkgs/nixos-26.05',
    parse: text,
  },
  nixSubstituters: {
    env: 'NIX_SUBSTITUTERS',
    describe:
      'binary caches, the only network of a build, separated by commas; empty: those of nix.conf; none: no network at all',
    default: '',
    parse: configuredOr,
  },
  nixTrustedPublicKeys: {
    env: 'NIX_TRUSTED_PUBLIC_KEYS',
    describe: 'keys that binary caches sign with, separated by commas; empty: those of nix.conf',
    default: '',
    parse: configuredOr,
  },
  nixProgramsDirectory: {
    env: 'NIX_PROGRAMS_DIR',
    describe: 'folder of the programs nix and nix-store; empty: the usual places',
    default: '',
    parse: optionalPath,
  },
  nixStoreRoot: {
    env: 'NIX_STORE_ROOT',
    describe:
      'folder of a Nix store of its own; empty: the store of this host. Binary caches hold nothing for another place than /nix/store',
    default: '',
    parse: optionalPath,
  },
  nixSandbox: {
    env: 'NIX_SANDBOX',
    describe: 'whether each build sees only its own inputs',
    default: 'true',
    parse: boolean,
  },
  nixSandboxPaths: {
    env: 'NIX_SANDBOX_PATHS',
    describe:
      'what every build sees besides, as place=source, separated by commas; empty: as in nix.conf, and busybox as /bin/sh',
    default: '',
    parse: list,
  },
  nixAllowDaemon: {
    env: 'NIX_ALLOW_DAEMON',
    describe:
      'whether a builder that is not root may build by the Nix daemon, although what such a build fetches is not limited to the caches',
    default: 'false',
    parse: boolean,
  },
  nixMaxJobs: {
    env: 'NIX_MAX_JOBS',
    describe: 'derivations that one build builds at a time',
    default: '2',
    parse: integer(1, 256),
  },
  nixEvaluationTimeLimitSeconds: {
    env: 'NIX_EVALUATION_TIME_LIMIT_SECONDS',
    describe: 'an evaluation that takes longer fails',
    default: '300',
    parse: integer(5, 3600),
  },
  nixEvaluationMemoryBytesMax: {
    env: 'NIX_EVALUATION_MEMORY_BYTES_MAX',
    describe: 'memory for one evaluation; NixOS takes about 700 MB',
    default: '2147483648',
    parse: integer(67_108_864, 68_719_476_736),
  },
  nixSilenceLimitSeconds: {
    env: 'NIX_SILENCE_LIMIT_SECONDS',
    describe: 'a derivation that writes nothing for so long fails',
    default: '900',
    parse: integer(10, 86_400),
  },
  nixBuildLogBytesMax: {
    env: 'NIX_BUILD_LOG_BYTES_MAX',
    describe: 'a derivation that writes a longer log fails',
    default: '100000000',
    parse: integer(1_000_000, 10_000_000_000),
  },
  nixCollectGarbage: {
    env: 'NIX_COLLECT_GARBAGE',
    describe: 'whether the store is cleaned of everything that nobody has rooted, every six hours',
    default: 'false',
    parse: boolean,
  },
  nixCacheBytesMax: {
    env: 'NIX_CACHE_BYTES_MAX',
    describe:
      'disk space for the signed binary cache of the systems that were built here; 0 makes none',
    default: '53687091200',
    parse: integer(0, 1_099_511_627_776_000),
  },
  nixPublishBytesMax: {
    env: 'NIX_PUBLISH_BYTES_MAX',
    describe:
      'the largest system, packed, that is given to the server, so that its machines fetch from their edge; 0 publishes none',
    default: '8589934592',
    parse: integer(0, 1_099_511_627_776_000),
  },
  validationSlots: {
    env: 'VALIDATION_SLOTS',
    describe: 'configurations that are checked at a time, beside the builds',
    default: '1',
    parse: integer(1, 16),
  },
} as const;
