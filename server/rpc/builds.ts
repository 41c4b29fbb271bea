import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ContextValues, ServiceImpl} from '@connectrpc/connect';
import {
  type Build as BuildMessage,
  BuildLogSchema,
  BuildSchema,
  type BuildService,
  BuildSpecSchema,
  type FinishBuildRequest,
  FinishBuildRequest_Outcome,
  type WatchBuildResponse,
  WatchBuildResponseSchema,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {BuildUpdate, Builds} from '../domain/builds.ts';
import type {Builder, BuildResult, BuildWork} from '../domain/build-work.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Images} from '../domain/images.ts';
import {DomainError} from '../errors.ts';
import type {Build, BuildSpec} from '../store/builds.ts';
import {callerKey} from './caller.ts';
import {
  fromBootTestMessage,
  fromImageMessage,
  imageKinds,
  imageVariants,
  requireEnum,
  toBootTestMessage,
  toImageMessage,
} from './image-messages.ts';
import {toOperationMessage} from './operation-messages.ts';

export const buildService = ({
  builds,
  work,
  images,
}: {
  readonly builds: Builds;
  readonly work: BuildWork;
  readonly images: Images;
}): ServiceImpl<typeof BuildService> => ({
  async createBuild({machineId}, {values}) {
    const {name} = values.get(callerKey);
    return {build: toBuildMessage(await builds.createForMachine(name, machineId))};
  },

  async createRegistrationBuild(request, {values}) {
    const {name} = values.get(callerKey);
    const variant = requireEnum(imageVariants, request.variant, 'variant');
    return {build: toBuildMessage(await builds.createForRegistration(name, variant))};
  },

  async listBuilds({pageSize, pageToken, machineId}) {
    const filter = parseFilterId('machine_id', machineId);
    const page = await builds.list({machineId: filter, pageSize, pageToken});
    return {builds: page.builds.map(toBuildMessage), nextPageToken: page.nextPageToken};
  },

  async getBuild({id}) {
    return {build: toBuildMessage(await builds.get(id))};
  },

  async cancelBuild({id}, {values}) {
    return {build: toBuildMessage(await builds.cancel(values.get(callerKey).name, id))};
  },

  async *watchBuild({id}, {signal}) {
    for await (const update of builds.watch(id, signal)) yield toUpdateMessage(update);
  },

  async claimBuild({buildId}, {values}) {
    const {build, attempt, timeLimitSeconds} = await work.claim(builderOf(values), buildId);
    return {spec: toSpec(build), attempt, timeLimitSeconds};
  },

  async reportBuild({buildId, attempt, step, progressPercent, log}, {values}) {
    const lines = log?.lines ?? [];
    return work.report(builderOf(values), {buildId, attempt, step, progressPercent, lines});
  },

  async finishBuild(request, {values}) {
    const {buildId, attempt} = request;
    await work.finish(builderOf(values), {buildId, attempt, result: resultOf(request)});
    return {};
  },

  async findImage({inputKey}) {
    const image = await images.findByInputKey(inputKey);
    return image ? {image: toImageMessage(image)} : {};
  },

  async findBootTests({artifactSha256s}) {
    const bootTests = await images.findBootTests(artifactSha256s);
    return {bootTests: bootTests.map(toBootTestMessage)};
  },

  async *validateConfig() {
    throw notYet('validate a configuration');
  },

  async claimValidation() {
    throw notYet('claim a validation');
  },

  async finishValidation() {
    throw notYet('finish a validation');
  },
});

const notYet = (what: string) => new DomainError('unavailable', `Cannot ${what} yet`);

/** A builder is known by its service; the permission check has made sure that there is one. */
function builderOf(values: ContextValues): Builder {
  const {serviceId, name} = values.get(callerKey);
  return {id: serviceId ?? '', actor: name};
}

function toBuildMessage(build: Build): BuildMessage {
  const {id, backend, machineId, attempt, builderId, imageId, cached} = build;
  return create(BuildSchema, {
    id,
    kind: imageKinds[build.kind],
    variant: imageVariants[build.variant],
    backend,
    machineId: machineId ?? '',
    operation: toOperationMessage(build.operation),
    attempt,
    builderId: builderId ?? '',
    imageId: imageId ?? '',
    cached,
    bootTests: build.bootTests.map(toBootTestMessage),
  });
}

function toSpec({kind, variant, backend, machineId, imageConfig, nixosConfig}: BuildSpec) {
  return create(BuildSpecSchema, {
    kind: imageKinds[kind],
    variant: imageVariants[variant],
    backend,
    machineId: machineId ?? '',
    nixosConfig,
    ...(imageConfig
      ? {
          imageConfig: {
            hostName: imageConfig.hostName,
            packages: [...imageConfig.packages],
            sshAuthorizedKeys: [...imageConfig.sshAuthorizedKeys],
            files: imageConfig.files.map(file => ({...file})),
            kernelArguments: [...imageConfig.kernelArguments],
          },
        }
      : {}),
  });
}

function toUpdateMessage(update: BuildUpdate): WatchBuildResponse {
  if ('build' in update)
    return create(WatchBuildResponseSchema, {
      update: {case: 'build', value: toBuildMessage(update.build)},
    });
  const {time, lines} = update.log;
  const value = create(BuildLogSchema, {time: timestampFromDate(time), lines: [...lines]});
  return create(WatchBuildResponseSchema, {update: {case: 'log', value}});
}

function resultOf(request: FinishBuildRequest): BuildResult {
  const {outcome, image, cached, error, bootTests} = request;
  if (outcome === FinishBuildRequest_Outcome.CANCELLED) return {outcome: 'cancelled'};
  if (outcome === FinishBuildRequest_Outcome.FAILED)
    return {outcome: 'failed', error, bootTests: bootTests.map(fromBootTestMessage)};
  if (!image)
    throw new DomainError('invalid_argument', 'Cannot finish build as succeeded without an image');
  return {outcome: 'succeeded', image: fromImageMessage(image), cached};
}
