import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';

/** `muster machines delete` */
export function addMachineRemoval(machines: Command): void {
  machines
    .command('delete <machine>')
    .description('remove a machine that is not in service, with its history')
    .addHelpText('after', '\nExample: muster machines delete ABC1234')
    .action(remove);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  await context.clients.machines.deleteMachine({id});
  if (context.out.json) context.out.line('{}');
  else context.out.line(`Deleted machine ${id}`);
}
