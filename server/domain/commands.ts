import {DomainError} from '../errors.ts';
import * as store from '../store/commands.ts';
import type {Command, CommandOperation} from '../store/commands.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {findMachine, type Machine} from '../store/machines.ts';
import type {Deps} from './deps.ts';
import {accepted} from './lifecycle.ts';

/** After this long without a result the agent is taken for unreachable. */
const commandLimitMs = 10 * 60_000;
const resendAfterMs = 5000;
const pendingOfMachineMax = 16;
const batchMax = 100;
const messageLengthMax = 1024;
/** A machine that comes back into the registration image that often needs a person. */
const rebootsMax = 3;

/** What a machine may be told that was not let in yet, or is doubted. */
const allowedToAll: ReadonlySet<CommandOperation> = new Set([
  'reboot',
  'collect_inventory',
  'locate',
]);

export type WantedCommand = {readonly operation: CommandOperation; readonly actor: string};

export type Commands = ReturnType<typeof createCommands>;

/** The allow list of what agents do, from the request to the result. */
export function createCommands({sql, now, newId}: Deps) {
  async function insert(
    tx: Sql,
    command: Pick<Command, 'machineId' | 'operation' | 'actor' | 'reason'>,
  ): Promise<Command> {
    const createTime = now();
    const expireTime = new Date(createTime.getTime() + commandLimitMs);
    const id = newId();
    const pending: Command = {
      ...command,
      id,
      state: 'pending',
      createTime,
      expireTime,
      sendCount: 0,
    };
    await store.insertCommand(tx, pending);
    await append(tx, 'machine.command_requested', pending, {reason: command.reason}, command.actor);
    return pending;
  }

  async function requestIn(
    tx: Sql,
    machineId: string,
    {operation, actor}: WantedCommand,
  ): Promise<Command> {
    const machine = await findMachine(tx, machineId);
    if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
    assertAllowed(machine, operation);
    if ((await store.countPendingCommands(tx, machineId)) >= pendingOfMachineMax)
      throw new DomainError(
        'resource_exhausted',
        `Cannot command machine "${machineId}": ${pendingOfMachineMax} commands wait for it already`,
      );
    return insert(tx, {machineId, operation, actor, reason: `Requested by ${actor}`});
  }

  async function append(
    tx: Sql,
    type: string,
    {id, machineId, operation}: Command,
    data: Record<string, unknown>,
    actor = `agent:${machineId}`,
  ): Promise<void> {
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor,
      machineId,
      subject: `commands/${id}`,
      data: {commandId: id, operation, ...data},
    });
  }

  return {
    /** Throws not_found, failed_precondition or resource_exhausted. */
    request: (machineId: string, wanted: WantedCommand): Promise<Command> =>
      sql.begin(tx => requestIn(tx, machineId, wanted)),

    /** In the caller's transaction. */
    requestIn,

    /** A result report; one that names no command of this machine changes nothing. */
    async finish(
      tx: Sql,
      machineId: string,
      result: {readonly commandId: string; readonly succeeded: boolean; readonly message: string},
    ): Promise<void> {
      const state = result.succeeded ? 'succeeded' : 'failed';
      const message = result.message.slice(0, messageLengthMax);
      const end = {id: result.commandId, machineId, state, message, time: now()} as const;
      const command = await store.finishCommand(tx, end);
      if (command) await append(tx, 'machine.command_finished', command, {state, message});
    },

    /** The machine has booted since: nothing asked for before may reach the new system. */
    async finishByBoot(tx: Sql, machineId: string): Promise<void> {
      const message = 'The machine came back from a boot';
      const end = {machineId, message, time: now()};
      for (const command of await store.finishPowerCommands(tx, end))
        await append(tx, 'machine.command_finished', command, {state: 'succeeded', message});
    },

    /** What is to be sent now, marked as sent. */
    takeToSend: (): Promise<readonly Command[]> => {
      const time = now();
      const before = new Date(time.getTime() - resendAfterMs);
      return store.takeCommandsToSend(sql, {before, now: time, limit: batchMax});
    },

    /** Ends what nobody answered. */
    expire: (): Promise<void> =>
      sql.begin(async tx => {
        const message = `No result came within ${commandLimitMs / 60_000} minutes: the agent may be offline`;
        const over = await store.expireCommands(tx, {now: now(), message, limit: batchMax});
        for (const command of over)
          await append(
            tx,
            'machine.command_finished',
            command,
            {state: 'timed_out', message},
            'system',
          );
      }),

    /** Machines that wait in the registration image for what is ready now; each is told once a boot, three times at most. */
    rebootIntoImages: (): Promise<number> =>
      sql.begin(async tx => {
        const machineIds = await store.takeMachinesToReboot(tx, {
          timesMax: rebootsMax,
          limit: batchMax,
        });
        const reason = 'Its image is ready';
        for (const machineId of machineIds)
          await insert(tx, {machineId, operation: 'reboot', actor: 'system', reason});
        return machineIds.length;
      }),
  };
}

function assertAllowed(machine: Machine, operation: CommandOperation): void {
  if (machine.quarantineReason && !allowedToAll.has(operation))
    throw new DomainError(
      'failed_precondition',
      `Cannot command machine "${machine.id}" to "${operation}" while it is quarantined: accept it first`,
    );
  if (!accepted.has(machine.state) && !(machine.state === 'pending' && allowedToAll.has(operation)))
    throw new DomainError(
      'failed_precondition',
      `Cannot command machine "${machine.id}" to "${operation}": it is ${machine.state}`,
    );
}
