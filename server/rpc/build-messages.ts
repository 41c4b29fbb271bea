import {create, type JsonObject} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Build as BuildMessage,
  BuildLogSchema,
  BuildSchema,
  type BuildSpec as BuildSpecMessage,
  BuildSpecSchema,
  type FinishBuildRequest,
  FinishBuildRequest_Outcome,
  type WatchBuildResponse,
  WatchBuildResponseSchema,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {BuildUpdate} from '../domain/builds.ts';
import type {BuildResult} from '../domain/build-work.ts';
import {DomainError} from '../errors.ts';
import type {Build, BuildSpec} from '../store/builds.ts';
import {fromDiagnosticMessage, toDiagnosticMessage} from './diagnostic-messages.ts';
import {
  fromBootTestMessage,
  fromImageMessage,
  imageKinds,
  imageVariants,
  toBootTestMessage,
} from './image-messages.ts';
import {toOperationMessage} from './operation-messages.ts';

export function toBuildMessage(build: Build): BuildMessage {
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
    diagnostics: build.diagnostics.map(toDiagnosticMessage),
  });
}

export function toSpecMessage(spec: BuildSpec): BuildSpecMessage {
  const {kind, variant, backend, machineId, imageConfig, nixosConfig, templates, facts} = spec;
  return create(BuildSpecSchema, {
    kind: imageKinds[kind],
    variant: imageVariants[variant],
    backend,
    machineId: machineId ?? '',
    nixosConfig,
    templates: templates.map(({parameters, ...same}) => ({
      ...same,
      parameters: structuredClone(parameters) as JsonObject,
    })),
    ...(facts
      ? {
          facts: {
            ...facts,
            macAddresses: [...facts.macAddresses],
            memoryBytes: BigInt(facts.memoryBytes),
            sshAuthorizedKeys: [...facts.sshAuthorizedKeys],
          },
        }
      : {}),
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

export function toUpdateMessage(update: BuildUpdate): WatchBuildResponse {
  if ('build' in update)
    return create(WatchBuildResponseSchema, {
      update: {case: 'build', value: toBuildMessage(update.build)},
    });
  const {time, lines} = update.log;
  const value = create(BuildLogSchema, {time: timestampFromDate(time), lines: [...lines]});
  return create(WatchBuildResponseSchema, {update: {case: 'log', value}});
}

export function resultOf(request: FinishBuildRequest): BuildResult {
  const {outcome, image, cached, error, bootTests, diagnostics} = request;
  if (outcome === FinishBuildRequest_Outcome.CANCELLED) return {outcome: 'cancelled'};
  if (outcome === FinishBuildRequest_Outcome.FAILED)
    return {
      outcome: 'failed',
      error,
      bootTests: bootTests.map(fromBootTestMessage),
      diagnostics: diagnostics.map(fromDiagnosticMessage),
    };
  if (!image)
    throw new DomainError('invalid_argument', 'Cannot finish build as succeeded without an image');
  return {outcome: 'succeeded', image: fromImageMessage(image), cached};
}
