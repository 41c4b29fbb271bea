import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {
  findMachineForUpdate,
  type Machine,
  type MachineChange,
  type MachineState,
  updateMachine,
} from '../store/machines.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {assertTransition, buildable, movedByBuild, movedByImage} from './lifecycle.ts';

export type Transition = {
  readonly machineId: string;
  readonly to: MachineState;
  readonly actor: string;
  readonly reason: string;
};

/** Whoever leaves service leaves its workspace too: nobody could release it any more. */
const outOfService: ReadonlySet<MachineState> = new Set(['rejected', 'retired']);
const noWorkspace = {workspaceId: undefined, workspaceTime: undefined};

export type Transitions = ReturnType<typeof createTransitions>;

/** Every change of a machine's state, each in the caller's transaction: row and event `machine.<state>`. */
export function createTransitions({now, newId}: Pick<Deps, 'now' | 'newId'>) {
  /** Throws not_found or failed_precondition; to the state that it is in already, it changes nothing. */
  async function transition(
    tx: Sql,
    {machineId, to, actor, reason}: Transition,
    change: MachineChange = {},
  ): Promise<Machine> {
    const machine = await lock(tx, machineId);
    if (machine.state === to) return update(tx, machine, change);

    assertTransition(machine.state, to);
    const time = now();
    const state = {state: to, stateReason: reason, stateTime: time};
    const fields = {...change, ...state, ...(outOfService.has(to) ? noWorkspace : {})};
    const moved = await update(tx, machine, fields);
    await appendEvent(tx, {
      id: newId(),
      time,
      type: `machine.${to}`,
      actor,
      machineId,
      subject: `machines/${machineId}`,
      data: {from: machine.state, reason},
      change: updated(machine, fields),
    });
    if (machine.workspaceId !== undefined && outOfService.has(to))
      await appendEvent(tx, {
        id: newId(),
        time,
        type: 'workspace.machine_released',
        actor,
        machineId,
        subject: `workspaces/${machine.workspaceId}`,
        data: {reason: `It is ${to}`},
      });
    return moved;
  }

  async function update(tx: Sql, machine: Machine, change: MachineChange): Promise<Machine> {
    if (Object.keys(change).length === 0) return machine;
    const changed = {...change, updateTime: now()};
    await updateMachine(tx, machine.id, changed);
    return {...machine, ...changed};
  }

  return {
    transition,

    /** Throws failed_precondition when this machine is none to build for. A READY or ACTIVE machine stays what it is. */
    async buildStarted(tx: Sql, build: {machineId: string; actor: string; reason: string}) {
      const machine = await lock(tx, build.machineId);
      if (!buildable.has(machine.state))
        throw new DomainError(
          'failed_precondition',
          `Cannot build for machine "${machine.id}": it is ${machine.state}`,
        );
      if (!movedByBuild.has(machine.state)) return machine;
      return transition(tx, {...build, to: 'provisioning'});
    },

    /** The image is built and tested: it becomes the desired one, and a machine that waited for it becomes READY. */
    async imageReady(tx: Sql, ready: {machineId: string; imageId: string; actor: string}) {
      const {machineId, imageId, actor} = ready;
      const machine = await lock(tx, machineId);
      // An operator who builds an image that failed before asks for another trial of it.
      const change: MachineChange = {
        desiredImageId: imageId,
        failedTrials: 0,
        badImageIds: machine.badImageIds.filter(id => id !== imageId),
      };
      if (!movedByImage.has(machine.state)) return update(tx, machine, change);
      const reason = 'Its image is built and tested';
      return transition(tx, {machineId, to: 'ready', actor, reason}, change);
    },

    /** A machine that an image was built for ahead goes straight on to READY once it is ENROLLED. */
    async startWithImage(tx: Sql, machineId: string) {
      const machine = await lock(tx, machineId);
      if (machine.state !== 'enrolled' || machine.desiredImageId === undefined) return machine;
      const reason = 'An image was built for it ahead';
      return transition(tx, {machineId, to: 'ready', actor: 'system', reason});
    },

    /** FAILED with the reason, when the machine was waiting for this build; a machine with an image keeps its state. */
    async buildFailed(tx: Sql, build: {machineId: string; actor: string; reason: string}) {
      const machine = await lock(tx, build.machineId);
      if (machine.state !== 'provisioning') return machine;
      return transition(tx, {...build, to: 'failed'});
    },

    /** Back to ENROLLED, when the machine was waiting for this build. */
    async buildCancelled(tx: Sql, build: {machineId: string; actor: string; reason: string}) {
      const machine = await lock(tx, build.machineId);
      if (machine.state !== 'provisioning') return machine;
      return transition(tx, {...build, to: 'enrolled'});
    },
  };
}

async function lock(tx: Sql, machineId: string): Promise<Machine> {
  const machine = await findMachineForUpdate(tx, machineId);
  if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
  return machine;
}
