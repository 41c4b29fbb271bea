import {cp, mkdir, mkdtemp, readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Json} from '../../digests.ts';
import {sha256OfText} from '../../digests.ts';
import {runProgram} from '../../process.ts';
import type {NixEnvironment} from './environment.ts';
import {ConfigurationError} from '../configuration-error.ts';
import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {lastWords, type NixEnd, runNix} from './run-nix.ts';

/** One input, as content in the store: nothing is fetched when it is used. */
export type Pin = {
  /** "…/store/<hash>-source" */
  readonly path: string;
  readonly narHash: string;
  readonly lastModified: number;
  readonly rev?: string | undefined;
  /** Where exactly this content can be fetched again. */
  readonly url?: string | undefined;
  /** Of a commit on GitHub: newer versions of Nix remember what they know of it, and copy a plain folder at each evaluation. */
  readonly github?: {readonly owner: string; readonly repo: string} | undefined;
};

export type Pins = {readonly nixpkgs: Pin; readonly muster: Pin; readonly lock: Json};

export type PinSettings = {
  /** Muster's own flake, a folder. */
  readonly flake: string;
  /** A flake reference: "github:…", "path:…". */
  readonly nixpkgs: string;
  readonly stateDirectory: string;
};

/** Never part of an image; `node_modules` would be hundreds of megabytes. */
const leftOut: ReadonlySet<string> = new Set([
  'tests',
  'testing',
  'node_modules',
  '.git',
  'result',
]);

/**
 * Resolves both inputs to content. nixpkgs stays what it was when it was first resolved, also across restarts, until NIX_NIXPKGS changes or
 * the file is removed; our own flake is looked at each time.
 */
export async function resolvePins(
  settings: PinSettings,
  environment: NixEnvironment,
  signal: AbortSignal,
): Promise<Pins> {
  const nixpkgs = await pinNixpkgs(settings, environment, signal);
  const muster = await pinFlake(settings, environment, signal);
  return {nixpkgs, muster, lock: lockOf({nixpkgs, muster})};
}

type LockedInput = {
  readonly type?: string;
  readonly owner?: string;
  readonly repo?: string;
  readonly host?: string;
  readonly narHash?: string;
  readonly lastModified?: number;
  readonly rev?: string;
};

const githubName = /^[A-Za-z0-9][\w.-]*$/;

const isGithub = (
  locked: LockedInput,
): locked is LockedInput & {readonly owner: string; readonly repo: string} =>
  locked.type === 'github' &&
  locked.host === undefined &&
  /^[0-9a-f]{40}$/.test(locked.rev ?? '') &&
  [locked.owner, locked.repo].every(name => githubName.test(name ?? ''));

async function pinNixpkgs(
  {nixpkgs, stateDirectory}: PinSettings,
  environment: NixEnvironment,
  signal: AbortSignal,
): Promise<Pin> {
  const file = path.join(stateDirectory, `nixpkgs-${sha256OfText(nixpkgs).slice(0, 16)}.json`);
  const known = await readFile(file, 'utf8').then(
    text => JSON.parse(text) as Pin,
    () => undefined,
  );
  if (known && (await keep(known.path, 'nixpkgs', {stateDirectory, environment, signal})))
    return known;

  const references = known?.url === undefined ? [nixpkgs] : [known.url, nixpkgs];
  let end: NixEnd | undefined;
  for (const reference of references) {
    end = await runNix(environment, ['nix', 'flake', 'metadata', '--json', reference], {signal});
    if (end.status === 0) break;
  }
  if (end?.status !== 0)
    throw new ConfigurationError([
      {
        kind: Diagnostic_Kind.FETCH,
        message: `Cannot fetch nixpkgs from "${nixpkgs}" (setting NIX_NIXPKGS of the builder): ${end ? lastWords(end) : ''}`,
      },
    ]);
  const {
    path: place,
    locked,
    url,
  } = JSON.parse(end.output) as {
    path: string;
    locked: LockedInput;
    url?: string;
  };
  const pin: Pin = {
    path: place,
    narHash: locked.narHash ?? (await hashOf(place, environment, signal)),
    lastModified: locked.lastModified ?? 1,
    ...(locked.rev !== undefined && {rev: locked.rev}),
    ...(url !== undefined && {url}),
    ...(isGithub(locked) && {github: {owner: locked.owner, repo: locked.repo}}),
  };
  // A tree without history is dated by when somebody copied it; that must not decide what a machine is built of.
  const stable = pin.rev === undefined ? {...pin, lastModified: 1} : pin;
  await keep(place, 'nixpkgs', {stateDirectory, environment, signal});
  await writeFile(`${file}.partial`, `${JSON.stringify(stable, undefined, 2)}\n`);
  await rename(`${file}.partial`, file);
  return stable;
}

/** Copies the flake without what is no part of it; the store keeps one copy of each content. */
async function pinFlake(
  {flake, stateDirectory}: PinSettings,
  environment: NixEnvironment,
  signal: AbortSignal,
): Promise<Pin> {
  await mkdir(stateDirectory, {recursive: true});
  const work = await mkdtemp(path.join(stateDirectory, 'flake-'));
  try {
    // Nix gives sources of flakes this name; under another one it would copy it again.
    const copy = path.join(work, 'source');
    await cp(flake, copy, {
      recursive: true,
      filter: source => source === flake || !leftOut.has(path.basename(source)),
    });
    const env = environment.variables;
    const added = await runProgram('nix-store', ['--add', copy], {signal, env});
    const place = added.trim();
    await keep(place, 'muster', {stateDirectory, environment, signal});
    return {path: place, narHash: await hashOf(place, environment, signal), lastModified: 1};
  } finally {
    await rm(work, {recursive: true, force: true});
  }
}

async function hashOf(
  place: string,
  {variables}: NixEnvironment,
  signal: AbortSignal,
): Promise<string> {
  return (await runProgram('nix', ['hash', 'path', place], {signal, env: variables})).trim();
}

/** Roots a path so that no garbage collection takes it; false when it is not there (any more). */
async function keep(
  place: string,
  name: string,
  {
    stateDirectory,
    environment,
    signal,
  }: {stateDirectory: string; environment: NixEnvironment; signal: AbortSignal},
): Promise<boolean> {
  const root = path.join(stateDirectory, 'pins', name);
  await mkdir(path.dirname(root), {recursive: true});
  const end = await runNix(
    environment,
    ['nix-store', '--realise', place, '--add-root', root, '--indirect'],
    {signal},
  );
  return end.status === 0;
}

/** Complete, so that nothing is resolved when it is used. */
const lockOf = ({nixpkgs, muster}: Omit<Pins, 'lock'>): Json => ({
  nodes: {
    muster: {inputs: {nixpkgs: ['nixpkgs']}, ...nodeOf(muster)},
    nixpkgs: nodeOf(nixpkgs),
    root: {inputs: {muster: 'muster', nixpkgs: 'nixpkgs'}},
  },
  root: 'root',
  version: 7,
});

function nodeOf(pin: Pin): Readonly<Record<string, Json>> {
  const {path, narHash, lastModified, rev, github} = pin;
  const hasRev = rev !== undefined;
  const source = github ? {type: 'github', ...github, ...(hasRev && {rev})} : {type: 'path', path};
  return {
    locked: {lastModified, narHash, ...source, ...(hasRev && {rev})},
    original: source,
  };
}

/** As an input of a flake. With its hash in the lock it is taken from the store, wherever it once came from. */
export const referenceOf = ({path, rev, github}: Pin): string =>
  github ? `github:${github.owner}/${github.repo}/${rev}` : `path:${path}`;

/**
 * What a restricted evaluation may read besides the job: exactly these two contents. Nix compares whole addresses, and its versions encode
 * the hash differently.
 */
export function allowedUris({nixpkgs, muster}: Pins): string[] {
  return [nixpkgs, muster].flatMap(pin =>
    encodingsOf(pin.narHash).map(hash => {
      const {lastModified, rev, github} = pin;
      const query = github
        ? `narHash=${hash}`
        : `lastModified=${lastModified}&narHash=${hash}${rev === undefined ? '' : `&rev=${rev}`}`;
      return `${referenceOf(pin)}?${query}`;
    }),
  );
}

const encodingsOf = (hash: string): string[] =>
  ['+', '%2B', '%2b'].flatMap(plus =>
    ['/', '%2F', '%2f'].flatMap(slash =>
      ['=', '%3D', '%3d'].map(equals =>
        hash.replaceAll('+', plus).replaceAll('/', slash).replaceAll('=', equals),
      ),
    ),
  );
