import type {ServiceImpl} from '@connectrpc/connect';
import {
  type BuildService,
  ValidateConfigResponse_Phase,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Builds} from '../domain/builds.ts';
import type {BuildWork} from '../domain/build-work.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Images} from '../domain/images.ts';
import type {StorePaths} from '../domain/store-paths.ts';
import type {ValidationPhase, Validations} from '../domain/validations.ts';
import {resultOf, toBuildMessage, toSpecMessage, toUpdateMessage} from './build-messages.ts';
import {builderOf} from './calling-builder.ts';
import {callerKey} from './caller.ts';
import {fromDiagnosticMessage, toDiagnosticMessage} from './diagnostic-messages.ts';
import {
  fromEnum,
  imageKinds,
  imageVariants,
  requireEnum,
  toBootTestMessage,
  toImageMessage,
} from './image-messages.ts';
import {operationStates} from './operation-messages.ts';
import {storable} from './storable.ts';
import {whileCalled} from './streams.ts';

export const buildService = ({
  builds,
  work,
  images,
  validations,
  storePaths,
}: {
  readonly builds: Builds;
  readonly work: BuildWork;
  readonly images: Images;
  readonly validations: Validations;
  readonly storePaths: Pick<StorePaths, 'publicKey'>;
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

  async listBuilds({states, kind, since, until, countTotal, pageSize, pageToken, ...request}) {
    const page = await builds.list({
      machineId: parseFilterId('machine_id', request.machineId),
      states: states.map(state => requireEnum(operationStates, state, 'states')),
      kind: fromEnum(imageKinds, kind, 'kind'),
      imageId: request.imageId || undefined,
      template: request.template || undefined,
      since,
      until,
      countTotal,
      pageSize,
      pageToken,
    });
    const {nextPageToken, total: totalSize} = page;
    return {builds: page.builds.map(toBuildMessage), nextPageToken, totalSize};
  },

  async getBuild({id}) {
    return {build: toBuildMessage(await builds.get(id))};
  },

  async cancelBuild({id}, {values}) {
    return {build: toBuildMessage(await builds.cancel(values.get(callerKey).name, id))};
  },

  async *watchBuild({id}, {signal}) {
    for await (const update of whileCalled(signal, builds.watch(id, signal)))
      yield toUpdateMessage(update);
  },

  async claimBuild({buildId}, {values}) {
    const {spec, ...claim} = await work.claim(builderOf(values), buildId);
    const message = toSpecMessage(spec);
    message.nixCachePublicKey = storePaths.publicKey;
    return {spec: message, ...claim};
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

  async findImage({inputKey}, {values}) {
    const image = await images.findForBuild(builderOf(values).id, inputKey);
    return image ? {image: toImageMessage(image)} : {};
  },

  async findBootTests({artifactSha256s, commandLine}) {
    const bootTests = await images.findBootTests(artifactSha256s, commandLine);
    return {bootTests: bootTests.map(toBootTestMessage)};
  },

  async *validateConfig({machineId, nixosConfig, syntaxOnly}, {values, signal}) {
    const wanted = {
      machine: machineId,
      nixosConfig: nixosConfig === undefined ? undefined : storable(nixosConfig, 'nixos_config'),
      syntaxOnly,
    };
    const {name} = values.get(callerKey);
    const answers = validations.validate(name, wanted, signal);
    for await (const {phase, diagnostics, durationMs} of whileCalled(signal, answers))
      yield {phase: phases[phase], diagnostics: diagnostics.map(toDiagnosticMessage), durationMs};
  },

  async claimValidation({validationId}, {values}) {
    const {spec, ...claim} = await validations.claim(builderOf(values), validationId);
    return {spec: toSpecMessage(spec), ...claim};
  },

  async finishValidation({validationId, diagnostics, durationMs}, {values}) {
    await validations.finish(builderOf(values), validationId, {
      diagnostics: diagnostics.map(fromDiagnosticMessage),
      durationMs,
    });
    return {};
  },
});

const phases: Readonly<Record<ValidationPhase, ValidateConfigResponse_Phase>> = {
  syntax: ValidateConfigResponse_Phase.SYNTAX,
  evaluation: ValidateConfigResponse_Phase.EVALUATION,
};
