import {DomainError} from '../errors.ts';
import type {MachineState} from '../store/machines.ts';

type Rule = {
  readonly to: readonly MachineState[];
  /** After this long the machine shows as stuck; undefined: the state may last for ever. */
  readonly limitSeconds?: number;
  readonly nextStep?: string;
};

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The whole life cycle (docs/lifecycle.md). Nobody compares states anywhere else. */
export const lifecycle: Readonly<Record<MachineState, Rule>> = {
  expected: {to: ['discovered', 'pending', 'enrolled', 'rejected', 'retired']},
  discovered: {
    to: ['pending', 'enrolled', 'rejected', 'retired'],
    limitSeconds: 15 * minute,
    nextStep: 'Look at its boot timeline: it asked for a boot script, but no agent reported',
  },
  pending: {
    to: ['enrolled', 'rejected', 'retired'],
    limitSeconds: day,
    nextStep: 'Accept or reject it',
  },
  enrolled: {
    to: ['provisioning', 'ready', 'maintenance', 'retiring', 'rejected', 'failed'],
    limitSeconds: 7 * day,
    nextStep: 'Give it a configuration and start a build',
  },
  provisioning: {
    to: ['ready', 'enrolled', 'maintenance', 'retiring', 'failed'],
    limitSeconds: 2 * hour,
    nextStep: 'Look at its build: cancel it and build again, or check that a builder is online',
  },
  ready: {
    to: ['active', 'provisioning', 'maintenance', 'retiring', 'failed'],
    limitSeconds: 30 * minute,
    nextStep: 'Power-cycle it: its image is ready, but it has not booted into it',
  },
  active: {to: ['maintenance', 'retiring', 'failed']},
  maintenance: {
    to: ['enrolled', 'ready', 'active', 'retiring', 'failed'],
    limitSeconds: 7 * day,
    nextStep: 'Finish the maintenance or retire it',
  },
  retiring: {
    to: ['retired', 'failed'],
    limitSeconds: day,
    nextStep: 'Look at its wipe, then retire it',
  },
  retired: {to: ['discovered', 'pending', 'enrolled']},
  rejected: {to: ['pending', 'enrolled', 'retired']},
  failed: {
    to: ['enrolled', 'provisioning', 'ready', 'active', 'maintenance', 'retiring'],
    limitSeconds: hour,
    nextStep: 'Read the reason, correct the configuration or the machine, and build again',
  },
};

/** Throws failed_precondition. */
export function assertTransition(from: MachineState, to: MachineState): void {
  if (!lifecycle[from].to.includes(to))
    throw new DomainError(
      'failed_precondition',
      `Cannot move a machine from "${from}" to "${to}": possible from here is ${list(lifecycle[from].to)}`,
    );
}

/** Undefined until the state has lasted longer than its limit. */
export function stuckIn(
  state: MachineState,
  stateTime: Date,
  now: Date,
):
  | {readonly limitSeconds: number; readonly nextStep: string; readonly lasting: string}
  | undefined {
  const {limitSeconds, nextStep} = lifecycle[state];
  if (limitSeconds === undefined || nextStep === undefined) return undefined;
  const seconds = (now.getTime() - stateTime.getTime()) / 1000;
  return seconds > limitSeconds ? {limitSeconds, nextStep, lasting: duration(seconds)} : undefined;
}

/** What to do next, once the state has lasted longer than its limit; else empty. */
export function stuckReason(state: MachineState, stateTime: Date, now: Date): string {
  const stuck = stuckIn(state, stateTime, now);
  return stuck ? `${stuck.nextStep} (${state} for ${stuck.lasting})` : '';
}

/** In these states an image may be built; in all others a build is refused. */
export const buildable: ReadonlySet<MachineState> = new Set([
  'expected',
  'discovered',
  'pending',
  'enrolled',
  'provisioning',
  'ready',
  'active',
  'maintenance',
  'failed',
]);

/** A build moves a machine only out of these: one that has an image to boot keeps it until the next is ready. */
export const movedByBuild: ReadonlySet<MachineState> = new Set(['enrolled', 'failed']);

/** In these an image that is ready makes the machine READY; in all others it only becomes the desired image. */
export const movedByImage: ReadonlySet<MachineState> = new Set([
  'enrolled',
  'provisioning',
  'failed',
]);

/** A record in one of these may become part of another: nothing runs that would be lost. */
export const mergeable: ReadonlySet<MachineState> = new Set([
  'expected',
  'discovered',
  'pending',
  'enrolled',
  'rejected',
  'retired',
  'failed',
]);

/** In all but these a part of what a machine is recognised by may be taken away. */
export const splittable: ReadonlySet<MachineState> = new Set([
  ...mergeable,
  'ready',
  'active',
  'maintenance',
]);

/** Machines whose agent may be told what operators decide: they were let in. */
export const accepted: ReadonlySet<MachineState> = new Set([
  'enrolled',
  'provisioning',
  'ready',
  'active',
  'maintenance',
  'retiring',
  'failed',
]);

/** An image may be rolled out to these: an agent runs on them, and nobody is at work on them. */
export const inRotation: ReadonlySet<MachineState> = new Set([
  'enrolled',
  'provisioning',
  'ready',
  'active',
  'failed',
]);

/** Their records may be removed: none of them is in service, or at work on something. */
export const removable: ReadonlySet<MachineState> = new Set([
  'expected',
  'discovered',
  'pending',
  'enrolled',
  'ready',
  'retired',
  'rejected',
  'failed',
]);

/** An administrator may remove these too: in service, but nothing is at work on them. */
export const removableByForce: ReadonlySet<MachineState> = new Set([
  ...removable,
  'active',
  'maintenance',
]);

function list(states: readonly MachineState[]): string {
  return states.map(state => `"${state}"`).join(', ');
}

function duration(seconds: number): string {
  if (seconds >= 2 * day) return `${Math.floor(seconds / day)} days`;
  if (seconds >= 2 * hour) return `${Math.floor(seconds / hour)} hours`;
  return `${Math.floor(seconds / minute)} minutes`;
}
