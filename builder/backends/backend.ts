import type {BuildSpec} from '@muster/proto/gen/muster/v1/builds_pb.ts';

/** The steps of a build, in order; a back end names the ones that are its own work. */
export const buildSteps = [
  'resolve',
  'base',
  'kernel',
  'layers',
  'boot-test-bios',
  'boot-test-uefi',
  'upload',
] as const;

export type BuildStep = (typeof buildSteps)[number];

export type BuildContext = {
  readonly signal: AbortSignal;
  /** One line of the build's live log. */
  readonly log: (line: string) => void;
  /** A step begins. */
  readonly step: (step: BuildStep) => void;
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

/** What a build will be made of, with every version decided. */
export type BuildPlan = {
  /** Hash of all inputs: equal keys give equal images. */
  readonly inputKey: string;
  /** @param directory empty; the artifacts are written into it or into the back end's cache. */
  build(directory: string, context: BuildContext): Promise<BuiltImage>;
};

/** One way to make images. */
export type Backend = {
  readonly name: string;
  /** What is missing on this host, as a sentence; undefined when it can build. */
  findMissing(): Promise<string | undefined>;
  /** Checks the configuration and decides every input. Throws with a sentence for the operator. */
  plan(spec: BuildSpec, context: BuildContext): Promise<BuildPlan>;
};

/** The product's own back end is not part of this version: its seam stays visible to operators. */
export const nixBackend: Pick<Backend, 'name' | 'findMissing'> = {
  name: 'nix',
  async findMissing() {
    return 'Cannot build with nix: this builder has no nix back end';
  },
};
