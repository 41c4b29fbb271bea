import {mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {sha256OfFile} from '../../digests.ts';
import {ProgramError, runProgram} from '../../process.ts';

/** A package that apt chose. */
export type ResolvedPackage = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
};

export type AptOptions = {
  /** Private lists and packages: the host's own apt state is neither read nor changed. */
  readonly directory: string;
  /** For proxies: the variables that apt and its methods read. */
  readonly env: Readonly<Record<string, string>>;
};

export type Apt = ReturnType<typeof createApt>;

const listsFreshMs = 10 * 60_000;
const packagesPerCall = 200;
/** Packages that no build has used for so long are deleted. */
const debKeptMs = 30 * 24 * 3_600_000;

/** The host's apt sources, through package lists of our own. */
export function createApt({directory, env}: AptOptions) {
  const options = [
    ['Dir::State', path.join(directory, 'state')],
    ['Dir::State::status', path.join(directory, 'empty-status')],
    ['Dir::Cache', path.join(directory, 'cache')],
    ['APT::Sandbox::User', 'root'],
    ['APT::Install-Recommends', 'false'],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '3'],
    ['Acquire::http::Timeout', '30'],
    ['Acquire::https::Timeout', '30'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const debs = path.join(directory, 'debs');

  let updating: Promise<void> = Promise.resolve();

  const aptGet = (args: readonly string[], signal: AbortSignal, cwd = '/') =>
    runProgram('apt-get', [...options, '-q', ...args], {signal, env, cwd});

  return {
    options,

    /** Brings the lists up to date unless they are younger than 10 minutes. With a mirror that does not answer, older lists serve. */
    update(signal: AbortSignal, log: (line: string) => void): Promise<void> {
      // One at a time: apt locks its lists, and a second caller would fail.
      const update = () => updateLists(signal, log);
      updating = updating.then(update, update);
      return updating;
    },

    /** What apt would install into an empty system for these packages, sorted by name. */
    async resolve(names: readonly string[], signal: AbortSignal): Promise<ResolvedPackage[]> {
      try {
        return parseSimulation(await aptGet(['install', '--simulate', '--', ...names], signal));
      } catch (error) {
        throw error instanceof ProgramError ? explainAptError(error) : error;
      }
    },

    /** The package that this meta package stands for: linux-image-amd64 depends on the kernel of one version. */
    async dependency(name: string, pattern: RegExp, signal: AbortSignal): Promise<string> {
      const text = await runProgram(
        'apt-cache',
        [...options, 'depends', '--no-recommends', '--no-suggests', '--important', name],
        {signal, env},
      );
      const found = [...text.matchAll(/Depends: (\S+)/g)]
        .map(match => match[1] ?? '')
        .find(dependency => pattern.test(dependency));
      if (!found)
        throw new Error(`Cannot find the package that "${name}" stands for in the apt sources`);
      return found;
    },

    /** Which of these packages the sources offer, in the version that apt would choose. */
    async candidates(names: readonly string[], signal: AbortSignal): Promise<ResolvedPackage[]> {
      const text = await runProgram('apt-cache', [...options, 'policy', ...names], {signal, env});
      return parsePolicy(text);
    },

    /** The paths of the .deb files, downloaded when they are not here yet. apt checks their digests against the signed lists. */
    async download(packages: readonly ResolvedPackage[], signal: AbortSignal): Promise<string[]> {
      const paths: string[] = [];
      for (let start = 0; start < packages.length; start += packagesPerCall) {
        const names = packages
          .slice(start, start + packagesPerCall)
          .map(({name, version, architecture}) =>
            architecture === 'all' ? `${name}=${version}` : `${name}:${architecture}=${version}`,
          );
        const listed = parseUris(
          await aptGet(['download', '--print-uris', '--', ...names], signal),
        );
        const missing: DownloadUri[] = [];
        for (const item of listed) if (!(await isIntact(debs, item))) missing.push(item);
        if (missing.length > 0) await fetchInto(missing, names, signal);
        paths.push(...listed.map(({fileName}) => path.join(debs, fileName)));
      }
      return paths;
    },
  };

  async function updateLists(signal: AbortSignal, log: (line: string) => void): Promise<void> {
    for (const folder of ['state/lists/partial', 'cache/archives/partial', 'debs'])
      await mkdir(path.join(directory, folder), {recursive: true});
    await writeFile(path.join(directory, 'empty-status'), '');
    const stamp = path.join(directory, 'updated');
    const updated = await stat(stamp).catch(() => undefined);
    if (updated && Date.now() - updated.mtimeMs < listsFreshMs) return;
    try {
      await aptGet(['update', '-o', 'APT::Update::Error-Mode=any'], signal);
      await writeFile(stamp, '');
    } catch (error) {
      if (signal.aborted || !updated || !(error instanceof ProgramError)) throw error;
      log(`Package lists of ${updated.mtime.toISOString()} are used: ${error.message}`);
    }
    await removeUnused(debs);
  }

  async function fetchInto(
    missing: readonly DownloadUri[],
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const partial = await mkdtemp(path.join(debs, 'partial-'));
    try {
      const wanted = names.filter(name =>
        missing.some(({fileName}) => fileName.startsWith(`${name.split(/[:=]/)[0]}_`)),
      );
      await aptGet(['download', '--', ...wanted], signal, partial);
      for (const {fileName} of missing)
        await rename(path.join(partial, fileName), path.join(debs, fileName));
    } finally {
      await rm(partial, {recursive: true, force: true});
    }
  }
}

/** Lines such as `Inst libc6 [2.35] (2.36-9 Debian:12.15/oldstable [amd64]) []`. */
export function parseSimulation(text: string): ResolvedPackage[] {
  return [...text.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) .*?\[(\w+)\]\)/gm)]
    .map(([, name = '', version = '', architecture = '']) => ({
      name: name.split(':')[0] ?? name,
      version,
      architecture,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parsePolicy(text: string): ResolvedPackage[] {
  return [...text.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (\S+)/gm)].flatMap(
    ([, name = '', version = '']) =>
      version === '(none)' ? [] : [{name, version, architecture: 'amd64'}],
  );
}

type DownloadUri = {readonly fileName: string; readonly sha256: string};

/** Lines such as `'http://…/x_1_amd64.deb' x_1_amd64.deb 1504 SHA256:00be…`. */
export function parseUris(text: string): DownloadUri[] {
  return [...text.matchAll(/^'[^']+' (\S+) \d+ SHA256:([0-9a-f]{64})$/gm)].map(
    ([, fileName = '', sha256 = '']) => ({fileName, sha256}),
  );
}

async function isIntact(directory: string, {fileName, sha256}: DownloadUri): Promise<boolean> {
  const file = path.join(directory, fileName);
  const now = new Date();
  const known = await utimes(file, now, now).then(
    () => true,
    () => false,
  );
  return known && (await sha256OfFile(file)) === sha256;
}

async function removeUnused(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name);
    const {mtimeMs} = await stat(file);
    if (Date.now() - mtimeMs > debKeptMs) await rm(file, {recursive: true, force: true});
  }
}

/** apt's own words, turned into what the operator can do. */
export function explainAptError(error: Error): Error {
  const missing = [...error.message.matchAll(/Unable to locate package (\S+)/g)].map(
    match => `"${match[1]}"`,
  );
  if (missing.length === 0) return error;
  return new Error(
    `Cannot resolve the packages: the builder's apt sources have no ${missing.join(', ')}; correct the name or add the source on the builder`,
    {cause: error},
  );
}
