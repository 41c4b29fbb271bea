import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type ImageConfig as ImageConfigMessage,
  type Machine as MachineMessage,
  Machine_Presence,
  Machine_State,
  Machine_Trust,
  MachineSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {stuckReason} from '../domain/lifecycle.ts';
import {type BusStatus, type Presence, presenceOf} from '../domain/presence.ts';
import {DomainError} from '../errors.ts';
import type {ImageConfig, Machine, MachineState, Trust} from '../store/machines.ts';
import {storable} from './storable.ts';
import {toMachineTemplateMessage} from './template-messages.ts';

/** What a machine's row does not say. */
export type MachineView = {readonly now: () => Date; readonly busStatus: () => BusStatus};

const states: Readonly<Record<MachineState, Machine_State>> = {
  expected: Machine_State.EXPECTED,
  discovered: Machine_State.DISCOVERED,
  pending: Machine_State.PENDING,
  enrolled: Machine_State.ENROLLED,
  provisioning: Machine_State.PROVISIONING,
  ready: Machine_State.READY,
  active: Machine_State.ACTIVE,
  maintenance: Machine_State.MAINTENANCE,
  retiring: Machine_State.RETIRING,
  retired: Machine_State.RETIRED,
  rejected: Machine_State.REJECTED,
  failed: Machine_State.FAILED,
};

const trusts: Readonly<Record<Trust, Machine_Trust>> = {
  seen: Machine_Trust.SEEN,
  token: Machine_Trust.TOKEN,
  approved: Machine_Trust.APPROVED,
};

const presences: Readonly<Record<Presence, Machine_Presence>> = {
  online: Machine_Presence.ONLINE,
  offline: Machine_Presence.OFFLINE,
  unknown: Machine_Presence.UNKNOWN,
};

export function toMachineMessage(machine: Machine, {now, busStatus}: MachineView): MachineMessage {
  const time = now();
  const {imageConfig, lastSeenTime, clockSkewMs} = machine;
  return create(MachineSchema, {
    id: machine.id,
    state: states[machine.state],
    stateReason: machine.stateReason,
    stateTime: timestampFromDate(machine.stateTime),
    stuckReason: stuckReason(machine.state, machine.stateTime, time),
    presence: presences[presenceOf(lastSeenTime, time, busStatus())],
    ...(lastSeenTime ? {lastSeenTime: timestampFromDate(lastSeenTime)} : {}),
    trust: trusts[machine.trust],
    quarantineReason: machine.quarantineReason,
    banReason: machine.banReason,
    serviceTag: machine.serviceTag,
    uuid: machine.uuid,
    manufacturer: machine.manufacturer,
    product: machine.product,
    macAddress: machine.macAddress,
    macAddresses: [...machine.macAddresses],
    hostname: machine.hostname,
    description: machine.description,
    notes: machine.notes,
    labels: {...machine.labels},
    nixosConfig: machine.nixosConfig,
    templates: machine.templates.map(toMachineTemplateMessage),
    ...(imageConfig ? {imageConfig: toImageConfigMessage(imageConfig)} : {}),
    desiredImageId: machine.desiredImageId ?? '',
    bootedImageId: machine.bootedImageId ?? '',
    lastGoodImageId: machine.lastGoodImageId ?? '',
    badImageIds: [...machine.badImageIds],
    ...(machine.memoryBytes > 0 || machine.cpuThreads > 0 ? {hardware: toSummary(machine)} : {}),
    ...(clockSkewMs === undefined ? {} : {clockSkewMs: BigInt(Math.round(clockSkewMs))}),
    workspaceId: machine.workspaceId ?? '',
    ...(machine.workspaceTime ? {workspaceTime: timestampFromDate(machine.workspaceTime)} : {}),
    createTime: timestampFromDate(machine.createTime),
    updateTime: timestampFromDate(machine.updateTime),
  });
}

/** For whoever proved nothing: no more than they said themselves, and how far it got. */
export function toSightingMessage(
  machine: Machine,
  said: {readonly serviceTag: string; readonly macAddress: string},
): MachineMessage {
  const {id, state} = machine;
  return create(MachineSchema, {id, state: states[state], trust: Machine_Trust.SEEN, ...said});
}

export const toStateMessage = (state: MachineState): Machine_State => states[state];

export function fromState(value: Machine_State): MachineState {
  const state = (Object.keys(states) as MachineState[]).find(name => states[name] === value);
  if (!state)
    throw new DomainError('invalid_argument', `Cannot filter by state ${value}: it is unknown`);
  return state;
}

export function fromImageConfig(config: ImageConfigMessage): ImageConfig {
  return {
    hostName: config.hostName,
    packages: config.packages,
    sshAuthorizedKeys: config.sshAuthorizedKeys,
    files: config.files.map(({path, content, mode}) => ({
      path: storable(path, 'path'),
      content: storable(content, path),
      mode,
    })),
    kernelArguments: config.kernelArguments,
  };
}

export function toImageConfigMessage(config: ImageConfig) {
  return {
    hostName: config.hostName,
    packages: [...config.packages],
    sshAuthorizedKeys: [...config.sshAuthorizedKeys],
    files: config.files.map(({path, content, mode}) => ({path, content, mode})),
    kernelArguments: [...config.kernelArguments],
  };
}

function toSummary(machine: Machine) {
  return {
    cpuThreads: machine.cpuThreads,
    cpuModel: machine.cpuModel,
    memoryBytes: BigInt(machine.memoryBytes),
    diskCount: machine.diskCount,
    diskBytes: BigInt(machine.diskBytes),
    firmwareMode: machine.firmwareMode,
  };
}
