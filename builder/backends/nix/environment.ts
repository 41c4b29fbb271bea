import {access, readFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {programPath, runProgram} from '../../process.ts';

export type NixSettings = {
  /** Folder for jobs, GC roots, keys and caches of this back end. */
  readonly stateDirectory: string;
  /** Where the nix programs are; empty: in the usual places. */
  readonly programDirectory: string;
  /** A store of its own below this folder; empty: the store of this host. */
  readonly storeDirectory: string;
  /** Undefined: as Nix is configured on this host. */
  readonly substituters: readonly string[] | undefined;
  readonly trustedPublicKeys: readonly string[] | undefined;
  readonly sandbox: boolean;
  /** "place=source" or "place"; empty: as Nix is configured, and a shell. */
  readonly sandboxPaths: readonly string[];
  readonly maxJobs: number;
  readonly httpEnvironment: Readonly<Record<string, string>>;
};

/** How every program of Nix is called. */
export type NixEnvironment = {
  readonly variables: Readonly<Record<string, string>>;
  /** "/nix/store" or another one. */
  readonly storePrefix: string;
  readonly version: readonly [major: number, minor: number];
};

const staticShell = '/bin/busybox';

export async function prepareEnvironment(
  settings: NixSettings,
  signal: AbortSignal,
): Promise<NixEnvironment> {
  const variables = {
    ...settings.httpEnvironment,
    PATH: [settings.programDirectory, programPath].filter(Boolean).join(':'),
    HOME: path.join(settings.stateDirectory, 'home'),
    // What a person has configured for themselves is no business of a build.
    NIX_USER_CONF_FILES: '/dev/null',
    NIX_CONFIG: await configText(settings),
    ...ownStore(settings.storeDirectory),
    ...(process.getuid?.() === 0 && {NIX_REMOTE: 'local'}),
  };
  const storePrefix = await runProgram('nix', ['eval', '--raw', '--expr', 'builtins.storeDir'], {
    signal,
    env: variables,
  });
  const version = versionOf(await runProgram('nix', ['--version'], {signal, env: variables}));
  return {variables, storePrefix: storePrefix.trim(), version};
}

/** Of "nix (Nix) 2.8.0"; builds between releases say "2.34pre2025…". */
export function versionOf(text: string): readonly [major: number, minor: number] {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

const ownStore = (directory: string): Readonly<Record<string, string>> =>
  directory === ''
    ? {}
    : {
        NIX_STORE_DIR: path.join(directory, 'store'),
        NIX_STATE_DIR: path.join(directory, 'var'),
        NIX_LOG_DIR: path.join(directory, 'log'),
        NIX_CONF_DIR: path.join(directory, 'etc'),
      };

/** nix.conf(5), over the host's own one. */
async function configText(settings: NixSettings): Promise<string> {
  const {trustedPublicKeys, sandboxPaths, storeDirectory} = settings;
  // Caches hold nothing for a store at another place.
  const substituters = settings.substituters ?? (storeDirectory === '' ? undefined : []);
  const lines = [
    'extra-experimental-features = nix-command flakes',
    `sandbox = ${settings.sandbox}`,
    // Without it Nix builds unprotected where it cannot build protected.
    'sandbox-fallback = false',
    `max-jobs = ${settings.maxJobs}`,
    'accept-flake-config = false',
    'require-sigs = true',
    'builders =',
    'warn-dirty = false',
    'narinfo-cache-positive-ttl = 0',
  ];
  if (substituters) lines.push(`substituters = ${substituters.join(' ')}`);
  if (substituters?.length === 0) lines.push('substitute = false');
  if (trustedPublicKeys) lines.push(`trusted-public-keys = ${trustedPublicKeys.join(' ')}`);
  if (sandboxPaths.length > 0) lines.push(`sandbox-paths = ${sandboxPaths.join(' ')}`);
  else if (await exists(staticShell)) lines.push(`extra-sandbox-paths = /bin/sh=${staticShell}`);
  if (storeDirectory !== '' || !(await hasBuildGroup())) lines.push('build-users-group =');
  return `${lines.join('\n')}\n`;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Debian's nix-bin alone makes no build users; as root Nix refuses to go on when the group is missing. */
const hasBuildGroup = (): Promise<boolean> =>
  readFile('/etc/group', 'utf8').then(
    text => /^nixbld:/m.test(text),
    () => false,
  );
