import {mkdir, mkdtemp, readdir, rename, rm, stat, utimes} from 'node:fs/promises';
import path from 'node:path';

/** What may be made again at any time: unpacked packages, compressed segments, layers. */
export type Cache = {
  /**
   * The directory for this kind and key. When there is none, `make` fills an empty one; it appears as a whole or not at all. A second
   * caller for the same key waits for the first.
   */
  directory(kind: string, key: string, make: (partial: string) => Promise<void>): Promise<string>;
};

/** @param entriesMax of each kind; those used longest ago go first. Must exceed what the running builds use together. */
export async function openCache(root: string, entriesMax: number): Promise<Cache> {
  const partials = path.join(root, 'partial');
  await rm(partials, {recursive: true, force: true});
  await mkdir(partials, {recursive: true});
  const running = new Map<string, Promise<string>>();

  async function findOrMake(
    kind: string,
    key: string,
    make: (partial: string) => Promise<void>,
  ): Promise<string> {
    const place = path.join(root, kind, key);
    const known = await markUsed(place).then(
      () => true,
      () => false,
    );
    if (known) return place;

    const partial = await mkdtemp(path.join(partials, `${kind}-`));
    try {
      await make(partial);
      await markUsed(partial);
      await mkdir(path.dirname(place), {recursive: true});
      await rename(partial, place);
    } finally {
      await rm(partial, {recursive: true, force: true});
    }
    await removeOldest(path.dirname(place), entriesMax);
    return place;
  }

  async function directory(
    kind: string,
    key: string,
    make: (partial: string) => Promise<void>,
  ): Promise<string> {
    const name = `${kind}/${key}`;
    for (let current = running.get(name); current; current = running.get(name)) {
      const made = await current.catch(() => undefined);
      // The other may have been cancelled; that is no reason for this caller to fail.
      if (made) return made;
    }
    const made = findOrMake(kind, key, make).finally(() => running.delete(name));
    running.set(name, made);
    return made;
  }

  return {directory};
}

/** By one clock, and finer than a millisecond: the file system's own runs behind that of this process. */
function markUsed(place: string): Promise<void> {
  const seconds = (performance.timeOrigin + performance.now()) / 1000;
  return utimes(place, seconds, seconds);
}

async function removeOldest(directory: string, entriesMax: number): Promise<void> {
  const names = await readdir(directory);
  if (names.length <= entriesMax) return;
  const entries = await Promise.all(
    names.map(async name => {
      const place = path.join(directory, name);
      return {place, usedMs: (await stat(place)).mtimeMs};
    }),
  );
  entries.sort((a, b) => b.usedMs - a.usedMs);
  for (const {place} of entries.slice(entriesMax)) await rm(place, {recursive: true, force: true});
}
