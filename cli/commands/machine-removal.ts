import process from 'node:process';
import {createInterface} from 'node:readline/promises';
import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';

type Options = {readonly force?: boolean; readonly yes?: boolean};

/** `muster machines delete` */
export function addMachineRemoval(machines: Command): void {
  machines
    .command('delete <machine>')
    .description('remove a machine that is not in service, with its history')
    .option('--force', 'also one that is ACTIVE or in MAINTENANCE (administrators); asks first')
    .option('--yes', 'with --force: do not ask')
    .addHelpText('after', '\nExample: muster machines delete ABC1234')
    .action(remove);
}

async function remove(name: string, options: Options, command: Command): Promise<void> {
  const {force = false, yes = false} = options;
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  if (force && !yes) await confirm(name, id);
  await context.clients.machines.deleteMachine({id, force});
  if (context.out.json) context.out.line('{}');
  else context.out.line(`Deleted machine ${id}`);
}

/** In words: what was named must be named again. */
async function confirm(name: string, id: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new CommandError(
      `Cannot ask whether machine "${name}" shall be deleted by force without a terminal: give --yes`,
      exitStatus.usage,
    );
  const lines = createInterface({input: process.stdin, output: process.stderr});
  try {
    const question = `This removes machine ${id} with its history, even if it is in service. Type "${name}" to go on: `;
    if ((await lines.question(question)).trim() === name) return;
  } finally {
    lines.close();
  }
  throw new CommandError(`Did not delete machine "${name}": the answer was not its name`);
}
