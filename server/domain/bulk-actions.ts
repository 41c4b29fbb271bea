import {DomainError} from '../errors.ts';
import {type BulkChild, type ChildChange} from '../store/bulk-children.ts';
import type {Bulk} from '../store/bulks.ts';
import {findBuild} from '../store/builds.ts';
import {findCommandEnd} from '../store/commands.ts';
import type {Sql} from '../store/db.ts';
import {findHeldImage} from '../store/held-images.ts';
import {findMachine} from '../store/machines.ts';
import type {LiveBuilder} from './build-rules.ts';
import type {Builds} from './builds.ts';
import {afterBuild, afterReboot, type Next} from './bulk-rules.ts';
import {type BulkSpec, readSpec} from './bulk-spec.ts';
import type {Commands} from './commands.ts';
import {inRotation} from './lifecycle.ts';
import type {MachineRemoval} from './machine-removal.ts';
import type {Machines} from './machines.ts';
import type {BusStatus} from './presence.ts';
import type {WorkspaceMachines} from './workspace-machines.ts';

/** A step that goes on after the transaction; without one the machine is done. */
export type Begun = Pick<ChildChange, 'step' | 'buildId' | 'commandId'> & {
  readonly summary: string;
};

type Begin<A extends BulkSpec['action']> = (
  tx: Sql,
  on: {
    readonly actor: string;
    readonly machineId: string;
    readonly builders: readonly LiveBuilder[];
  },
  spec: Extract<BulkSpec, {readonly action: A}>,
) => Promise<Begun>;

export type BulkActions = ReturnType<typeof createBulkActions>;

export type BulkUseCases = {
  readonly machines: Pick<Machines, 'updateIn' | 'labelIn'>;
  readonly workspaceMachines: Pick<WorkspaceMachines, 'assignIn' | 'releaseIn'>;
  readonly removal: Pick<MachineRemoval, 'removeIn'>;
  readonly builds: Pick<Builds, 'createIn' | 'cancelIn'>;
  readonly commands: Pick<Commands, 'requestIn'>;
  readonly busStatus: () => BusStatus;
};

/** What is done to one machine, in the caller's transaction: the use cases of single machines, whose rules, events and audit entries these are. */
export function createBulkActions({
  machines,
  workspaceMachines,
  removal,
  builds,
  commands,
  busStatus,
}: BulkUseCases) {
  const build: Begin<'build'> = async (tx, {actor, machineId, builders}) => {
    const buildId = await builds.createIn(tx, {actor, machineId, builders});
    return {step: 'building', buildId, summary: 'Started a build'};
  };

  /** An action more is a row here, a value of the contract's enum and one of the table's check. */
  const begin: {readonly [A in BulkSpec['action']]: Begin<A>} = {
    update: async (tx, {actor, machineId}, {change}) =>
      described((await machines.updateIn(tx, actor, machineId, change)).changed),

    label: async (tx, {actor, machineId}, {labels}) =>
      described((await machines.labelIn(tx, actor, machineId, labels)).changed),

    assign: async (tx, {actor, machineId}, {workspace}) => {
      await workspaceMachines.assignIn(tx, actor, {workspace, machineId});
      return {summary: `Assigned to workspace "${workspace}"`};
    },

    release: async (tx, {actor, machineId}, {workspace}) => {
      await workspaceMachines.releaseIn(tx, actor, {workspace, machineId});
      return {summary: `Released from workspace "${workspace}"`};
    },

    build,

    reboot: async (tx, {actor, machineId}) => {
      const {id} = await commands.requestIn(tx, machineId, {operation: 'reboot', actor});
      return {step: 'rebooting', commandId: id, summary: 'Told it to reboot'};
    },

    delete: async (tx, {actor, machineId}) => {
      await removal.removeIn(tx, actor, machineId);
      return {summary: 'Deleted'};
    },

    rollout: async (tx, on, {change}) => {
      await assertInRotation(tx, on.machineId);
      const {changed} = await machines.updateIn(tx, on.actor, on.machineId, change);
      const begun = await build(tx, on, {action: 'build'});
      const first = changed.length > 0 ? `${described(changed).summary}; ` : '';
      return {...begun, summary: `${first}started a build`};
    },
  };

  async function apply(tx: Sql, bulk: Bulk, child: BulkChild, next: Next): Promise<ChildChange> {
    const {actor} = bulk;
    if (next.do === 'cancel_build') await builds.cancelIn(tx, actor, next.buildId);
    if (next.do === 'await_tests' && child.step !== 'testing') {
      const {imageId} = next;
      const summary = `${child.summary}; built image "${imageId.slice(0, 12)}", which is held back for tests`;
      return {step: 'testing', imageId, summary};
    }
    if (next.do === 'reboot') {
      const {machineId = '', summary} = child;
      const {id} = await commands.requestIn(tx, machineId, {operation: 'reboot', actor});
      const {imageId} = next;
      const told = `${summary}; told it to reboot into image "${imageId.slice(0, 12)}"`;
      return {step: 'rebooting', commandId: id, imageId, summary: told};
    }
    if (next.do !== 'end') return {};
    const summary = `${child.summary}; ${lowered(next.text)}`;
    const told = next.state === 'succeeded' ? {summary} : {error: next.text};
    return {state: next.state, step: '', ...told};
  }

  /** Only silence that this server would have heard a hello in counts. */
  function secondsHeard(since: Date, time: Date): number {
    const bus = busStatus();
    const start = Math.max(since.getTime(), bus.since.getTime());
    return bus.connected ? Math.max(0, time.getTime() - start) / 1000 : 0;
  }

  return {
    /** Throws what the use case throws. */
    begin: (
      tx: Sql,
      {
        bulk,
        machineId,
        builders,
      }: {bulk: Bulk; machineId: string; builders: readonly LiveBuilder[]},
    ): Promise<Begun> => {
      const spec = readSpec(bulk.action, bulk.spec);
      const run = begin[spec.action] as Begin<BulkSpec['action']>;
      return run(tx, {actor: bulk.actor, machineId, builders}, spec);
    },

    /** What a machine that has begun is about now. Changes nothing when there is nothing new. */
    async goOn(tx: Sql, bulk: Bulk, child: BulkChild, time: Date): Promise<ChildChange> {
      const {action} = bulk;
      const {cancelRequested} = bulk.operation;
      const {machineId = '', buildId = ''} = child;
      const isBuilding = child.step !== 'rebooting';
      // In this order: what ends a build gives its image to the machine, and what lets go of an image too. Read before them, the machine would seem
      // to have been given another one.
      const ofBuild = isBuilding && buildId ? await findBuild(tx, buildId) : undefined;
      const held = isBuilding && machineId ? await findHeldImage(tx, machineId) : undefined;
      const machine = machineId ? await findMachine(tx, machineId) : undefined;
      if (isBuilding) {
        const facts = {action, cancelRequested, build: ofBuild, machine, held};
        return apply(tx, bulk, child, afterBuild(facts));
      }
      const command = child.commandId ? await findCommandEnd(tx, child.commandId) : undefined;
      const next = afterReboot({
        action,
        cancelRequested,
        command,
        machine,
        imageId: child.imageId,
        waitedSeconds: secondsHeard(child.stepTime ?? time, time),
        limitSeconds: bulk.machineLimitSeconds,
      });
      return apply(tx, bulk, child, next);
    },
  };
}

const described = (changed: readonly string[]): Begun => ({
  summary:
    changed.length > 0 ? `Changed ${changed.map(protoName).join(', ')}` : 'Nothing to change',
});

const protoName = (name: string): string =>
  name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

const lowered = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

/** A machine that runs nothing that could be told to reboot cannot become ACTIVE in a new image by itself. */
async function assertInRotation(tx: Sql, machineId: string): Promise<void> {
  const machine = await findMachine(tx, machineId);
  if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
  const {state, quarantineReason} = machine;
  if (inRotation.has(state) && quarantineReason === '') return;
  const what = quarantineReason ? 'quarantined: accept it first' : state;
  throw new DomainError(
    'failed_precondition',
    `Cannot roll out to machine "${machineId}": it is ${what}`,
  );
}
