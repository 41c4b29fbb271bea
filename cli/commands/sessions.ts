import {timestampDate} from '@bufbuild/protobuf/wkt';
import {CreateSetupLinkResponseSchema} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {User_RoleSchema, UserSchema} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Command} from 'commander';
import {contextOf} from '../context.ts';
import {findLogin, saveLogin} from '../credentials.ts';
import {CommandError} from '../exit-status.ts';
import {clock, nameOf} from '../output.ts';
import {askPassword, readPassword} from '../password.ts';

/** `muster login`, `muster logout`, `muster admin setup-link` */
export function addSessionCommands(program: Command): void {
  program
    .command('login <username>')
    .description('log in; the tokens are kept in ~/.config/muster, for you alone')
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText('after', '\nExample: muster login alice --server https://muster.example.net')
    .action(login);
  program
    .command('logout')
    .description('end the saved login')
    .addHelpText('after', '\nExample: muster logout')
    .action(logout);
  program
    .command('admin')
    .description('administration of the server itself')
    .command('setup-link')
    .description('a new one-time link that makes the first administrator; older ones end')
    .addHelpText('after', '\nExample: sudo npx muster admin setup-link')
    .action(setupLink);
}

async function login(
  username: string,
  options: {readonly passwordStdin?: boolean},
  command: Command,
): Promise<void> {
  const {clients, config, out, serverUrl} = contextOf(command);
  const password = options.passwordStdin
    ? readPassword()
    : await askPassword(`Password of ${username}: `);
  const answer = await clients.sessions.login({username, password});
  const {user, expiresAt} = answer;
  if (!user || !expiresAt) throw new CommandError("The server's answer was empty");
  saveLogin(config.credentialsFile, serverUrl, {
    username,
    token: answer.token,
    expiresAt: timestampDate(expiresAt).toISOString(),
    refreshToken: answer.refreshToken,
  });
  if (out.json) return out.document(UserSchema, user);
  out.line(
    `Logged in at ${serverUrl} as ${username} (${nameOf(User_RoleSchema, user.role).toLowerCase()})`,
  );
}

async function logout(_options: object, command: Command): Promise<void> {
  const {clients, config, out, serverUrl} = contextOf(command);
  const saved = findLogin(config.credentialsFile, serverUrl);
  if (!saved) throw new CommandError(`Nobody is logged in at ${serverUrl}`);
  try {
    await clients.sessions.logout({refreshToken: saved.refreshToken});
  } finally {
    // Forgotten here in any case; the server ends it by its time limit.
    saveLogin(config.credentialsFile, serverUrl, undefined);
  }
  out.line(out.json ? '{}' : `Logged out at ${serverUrl}`);
}

async function setupLink(_options: object, command: Command): Promise<void> {
  const {clients, out, serverUrl} = contextOf(command);
  const answer = await clients.sessions.createSetupLink({});
  if (out.json) return out.document(CreateSetupLinkResponseSchema, answer);
  out.line(`Works once, until ${clock(answer.expireTime)}:\n\n  ${serverUrl}${answer.path}\n`);
}
