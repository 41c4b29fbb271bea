import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {deleteMutesOfMachine} from '../store/issue-mutes.ts';
import {
  countMachinesOfWorkspace,
  findMachineForUpdate,
  type Machine,
  type MachineState,
  updateMachine,
} from '../store/machines.ts';
import type {Workspace} from '../store/workspaces.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {findWorkspaceByKey, workspaceNotFound} from './find-workspace.ts';

/** Before that there is nothing to hand over, and after it nothing to give back. */
const movable: ReadonlySet<MachineState> = new Set(['ready', 'active']);

/** The workspace by its id or name. */
type Placement = {readonly workspace: string; readonly machineId: string};

export type WorkspaceMachines = ReturnType<typeof createWorkspaceMachines>;

/** Which workspace a machine is in: a fact beside its state. */
export function createWorkspaceMachines({sql, now, newId}: Deps) {
  /** The workspace first, whoever assigns or releases: nobody waits for each other in a circle, and each sees what the other has counted. */
  async function lock(tx: Sql, key: string, machineId: string) {
    const workspace = await findWorkspaceByKey(tx, key, 'update');
    if (!workspace) throw workspaceNotFound(key);
    const machine = await findMachineForUpdate(tx, machineId);
    if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
    return {workspace, machine};
  }

  async function move(
    tx: Sql,
    {machine, workspace, to}: {machine: Machine; workspace: Workspace; to: string | undefined},
    actor: string,
  ): Promise<Machine> {
    const time = now();
    const change = {
      workspaceId: to,
      workspaceTime: to === undefined ? undefined : time,
      updateTime: time,
    };
    await updateMachine(tx, machine.id, change);
    // What others did not want to hear of is not for the new tenant to miss.
    if (to !== undefined) await deleteMutesOfMachine(tx, machine.id);
    await appendEvent(tx, {
      id: newId(),
      time,
      type: to === undefined ? 'workspace.machine_released' : 'workspace.machine_assigned',
      actor,
      machineId: machine.id,
      subject: `workspaces/${workspace.id}`,
      data: {name: workspace.name},
      change: updated({workspaceId: machine.workspaceId}, {workspaceId: to}),
    });
    return {...machine, ...change};
  }

  async function assignIn(tx: Sql, actor: string, {workspace: key, machineId}: Placement) {
    const {workspace, machine} = await lock(tx, key, machineId);
    if (machine.workspaceId === workspace.id) return machine;
    const attempt = `assign machine "${machineId}" to workspace "${workspace.name}"`;
    if (machine.workspaceId !== undefined)
      throw new DomainError(
        'failed_precondition',
        `Cannot ${attempt}: it is in workspace "${machine.workspaceId}"; release it there first`,
      );
    assertMovable(machine, attempt);
    const {machinesMax} = workspace;
    if (machinesMax > 0 && (await countMachinesOfWorkspace(tx, workspace.id)) >= machinesMax)
      throw new DomainError(
        'resource_exhausted',
        `Cannot ${attempt}: its quota of ${machinesMax} machines is used up; release one, or raise the quota`,
      );
    return move(tx, {machine, workspace, to: workspace.id}, actor);
  }

  async function releaseIn(tx: Sql, actor: string, {workspace: key, machineId}: Placement) {
    const {workspace, machine} = await lock(tx, key, machineId);
    const attempt = `release machine "${machineId}" from workspace "${workspace.name}"`;
    if (machine.workspaceId !== workspace.id)
      throw new DomainError('not_found', `Cannot ${attempt}: it is not in it`);
    assertMovable(machine, attempt);
    return move(tx, {machine, workspace, to: undefined}, actor);
  }

  return {
    /** Idempotent. Throws not_found, failed_precondition or resource_exhausted. */
    assign: (actor: string, workspace: string, machineId: string): Promise<Machine> =>
      sql.begin(tx => assignIn(tx, actor, {workspace, machineId})),

    /** Throws not_found or failed_precondition. */
    release: (actor: string, workspace: string, machineId: string): Promise<Machine> =>
      sql.begin(tx => releaseIn(tx, actor, {workspace, machineId})),

    /** In the caller's transaction. */
    assignIn,

    /** In the caller's transaction. */
    releaseIn,
  };
}

function assertMovable({state}: Machine, attempt: string): void {
  if (!movable.has(state))
    throw new DomainError(
      'failed_precondition',
      `Cannot ${attempt}: it is ${state}; only ready and active machines are assigned and released`,
    );
}
