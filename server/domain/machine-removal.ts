import {DomainError} from '../errors.ts';
import {findLiveBuild} from '../store/builds.ts';
import {endStays, listPlaces} from '../store/components.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {deleteMachine, findMachineForUpdate} from '../store/machines.ts';
import {deleteMetrics} from '../store/metrics-moves.ts';
import type {AgentKeys} from './agent-keys.ts';
import {deleted} from './changes.ts';
import type {Deps} from './deps.ts';
import {removable, removableByForce} from './lifecycle.ts';

export type MachineRemoval = ReturnType<typeof createMachineRemoval>;

/** The record of a machine goes, with all that is kept of it alone; journal, audit, builds and images stay. A machine that comes again is a new one. */
export function createMachineRemoval({
  sql,
  now,
  newId,
  agentKeys,
}: Deps & {readonly agentKeys: Pick<AgentKeys, 'revokeCurrent'>}) {
  /** In the caller's transaction. Throws not_found, and failed_precondition for a machine that is in service or that a build is made for. */
  async function removeIn(tx: Sql, actor: string, id: string, force = false): Promise<void> {
    const machine = await findMachineForUpdate(tx, id);
    if (!machine) throw new DomainError('not_found', `Cannot find machine "${id}"`);
    const {state, hostname, serviceTag, uuid, macAddresses} = machine;
    if (!(force ? removableByForce : removable).has(state))
      throw new DomainError(
        'failed_precondition',
        force
          ? `Cannot delete machine "${id}": it is ${state}; wait until that is over`
          : `Cannot delete machine "${id}": it is ${state}, and only machines that are not in service are deleted`,
      );
    const build = await findLiveBuild(tx, {machineId: id});
    if (build)
      throw new DomainError(
        'failed_precondition',
        `Cannot delete machine "${id}": build "${build.id}" is made for it; wait for it or cancel it`,
      );
    const time = now();
    await agentKeys.revokeCurrent(tx, id);
    const parts = (await listPlaces(tx, id)).map(({componentId}) => componentId);
    if (parts.length > 0) await endStays(tx, parts, time);
    await deleteMetrics(tx, id);
    await deleteMachine(tx, id);
    await appendEvent(tx, {
      id: newId(),
      time,
      type: 'machine.deleted',
      actor,
      machineId: id,
      subject: `machines/${id}`,
      data: {state, hostname, serviceTag, ...(force ? {force} : {})},
      change: deleted({state, hostname, serviceTag, uuid, macAddresses}),
    });
  }

  return {
    removeIn,
    remove: (actor: string, id: string): Promise<void> => sql.begin(tx => removeIn(tx, actor, id)),

    /** A machine that is in service, too. Throws permission_denied for all but administrators. */
    async removeByForce(actor: string, isAdministrator: boolean, id: string): Promise<void> {
      if (!isAdministrator)
        throw new DomainError(
          'permission_denied',
          `Cannot delete machine "${id}" by force: only administrators may`,
        );
      await sql.begin(tx => removeIn(tx, actor, id, true));
    },
  };
}
