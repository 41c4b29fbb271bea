import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';

/** `muster machines delete` */
export function addMachineDeletion(machines: Command): void {
  machines
    .command('delete <machine>')
    .description(
      'remove a machine with all that is known of it; when it boots again, it is a new one',
    )
    .addHelpText('after', '\nExample: muster machines delete ABC1234')
    .action(async (name: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const id = await machineIdOf(context, name);
      await context.clients.machines.deleteMachine({id});
      context.out.line(`Deleted machine ${id}`);
    });
}
