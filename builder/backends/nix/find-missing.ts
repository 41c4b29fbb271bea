import {access} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {programPath, runProgram} from '../../process.ts';
import {versionOf} from './environment.ts';
import type {NixBackendSettings} from './nix.ts';
import type {NixStore} from './store.ts';

const versionMin = [2, 8] as const;
const checkTimeoutMs = 10_000;

/** Only what can be known at once and without a network; whether nixpkgs can be fetched shows at the first evaluation. */
export async function findMissing(
  settings: NixBackendSettings,
  store: NixStore,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(checkTimeoutMs);
  const env = {PATH: [settings.programDirectory, programPath].filter(Boolean).join(':')};
  const said = await runProgram('nix', ['--version'], {signal, env}).catch(() => undefined);
  if (said === undefined)
    return 'Cannot build with nix: there is no program "nix"; install Nix 2.8 or later (Debian: nix-bin), or name its folder (setting NIX_BIN_DIR)';
  const version = versionOf(said);
  const isOld =
    version[0] < versionMin[0] || (version[0] === versionMin[0] && version[1] < versionMin[1]);
  if (isOld)
    return `Cannot build with nix: this is Nix ${version.join('.')}, at least ${versionMin.join('.')} is needed`;
  if (!(await exists(path.join(settings.flake, 'flake.nix'))))
    return `Cannot build with nix: there is no "${settings.flake}/flake.nix" (setting NIX_FLAKE)`;
  const local = /^path:([^?#]+)|^(\/[^?#]*)/.exec(settings.nixpkgs);
  const folder = local?.[1] ?? local?.[2];
  if (folder !== undefined && !(await exists(path.join(folder, 'flake.nix'))))
    return `Cannot build with nix: there is no nixpkgs at "${folder}" (setting NIX_NIXPKGS)`;
  if (process.getuid?.() !== 0 && !settings.allowDaemon)
    return 'Cannot build with nix: the builder does not run as root, so that it cannot keep builds from the network; run it as root or accept that (setting NIX_ALLOW_DAEMON)';
  return findMissingRights(settings, store);
}

/** Looks once: what a builder may do does not change while it runs. */
async function findMissingRights(
  settings: NixBackendSettings,
  store: NixStore,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(checkTimeoutMs);
  try {
    // Opens the store with the whole configuration that builds will have.
    await store.environment(signal);
  } catch (error) {
    return `Cannot build with nix: Nix does not work here (${messageOf(error)})`;
  }
  if (!store.canIsolate || !settings.sandbox) return undefined;
  return runProgram('true', [], {signal, contained: true, offline: true}).then(
    () => undefined,
    (error: unknown) =>
      `Cannot build with nix: no right to namespaces here, which builds are kept in (${messageOf(error)})`,
  );
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
