import {chmod, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {BuildSpecSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {BuildContext} from '../../backend.ts';
import {createNixBackend, type NixBackendSettings} from '../nix.ts';
import {createNixStore, type NixLimits} from '../store.ts';

const limits: NixLimits = {
  evaluationSeconds: 60,
  evaluationMemoryBytes: 512 * 1024 * 1024,
  buildSeconds: 60,
  silenceSeconds: 60,
  buildLogBytes: 1024 * 1024,
};

export type NixLab = Awaited<ReturnType<typeof startNixLab>>;

/** The real Nix of this host with a store of its own, and a flake that needs no nixpkgs. */
export async function startNixLab(
  options: Partial<Omit<NixBackendSettings, 'limits'>> & {limits?: Partial<NixLimits>} = {},
) {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-nix-'));
  const settings: NixBackendSettings = {
    stateDirectory: path.join(directory, 'state'),
    programDirectory: '',
    storeDirectory: path.join(directory, 'nix'),
    substituters: [],
    trustedPublicKeys: [],
    sandbox: true,
    sandboxPaths: ['/bin/sh=/bin/busybox', '/bin/busybox'],
    maxJobs: 2,
    httpEnvironment: {},
    flake: path.join(import.meta.dirname, 'flake'),
    nixpkgs: `path:${path.join(import.meta.dirname, 'nixpkgs')}`,
    allowDaemon: false,
    collectGarbage: true,
    rootAgeMinMs: 0,
    ...options,
    limits: {...limits, ...options.limits},
  };
  let artifactFolders = 0;

  return {
    directory,
    settings,
    backend: createNixBackend(settings),
    store: createNixStore(settings),
    artifacts: async () => {
      artifactFolders += 1;
      return mkdtemp(path.join(directory, `artifacts-${artifactFolders}-`));
    },
    [Symbol.asyncDispose]: () => removeStore(directory),
  };
}

/** A machine's specification with this module. */
export const specOf = (nixosConfig: string, more: MessageInitShape<typeof BuildSpecSchema> = {}) =>
  create(BuildSpecSchema, {
    kind: Image_Kind.MACHINE,
    backend: 'nix',
    machineId: '0190a0a0-0000-7000-8000-000000000001',
    nixosConfig,
    ...more,
  });

export type RecordedContext = BuildContext & {
  readonly lines: string[];
  readonly steps: string[];
  readonly fractions: number[];
  readonly stop: AbortController;
  /** Resolves with the first line of the log that fits. */
  readonly line: (pattern: RegExp) => Promise<string>;
};

export function recordContext(): RecordedContext {
  const stop = new AbortController();
  const lines: string[] = [];
  const steps: string[] = [];
  const fractions: number[] = [];
  const waiting: {pattern: RegExp; resolve: (line: string) => void}[] = [];
  return {
    lines,
    steps,
    fractions,
    stop,
    signal: stop.signal,
    log(line) {
      lines.push(line);
      for (const {pattern, resolve} of waiting) if (pattern.test(line)) resolve(line);
    },
    step: name => void steps.push(name),
    progress: fraction => void fractions.push(fraction),
    line: pattern =>
      new Promise(resolve => {
        const known = lines.find(line => pattern.test(line));
        if (known === undefined) waiting.push({pattern, resolve});
        else resolve(known);
      }),
  };
}

export async function removeStore(directory: string): Promise<void> {
  await makeWritable(directory);
  await rm(directory, {recursive: true, force: true});
}

/** Nix makes what is in its store read-only. */
async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, {withFileTypes: true}))
    if (entry.isDirectory()) await makeWritable(path.join(directory, entry.name));
}
