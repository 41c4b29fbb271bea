import {mkdir, readdir, rm, rmdir, stat, lstat} from 'node:fs/promises';
import path from 'node:path';

/** A link that keeps the output of one build from being collected: `roots/<machine>/<generation>-<input key>`. */
export type Root = {
  readonly link: string;
  readonly machine: string;
  readonly generation: number;
  readonly inputKey: string;
  readonly ageMs: number;
};

const linkName = /^(\d+)-([0-9a-f]{64})$/;

/** Where the build of this image is to be rooted: the link of an earlier build with the same inputs, else a new generation. */
export async function rootFor(
  rootsDirectory: string,
  machineId: string,
  inputKey: string,
): Promise<string> {
  // Ids are UUIDs, but a path is never made of what others say.
  const machine = machineId === '' ? 'registration' : encodeURIComponent(machineId);
  const directory = path.join(rootsDirectory, machine.replaceAll('.', '%2E'));
  await mkdir(directory, {recursive: true});
  const roots = await rootsIn(directory);
  const known = roots.find(root => root.inputKey === inputKey);
  const generation = 1 + Math.max(0, ...roots.map(root => root.generation));
  return known?.link ?? path.join(directory, `${generation}-${inputKey}`);
}

export async function listRoots(rootsDirectory: string): Promise<Root[]> {
  const machines = await readdir(rootsDirectory).catch(() => []);
  const lists = await Promise.all(
    machines.map(machine => rootsIn(path.join(rootsDirectory, machine))),
  );
  return lists.flat();
}

async function rootsIn(directory: string): Promise<Root[]> {
  const roots: Root[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    const [, generation, inputKey] = linkName.exec(name) ?? [];
    if (generation === undefined || inputKey === undefined) continue;
    const link = path.join(directory, name);
    const ageMs = Date.now() - (await lstat(link)).mtimeMs;
    const machine = path.basename(directory);
    roots.push({link, machine, generation: Number(generation), inputKey, ageMs});
  }
  return roots;
}

/**
 * Removes the links of images that the server no longer knows. A young one may belong to a build that is not finished yet.
 *
 * @returns how many were removed.
 */
export async function pruneRoots(
  rootsDirectory: string,
  {isKnown, ageMinMs}: {isKnown: (inputKey: string) => Promise<boolean>; ageMinMs: number},
): Promise<number> {
  let removed = 0;
  for (const root of await listRoots(rootsDirectory)) {
    if (root.ageMs < ageMinMs || (await isKnown(root.inputKey))) continue;
    await rm(root.link, {force: true});
    // Only when it was the machine's last one.
    await rmdir(path.dirname(root.link)).catch(() => undefined);
    removed += 1;
  }
  return removed;
}

/** Whether the path behind the link is still there. */
export const isRooted = (link: string): Promise<boolean> =>
  stat(link).then(
    () => true,
    () => false,
  );
