import {create} from '@bufbuild/protobuf';
import {timestampDate, timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  BootAction as BootActionMessage,
  type BootClient as BootClientMessage,
  type BootDecision as BootDecisionMessage,
  BootDecisionSchema,
  type BootHop as BootHopMessage,
  BootHop_Kind,
  type BootOverride as BootOverrideMessage,
  BootOverrideSchema,
  type BootSession as BootSessionMessage,
  BootSession_State,
  BootSessionSchema,
  type WatchBootAnswersResponse,
  WatchBootAnswersResponseSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {
  type Image as ImageMessage,
  Image_Kind,
  Image_Variant,
  ImageSchema,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {BookMessage} from '../domain/boot-answers.ts';
import type {BootDecision} from '../domain/boot-decision.ts';
import type {BootImage} from '../domain/boot-images.ts';
import type {BootClient, SeenHop} from '../domain/boot-sessions.ts';
import type {BootSessionView} from '../domain/boot-timeline.ts';
import {printable} from '../domain/identifiers.ts';
import {DomainError} from '../errors.ts';
import type {BootOverride} from '../store/boot-overrides.ts';
import type {BootHopKind, BootSessionState} from '../store/boot-sessions.ts';
import type {BootAction} from '../store/machines.ts';
import {requireEnum} from './image-messages.ts';

const actions: Readonly<Record<BootAction, BootActionMessage>> = {
  registration: BootActionMessage.REGISTRATION,
  image: BootActionMessage.IMAGE,
  local_disk: BootActionMessage.LOCAL_DISK,
  retry: BootActionMessage.RETRY,
};

const hopKinds: Readonly<Record<BootHopKind, BootHop_Kind>> = {
  loader: BootHop_Kind.LOADER,
  script: BootHop_Kind.SCRIPT,
  kernel: BootHop_Kind.KERNEL,
  initrd: BootHop_Kind.INITRD,
  token: BootHop_Kind.TOKEN,
  layer: BootHop_Kind.LAYER,
  failure: BootHop_Kind.FAILURE,
  enrolled: BootHop_Kind.ENROLLED,
  hello: BootHop_Kind.HELLO,
};

const sessionStates: Readonly<Record<BootSessionState, BootSession_State>> = {
  open: BootSession_State.OPEN,
  stalled: BootSession_State.STALLED,
  completed: BootSession_State.COMPLETED,
};

/** Throws on the unspecified one, which names nothing. */
export const fromSessionState = (state: BootSession_State): BootSessionState =>
  requireEnum(sessionStates, state, 'states');

const imageKinds = {
  registration: Image_Kind.REGISTRATION,
  machine: Image_Kind.MACHINE,
  rescue: Image_Kind.RESCUE,
  uploaded: Image_Kind.UPLOADED,
} as const;

const imageVariants = {full: Image_Variant.FULL, virtual: Image_Variant.VIRTUAL} as const;

export function toDecisionMessage({action, imageId, reason}: BootDecision): BootDecisionMessage {
  return create(BootDecisionSchema, {action: actions[action], imageId: imageId ?? '', reason});
}

export function fromAction(value: BootActionMessage): BootAction {
  const action = (Object.keys(actions) as BootAction[]).find(name => actions[name] === value);
  if (!action)
    throw new DomainError('invalid_argument', `Cannot boot by action ${value}: it is unknown`);
  return action;
}

/** As edges need it: what to fetch, not how it came about. */
export function toBootImageMessage(image: BootImage): ImageMessage {
  const artifact = ({name, sha256, sizeBytes}: BootImage['kernel']) => ({
    name,
    sha256,
    sizeBytes: BigInt(sizeBytes),
  });
  return create(ImageSchema, {
    id: image.id,
    kind: imageKinds[image.kind],
    variant: image.variant ? imageVariants[image.variant] : Image_Variant.UNSPECIFIED,
    backend: image.backend,
    inputKey: image.inputKey,
    kernel: artifact(image.kernel),
    initrds: image.initrds.map(artifact),
    layers: image.layers.map(artifact),
    commandLine: image.commandLine,
    memoryRequiredBytes: BigInt(image.memoryRequiredBytes),
  });
}

export function toBookMessage(message: BookMessage): WatchBootAnswersResponse {
  const {reset, complete, revision, answers, removedMachineIds, images, settings} = message;
  return create(WatchBootAnswersResponseSchema, {
    reset,
    complete,
    revision,
    answers: answers.map(({decision, macAddresses, ...answer}) => ({
      ...answer,
      macAddresses: [...macAddresses],
      decision: toDecisionMessage(decision),
    })),
    removedMachineIds: [...removedMachineIds],
    ...(images
      ? {
          images: {
            images: images.images.map(toBootImageMessage),
            registrationFullImageId: images.full ?? '',
            registrationVirtualImageId: images.virtual ?? '',
          },
        }
      : {}),
    ...(settings
      ? {
          settings: {
            unknown: toDecisionMessage(settings.unknown),
            enrollUrl: settings.enrollUrl,
            natsServers: [...settings.natsServers],
            siteCa: settings.siteCa,
          },
        }
      : {}),
  });
}

export function fromClient(client: BootClientMessage | undefined): BootClient {
  const word = (text: string | undefined, lengthMax: number) => printable(text ?? '', lengthMax);
  return {
    macAddresses: client?.macAddresses ?? [],
    uuid: word(client?.uuid, 64),
    serial: word(client?.serial, 128),
    ipAddress: word(client?.ipAddress, 64),
    platform: word(client?.platform, 32),
    manufacturer: word(client?.manufacturer, 256),
    product: word(client?.product, 256),
    session: word(client?.session, 64),
  };
}

/** Undefined for a kind that this server does not know: an edge may be newer. */
export function fromHop(hop: BootHopMessage): SeenHop | undefined {
  const kind = (Object.keys(hopKinds) as BootHopKind[]).find(name => hopKinds[name] === hop.kind);
  if (!kind || !hop.time) return undefined;
  return {
    id: hop.id,
    kind,
    time: timestampDate(hop.time),
    session: printable(hop.session, 64),
    client: fromClient(hop.client),
    detail: printable(hop.detail, 512),
    bytes: Number(hop.bytes),
    complete: hop.complete,
    imageId: printable(hop.imageId, 64),
  };
}

export function toSessionMessage({session, hops, diagnosis}: BootSessionView): BootSessionMessage {
  const {macAddress, uuid, serial, platform} = session;
  const client = {macAddresses: macAddress ? [macAddress] : [], uuid, serial, platform};
  return create(BootSessionSchema, {
    id: session.id,
    client: {...client, ipAddress: session.ipAddress, session: session.edgeSession},
    machineId: session.machineId ?? '',
    state: sessionStates[session.state],
    hops: hops.map(({kind, time, ipAddress, imageId, bytes, id, detail, complete}) => ({
      id,
      detail,
      complete,
      kind: hopKinds[kind],
      time: timestampFromDate(time),
      session: session.edgeSession,
      client: {...client, ipAddress},
      bytes: BigInt(bytes),
      imageId: imageId ?? '',
    })),
    diagnosis,
    imageId: session.imageId ?? '',
    startTime: timestampFromDate(session.startTime),
    ...(session.endTime ? {endTime: timestampFromDate(session.endTime)} : {}),
  });
}

export function toOverrideMessage(override: BootOverride): BootOverrideMessage {
  const {machineId, action, imageId, persistent, actor, time, expireTime, given} = override;
  return create(BootOverrideSchema, {
    machineId,
    action: actions[action],
    imageId: imageId ?? '',
    persistent,
    actor,
    createTime: timestampFromDate(time),
    ...(expireTime ? {expireTime: timestampFromDate(expireTime)} : {}),
    given,
  });
}
