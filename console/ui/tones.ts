import {Issue_Severity as Severity} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {
  Machine_Presence as Presence,
  Machine_State as MachineState,
  Machine_Trust as Trust,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Operation_State as OperationState} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {IconName} from './icons.tsx';

/** What a colour means. Never alone: a word and an icon say the same. */
export type Tone = 'ok' | 'busy' | 'info' | 'warn' | 'bad' | 'idle';
export type Look = {readonly word: string; readonly tone: Tone; readonly icon: IconName};

const unknown: Look = {word: 'Unknown', tone: 'idle', icon: 'question'};
/** A server that is newer may say what is not in the table: that looks like `other`. */
export const lookUp =
  (looks: Readonly<Record<number, Look>>, other = unknown) =>
  (value: number | undefined): Look =>
    looks[value ?? 0] ?? other;

/** docs/lifecycle.md */
export const machineStateLook = lookUp({
  [MachineState.EXPECTED]: {word: 'Expected', tone: 'idle', icon: 'ring'},
  [MachineState.DISCOVERED]: {word: 'Discovered', tone: 'info', icon: 'search'},
  [MachineState.PENDING]: {word: 'Pending', tone: 'warn', icon: 'pending'},
  [MachineState.ENROLLED]: {word: 'Enrolled', tone: 'info', icon: 'dot'},
  [MachineState.PROVISIONING]: {word: 'Provisioning', tone: 'busy', icon: 'operation'},
  [MachineState.READY]: {word: 'Ready', tone: 'info', icon: 'check'},
  [MachineState.ACTIVE]: {word: 'Active', tone: 'ok', icon: 'play'},
  [MachineState.MAINTENANCE]: {word: 'Maintenance', tone: 'warn', icon: 'pause'},
  [MachineState.RETIRING]: {word: 'Retiring', tone: 'busy', icon: 'half'},
  [MachineState.RETIRED]: {word: 'Retired', tone: 'idle', icon: 'dash'},
  [MachineState.REJECTED]: {word: 'Rejected', tone: 'idle', icon: 'cross'},
  [MachineState.FAILED]: {word: 'Failed', tone: 'bad', icon: 'warning'},
});

/** In the order of a machine's life. */
export const machineStates: readonly MachineState[] = [
  MachineState.EXPECTED,
  MachineState.DISCOVERED,
  MachineState.PENDING,
  MachineState.ENROLLED,
  MachineState.PROVISIONING,
  MachineState.READY,
  MachineState.ACTIVE,
  MachineState.MAINTENANCE,
  MachineState.FAILED,
  MachineState.RETIRING,
  MachineState.RETIRED,
  MachineState.REJECTED,
];

export const presenceLook = lookUp({
  [Presence.UNKNOWN]: {word: 'Not known', tone: 'idle', icon: 'question'},
  [Presence.ONLINE]: {word: 'Online', tone: 'ok', icon: 'dot'},
  [Presence.OFFLINE]: {word: 'Offline', tone: 'idle', icon: 'ring'},
});

export const severityLook = lookUp({
  [Severity.INFO]: {word: 'Info', tone: 'info', icon: 'info'},
  [Severity.WARNING]: {word: 'Warning', tone: 'warn', icon: 'issue'},
  [Severity.CRITICAL]: {word: 'Critical', tone: 'bad', icon: 'cross'},
});

export const operationStateLook = lookUp({
  [OperationState.QUEUED]: {word: 'Queued', tone: 'idle', icon: 'pending'},
  [OperationState.RUNNING]: {word: 'Running', tone: 'busy', icon: 'operation'},
  [OperationState.SUCCEEDED]: {word: 'Succeeded', tone: 'ok', icon: 'check'},
  [OperationState.FAILED]: {word: 'Failed', tone: 'bad', icon: 'warning'},
  [OperationState.CANCELLED]: {word: 'Cancelled', tone: 'idle', icon: 'cross'},
});

export const trustWord = (trust: number | undefined): string =>
  ({
    [Trust.SEEN]: 'Seen only',
    [Trust.TOKEN]: 'Boot token',
    [Trust.APPROVED]: 'Approved',
  })[trust ?? 0] ?? 'None';
