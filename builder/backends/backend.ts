import type {Client} from '@connectrpc/connect';
import type {BuildSpec} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import type {ImageStore} from '../image-store.ts';
import type {DiagnosticInit} from './configuration-error.ts';

/** A part of a build, by the name that people see in its progress. */
export type BuildStep = {
  readonly name: string;
  /** What share of a usual build it takes, in percent. */
  readonly weight: number;
};

/** What follows after every back end's own steps; those have the other 43 percent. */
export const commonSteps: readonly BuildStep[] = [
  {name: 'boot-test-bios', weight: 25},
  {name: 'boot-test-uefi', weight: 27},
  {name: 'upload', weight: 5},
];

export type BuildContext = {
  readonly signal: AbortSignal;
  /** One line of the build's live log. */
  readonly log: (line: string) => void;
  /** A step begins. */
  readonly step: (name: string) => void;
  /** How much of the current step is done, 0 to 1. */
  readonly progress: (fraction: number) => void;
  /** Until the build's time limit; absent when it has none. */
  readonly remainingMs?: () => number;
};

/** A file on this builder that becomes an artifact of the image. */
export type LocalArtifact = {
  /** As it appears in URLs: "vmlinuz", "initrd.zst". */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
};

export type BuiltImage = {
  readonly kernel: LocalArtifact;
  /** In load order; each length is a multiple of 4. */
  readonly initrds: readonly LocalArtifact[];
  /** Lowest first. */
  readonly layers: readonly LocalArtifact[];
  readonly commandLine: string;
  readonly memoryRequiredBytes: number;
  /** Digests of the parts that decide whether it boots: an image that shares them all shares the result of the boot test. */
  readonly bootTestSha256s: readonly string[];
};

/** Where the server takes what machines may fetch beside their image. */
export type Depot = {
  readonly imageStore: ImageStore;
  readonly storePaths: Pick<
    Client<typeof StorePathService>,
    'findMissingStorePaths' | 'publishStorePaths' | 'publishSystem'
  >;
};

/** What a build will be made of, with every version decided. */
export type BuildPlan = {
  /** Hash of all inputs: equal keys give equal images. */
  readonly inputKey: string;
  /** @param directory empty; the artifacts are written into it or into the back end's cache. */
  build(directory: string, context: BuildContext): Promise<BuiltImage>;
  /** Once there is a good image: offers machines what they may fetch later. Failures are lines in the log; throws only when the signal aborts. */
  publish?(depot: Depot, context: BuildContext): Promise<void>;
};

/** One way to make images. */
export type Backend = {
  readonly name: string;
  /** In order: what `plan` and `build` announce. */
  readonly steps: readonly BuildStep[];
  /** What is missing on this host, as a sentence; undefined when it can build. */
  findMissing(): Promise<string | undefined>;
  /** Checks the configuration and decides every input. A ConfigurationError says what is wrong with it, and where. */
  plan(spec: BuildSpec, context: BuildContext): Promise<BuildPlan>;
  /** Everything that is known to be wrong with a configuration, without building it. Absent: this back end checks when it builds. */
  validate?(
    spec: BuildSpec,
    context: Pick<BuildContext, 'signal' | 'log'>,
  ): Promise<readonly DiagnosticInit[]>;
  /** Frees what only images that nobody knows any more need. False when it has to wait: work is going on. */
  prune?(
    isKnown: (inputKey: string) => Promise<boolean>,
    context: Pick<BuildContext, 'signal' | 'log'>,
  ): Promise<boolean>;
};
