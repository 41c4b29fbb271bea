import {mkdir, readdir, readFile, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {runProgram} from '../../process.ts';
import type {BuildContext} from '../backend.ts';
import {type CachedSystems, openCachedSystems} from './cached-systems.ts';
import {parseNarInfo} from './narinfo.ts';
import {lastWords, runNix} from './run-nix.ts';
import {loadSigningKey} from './signing-key.ts';
import type {NixStore} from './store.ts';

/**
 * The systems that were built here, as a signed binary cache of static files (`nix-cache-info`, `<hash>.narinfo`, `nar/…`). Whoever serves
 * the folder over HTTP makes it a substituter for the machines.
 */
export type BinaryCache = {
  readonly directory: string;
  readonly publicKey: string;
  /** Puts a system with everything that it needs into the cache, then lets go of those used longest ago. */
  add(
    toplevel: string,
    use: {inputKey: string; store: NixStore; context: BuildContext},
  ): Promise<void>;
  readonly systems: Pick<CachedSystems, 'list' | 'mark'>;
  /** On disk. */
  sizeOf(hashes: readonly string[]): Promise<number>;
  /** By the 32 characters that name it. */
  readonly read: (hash: string) => Promise<CachedPath>;
};

export type CachedPath = {
  readonly narinfo: string;
  readonly archiveName: string;
  readonly archiveFile: string;
};

const keyName = 'muster-builder-1';

/** @param bytesMax of the whole folder; the newest system stays even when it is larger. */
export async function openBinaryCache(
  stateDirectory: string,
  bytesMax: number,
): Promise<BinaryCache> {
  const key = await loadSigningKey(path.join(stateDirectory, 'keys'), keyName);
  const directory = path.join(stateDirectory, 'binary-cache');
  const systems = await openCachedSystems(path.join(stateDirectory, 'binary-cache-systems'));
  await mkdir(directory, {recursive: true});
  let last: Promise<unknown> = Promise.resolve();

  async function copyAndTrim(
    toplevel: string,
    {inputKey, store, context}: {inputKey: string; store: NixStore; context: BuildContext},
  ) {
    const {signal, log} = context;
    const environment = await store.environment(signal);
    if (!toplevel.startsWith(`${environment.storePrefix}/`))
      throw new Error(`The image's manifest names no system in the store: "${toplevel}"`);
    const target = `file://${directory}?compression=zstd&secret-key=${key.file}`;
    const end = await runNix(environment, ['nix', 'copy', '--to', target, toplevel], {
      signal,
      offline: store.canIsolate,
    });
    if (end.status !== 0) throw new Error(lastWords(end));
    const paths = await runProgram('nix-store', ['--query', '--requisites', toplevel], {
      signal,
      env: environment.variables,
    });
    await systems.add({inputKey, hashes: paths.split('\n').filter(Boolean).map(hashOf)});
    await trim({directory, systems, bytesMax});
    log(`The system is in the binary cache of this builder: ${path.basename(toplevel)}`);
  }

  return {
    directory,
    publicKey: key.publicKey,
    systems,
    async sizeOf(hashes) {
      const entries = await readEntries(directory);
      return hashes.reduce((sum, hash) => sum + (entries.get(hash)?.bytes ?? 0), 0);
    },
    async read(hash) {
      const narinfo = await readFile(path.join(directory, `${hash}.narinfo`), 'utf8');
      const {url} = parseNarInfo(narinfo);
      return {narinfo, archiveName: path.basename(url), archiveFile: path.join(directory, url)};
    },
    async add(toplevel, use) {
      const {context} = use;
      // One at a time: what one adds, another must not take for a leftover.
      const next = last.catch(() => undefined).then(() => copyAndTrim(toplevel, use));
      last = next;
      await next.catch((error: unknown) => {
        context.signal.throwIfAborted();
        // The image boots without it.
        const reason = error instanceof Error ? error.message : String(error);
        context.log(`warning: the system is not in the binary cache of this builder: ${reason}`);
      });
    },
  };
}

/** The 32 characters that name a store path. */
const hashOf = (storePath: string): string => path.basename(storePath).slice(0, 32);

/** A system is kept or removed as a whole: one with holes would be worse than none. */
async function trim({
  directory,
  systems,
  bytesMax,
}: {
  directory: string;
  systems: CachedSystems;
  bytesMax: number;
}): Promise<void> {
  const entries = await readEntries(directory);
  const kept = new Set<string>();
  let bytes = 0;
  for (const system of await systems.list()) {
    const {hashes} = system;
    const fresh = hashes.filter(hash => !kept.has(hash));
    const added = fresh.reduce((sum, hash) => sum + (entries.get(hash)?.bytes ?? 0), 0);
    if (kept.size > 0 && bytes + added > bytesMax) {
      await systems.remove(system);
      continue;
    }
    for (const hash of fresh) kept.add(hash);
    bytes += added;
  }
  const keptFiles = new Set([...kept].map(hash => entries.get(hash)?.nar));
  for (const [hash, {nar}] of entries) {
    if (kept.has(hash)) continue;
    // Nobody may find a path whose content is gone.
    await rm(path.join(directory, `${hash}.narinfo`), {force: true});
    if (!keptFiles.has(nar)) await rm(path.join(directory, nar), {force: true});
  }
}

/** By hash: the archive of each path and its size on disk. */
async function readEntries(
  directory: string,
): Promise<Map<string, {readonly nar: string; readonly bytes: number}>> {
  const entries = new Map<string, {nar: string; bytes: number}>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.narinfo')) continue;
    const {url} = parseNarInfo(await readFile(path.join(directory, name), 'utf8'));
    const bytes = await stat(path.join(directory, url)).then(
      ({size}) => size,
      () => 0,
    );
    entries.set(name.slice(0, -'.narinfo'.length), {nar: url, bytes});
  }
  return entries;
}
