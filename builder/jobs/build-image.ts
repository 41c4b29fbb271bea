import {mkdir, rm} from 'node:fs/promises';
import path from 'node:path';
import type {MessageInitShape} from '@bufbuild/protobuf';
import type {Client} from '@connectrpc/connect';
import type {
  BuildService,
  BuildSpec,
  FinishBuildRequestSchema,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {FinishBuildRequest_Outcome} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Variant, type ImageSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {Backend, BuildContext, BuiltImage, Depot, LocalArtifact} from '../backends/backend.ts';
import {ConfigurationError} from '../backends/configuration-error.ts';
import {retryWhileTransient} from '../retry.ts';
import {type BootTestInit, type BootTestSettings, testImage} from './test-image.ts';

export type BuildImageDeps = Depot & {
  readonly builds: Pick<Client<typeof BuildService>, 'findImage' | 'findBootTests'>;
  readonly backends: readonly Backend[];
  readonly bootTests: BootTestSettings;
};

/** FinishBuildRequest without what names the attempt. */
export type BuildResult = Omit<
  MessageInitShape<typeof FinishBuildRequestSchema>,
  'buildId' | 'attempt' | '$typeName'
>;

const findDelayMaxMs = 15_000;

/**
 * Plans, builds, tests and uploads one image. What is wrong with the configuration or the image becomes a failed result; throws only when
 * the signal aborts.
 *
 * @param directory is emptied before and removed afterwards.
 */
export async function buildImage(
  deps: BuildImageDeps,
  spec: BuildSpec,
  {directory, context}: {directory: string; context: BuildContext},
): Promise<BuildResult> {
  await rm(directory, {recursive: true, force: true});
  await mkdir(directory, {recursive: true});
  try {
    return await attemptBuild(deps, spec, {directory, context});
  } catch (error) {
    context.signal.throwIfAborted();
    const result = failed(error instanceof Error ? error.message : String(error));
    return error instanceof ConfigurationError
      ? {...result, diagnostics: [...error.diagnostics]}
      : result;
  } finally {
    await rm(directory, {recursive: true, force: true});
  }
}

async function attemptBuild(
  {builds, backends, imageStore, storePaths, bootTests}: BuildImageDeps,
  spec: BuildSpec,
  {directory, context}: {directory: string; context: BuildContext},
): Promise<BuildResult> {
  const backend = await findBackend(backends, spec.backend);
  const plan = await backend.plan(spec, context);
  const {inputKey} = plan;
  context.log(`Input key ${inputKey}`);
  const {image: known} = await retryWhileTransient(
    () => builds.findImage({inputKey}, {signal: context.signal}),
    {signal: context.signal, delayMaxMs: findDelayMaxMs},
  );
  if (known) {
    context.log('An image with this input key exists: nothing to build');
    await plan.publish?.({imageStore, storePaths}, context);
    return {outcome: FinishBuildRequest_Outcome.SUCCEEDED, image: known, cached: true};
  }

  const artifacts = path.join(directory, 'artifacts');
  await mkdir(artifacts);
  const image = await plan.build(artifacts, context);
  describeSizes(image, context);
  const fullDrivers = spec.variant !== Image_Variant.VIRTUAL;
  const tests = await testImage(
    {image, inputKey, fullDrivers},
    {builds, settings: bootTests, directory, context},
  );
  const failure = tests.find(test => !test.passed);
  if (failure) return {...failed(failure.failure ?? ''), bootTests: tests};

  context.step('upload');
  for (const artifact of artifactsOf(image)) {
    context.log(`Uploading ${artifact.name}, ${artifact.sizeBytes} bytes`);
    await imageStore.upload(artifact, context.signal);
  }
  await plan.publish?.({imageStore, storePaths}, context);
  return {
    outcome: FinishBuildRequest_Outcome.SUCCEEDED,
    image: describeImage(image, {spec, inputKey, tests}),
  };
}

async function findBackend(backends: readonly Backend[], name: string): Promise<Backend> {
  const backend = backends.find(candidate => candidate.name === name);
  if (!backend) throw new Error(`Cannot build with "${name}": this builder has no such back end`);
  const missing = await backend.findMissing();
  if (missing) throw new Error(missing);
  return backend;
}

const errorLengthMax = 4096;

const failed = (error: string): BuildResult => ({
  outcome: FinishBuildRequest_Outcome.FAILED,
  error: error.slice(0, errorLengthMax),
});

const artifactsOf = (image: BuiltImage): readonly LocalArtifact[] => [
  image.kernel,
  ...image.initrds,
  ...image.layers,
];

function describeSizes(image: BuiltImage, {log}: BuildContext): void {
  for (const {name, sizeBytes, sha256} of artifactsOf(image))
    log(`Artifact ${name}: ${sizeBytes} bytes, sha256 ${sha256}`);
}

function describeImage(
  image: BuiltImage,
  {spec, inputKey, tests}: {spec: BuildSpec; inputKey: string; tests: readonly BootTestInit[]},
): MessageInitShape<typeof ImageSchema> {
  const artifact = ({name, sha256, sizeBytes}: LocalArtifact) => ({
    name,
    sha256,
    sizeBytes: BigInt(sizeBytes),
  });
  return {
    kind: spec.kind,
    variant: spec.variant === Image_Variant.VIRTUAL ? Image_Variant.VIRTUAL : Image_Variant.FULL,
    backend: spec.backend,
    inputKey,
    kernel: artifact(image.kernel),
    initrds: image.initrds.map(artifact),
    layers: image.layers.map(artifact),
    commandLine: image.commandLine,
    memoryRequiredBytes: BigInt(image.memoryRequiredBytes),
    bootTests: [...tests],
  };
}
