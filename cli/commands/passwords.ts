import type {Command} from 'commander';
import {contextOf} from '../context.ts';
import {askPassword, readLines} from '../password.ts';

/** `muster password …` */
export function addPasswordCommands(program: Command): void {
  const password = program.command('password').description('your own password');
  password
    .command('change')
    .description('asks for the old one and the new one; your other logins end')
    .option('--stdin', 'read two lines: the old password, the new password')
    .addHelpText('after', '\nExample: muster password change')
    .action(change);
  password
    .command('reset')
    .description('asks for the code that an administrator gave you, and for a new password')
    .option('--stdin', 'read two lines: the code, the new password')
    .addHelpText('after', '\nExample: muster password reset')
    .action(reset);
}

type Options = {readonly stdin?: boolean};

async function change(options: Options, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const [currentPassword, newPassword] = await ask(options, 'Old password: ');
  await clients.users.changePassword({currentPassword, newPassword});
  out.line(out.json ? '{}' : 'The password is changed; your other logins have ended');
}

async function reset(options: Options, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const [code, newPassword] = await ask(options, 'Code: ');
  await clients.users.completePasswordReset({code, newPassword});
  out.line(out.json ? '{}' : 'The password is set: muster login <username>');
}

async function ask({stdin}: Options, question: string): Promise<readonly [string, string]> {
  if (stdin) return readLines(2) as [string, string];
  return [await askPassword(question), await askPassword('New password: ')];
}
