import {type AgentKey, endAgentKey, findCurrentAgentKey, insertAgentKey} from '../store/agents.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import type {AgentCredentials} from './agents.ts';
import type {Deps} from './deps.ts';

export type AgentKeys = ReturnType<typeof createAgentKeys>;

/** Which key speaks for a machine; a key that no longer does is revoked at NATS too. */
export function createAgentKeys({
  now,
  newId,
  credentials,
}: Pick<Deps, 'now' | 'newId'> & {
  readonly credentials: Pick<AgentCredentials, 'recordRevocation'>;
}) {
  async function end(tx: Sql, machineId: string, state: 'replaced' | 'revoked') {
    const key = await findCurrentAgentKey(tx, machineId);
    if (!key) return undefined;
    await endAgentKey(tx, key.publicKey, {state, time: now()});
    await credentials.recordRevocation(tx, key.publicKey);
    return key;
  }

  /** Nothing but registration, and no more than locate, re-inventory and reboot, until an operator accepts it again. */
  async function quarantine(tx: Sql, machineId: string, reason: string): Promise<void> {
    const machine = await findMachineForUpdate(tx, machineId);
    if (!machine || machine.quarantineReason) return;
    await updateMachine(tx, machineId, {quarantineReason: reason, updateTime: now()});
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'machine.quarantined',
      actor: 'system',
      machineId,
      subject: `machines/${machineId}`,
      data: {reason},
    });
  }

  return {
    quarantine,

    /** From now on the agent can neither stay nor come back with its key. */
    async revokeCurrent(tx: Sql, machineId: string): Promise<void> {
      await end(tx, machineId, 'revoked');
    },

    /** Makes the key the machine's current one, and ends the one before. */
    async install(
      tx: Sql,
      machine: Machine,
      key: Pick<
        AgentKey,
        'publicKey' | 'bootId' | 'bootSession' | 'imageInputKey' | 'agentVersion'
      >,
    ): Promise<void> {
      const time = now();
      const old = await end(tx, machine.id, 'replaced');
      await insertAgentKey(tx, {...key, machineId: machine.id, createTime: time});
      await appendEvent(tx, {
        id: newId(),
        time,
        type: 'agent.enrolled',
        actor: `agent:${machine.id}`,
        machineId: machine.id,
        subject: `machines/${machine.id}`,
        data: {
          publicKey: key.publicKey,
          session: key.bootSession,
          ...(old ? {replacedKey: old.publicKey} : {}),
        },
      });
    },

    /** A key that was replaced is in use: somebody else holds, or held, this machine's identity. */
    async heardEndedKey(tx: Sql, key: AgentKey): Promise<void> {
      if (key.state === 'current') return;
      await quarantine(
        tx,
        key.machineId,
        `An agent key that was ${key.state} is still in use ("${key.publicKey.slice(0, 12)}…"): another machine may hold this one's identity`,
      );
    },
  };
}
