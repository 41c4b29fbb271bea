import {mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';

/** A system in the binary cache. */
export type CachedSystem = {
  /** Of its image. */
  readonly inputKey: string;
  /** Of its store paths; what a path refers to comes before it. */
  readonly hashes: readonly string[];
  /** Whether the server has it. What failed is tried again. */
  readonly publication: 'none' | 'failed' | 'done';
};

export type CachedSystems = Awaited<ReturnType<typeof openCachedSystems>>;

const fileName = /^[0-9a-f]{64}\.json$/;

/** Which systems are in the binary cache: a file for each, whose time says when it was last built. */
export async function openCachedSystems(directory: string) {
  await mkdir(directory, {recursive: true});
  const fileOf = (inputKey: string) => path.join(directory, `${inputKey}.json`);

  async function write(system: CachedSystem, time: Date): Promise<void> {
    const file = fileOf(system.inputKey);
    await writeFile(`${file}.partial`, JSON.stringify(system));
    await utimes(`${file}.partial`, time, time);
    await rename(`${file}.partial`, file);
  }

  return {
    /** Just built: whatever the server had of it may be gone with its image. */
    add: (system: Omit<CachedSystem, 'publication'>): Promise<void> =>
      write({...system, publication: 'none'}, new Date()),

    /** Nothing when it is gone meanwhile. */
    async mark(
      {inputKey}: Pick<CachedSystem, 'inputKey'>,
      publication: CachedSystem['publication'],
    ): Promise<void> {
      const file = fileOf(inputKey);
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) return;
      const {mtime} = await stat(file);
      await write({...(JSON.parse(text) as CachedSystem), publication}, mtime);
    },

    remove: ({inputKey}: Pick<CachedSystem, 'inputKey'>): Promise<void> =>
      rm(fileOf(inputKey), {force: true}),

    /** Newest first. */
    async list(): Promise<readonly CachedSystem[]> {
      const names = (await readdir(directory)).filter(name => fileName.test(name));
      const all = await Promise.all(
        names.map(async name => {
          const file = path.join(directory, name);
          const system = JSON.parse(await readFile(file, 'utf8')) as CachedSystem;
          return {system, usedMs: (await stat(file)).mtimeMs};
        }),
      );
      return all.sort((a, b) => b.usedMs - a.usedMs).map(({system}) => system);
    },
  };
}
