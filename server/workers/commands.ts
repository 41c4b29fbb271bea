import {create, type MessageInitShape, toJsonString} from '@bufbuild/protobuf';
import type {NatsConnection} from '@nats-io/transport-node';
import {type AgentCommand, AgentCommandSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Commands} from '../domain/commands.ts';
import {repeat, type Repeated} from '../repeat.ts';
import type {Command, CommandOperation} from '../store/commands.ts';

const checkEveryMs = 1000;
const locateSeconds = 60;

/**
 * Brings pending commands to agents, again and again until the result comes or their time is over, and tells machines that wait in the
 * registration image to reboot when `rebootWhenReady`. `wake()` when something was committed.
 */
export function startCommandSender({
  nats,
  commands,
  rebootWhenReady,
  log,
}: {
  readonly nats: NatsConnection;
  readonly commands: Commands;
  readonly rebootWhenReady: boolean;
  readonly log: Logger;
}): Repeated {
  async function step(): Promise<void> {
    if (rebootWhenReady) await commands.rebootIntoImages();
    await commands.expire();
    for (const command of await commands.takeToSend()) {
      const message = toJsonString(AgentCommandSchema, toMessage(command));
      nats.publish(subjects.command(command.machineId, command.operation), message);
      const {id, machineId, operation, sendCount} = command;
      log.debug({commandId: id, machineId, operation, sendCount}, 'command sent');
    }
  }
  return repeat({name: 'commands', intervalMs: checkEveryMs, step, log});
}

function toMessage({id, machineId, operation, reason}: Command): AgentCommand {
  return create(AgentCommandSchema, {
    commandId: id,
    machineId,
    operation: operations[operation](reason),
  });
}

type Operation = NonNullable<MessageInitShape<typeof AgentCommandSchema>['operation']>;

const operations: Readonly<Record<CommandOperation, (reason: string) => Operation>> = {
  reboot: reason => ({case: 'reboot', value: {reason}}),
  power_off: reason => ({case: 'powerOff', value: {reason}}),
  collect_inventory: () => ({case: 'collectInventory', value: {}}),
  locate: () => ({case: 'locate', value: {durationSeconds: locateSeconds}}),
};
