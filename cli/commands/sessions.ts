import {timestampDate} from '@bufbuild/protobuf/wkt';
import {
  CreateSetupLinkResponseSchema,
  RevokeSessionsResponseSchema,
  type Session,
  Session_MethodSchema,
  SessionSchema,
} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {
  ResetAdministratorResponseSchema,
  User_RoleSchema,
  UserSchema,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Command} from 'commander';
import {createLocalClients} from '../client.ts';
import {localTokenFile} from '../config.ts';
import {collectPages, type Context, contextOf, parseLimit} from '../context.ts';
import {loginInBrowser} from '../browser-login.ts';
import {findLogin, saveLogin} from '../credentials.ts';
import {assertAnswered, CommandError} from '../exit-status.ts';
import {age, clock, type Column, nameOf} from '../output.ts';
import {askPassword, readPassword} from '../password.ts';

/** `muster login`, `muster logout`, `muster admin setup-link` */
export function addSessionCommands(program: Command): void {
  program
    .command('login [username]')
    .description('log in; the tokens are kept in ~/.config/muster, for you alone')
    .option('--password-stdin', 'read the password from standard input')
    .option('--oidc', 'at the OpenID provider of the server, in a browser on this host')
    .addHelpText('after', '\nExample: muster login alice --server https://muster.example.net')
    .action(login);
  program
    .command('logout')
    .description('end the saved login')
    .addHelpText('after', '\nExample: muster logout')
    .action(logout);
  const admin = program.command('admin').description('administration of the server itself');
  admin
    .command('reset <username>')
    .description(
      'break glass, on the host of the server only: make or repair an administrator, with a new password',
    )
    .addHelpText('after', '\nExample: sudo npx muster admin reset root')
    .action(resetAdministrator);
  admin
    .command('setup-link')
    .description('a new one-time link that makes the first administrator; older ones end')
    .addHelpText('after', '\nExample: sudo npx muster admin setup-link')
    .action(setupLink);
}

const columns: readonly Column<Session>[] = [
  {title: 'ID', value: session => session.id},
  {title: 'USER', value: session => session.username},
  {
    title: 'BY',
    value: ({method, browser}) =>
      nameOf(Session_MethodSchema, method).toLowerCase() + (browser ? ', browser' : ''),
  },
  {title: 'FROM', value: session => session.lastAddress},
  {title: 'BEGAN', value: session => clock(session.createTime)},
  {title: 'USED', value: session => age(session.lastUseTime)},
  {title: 'UNTIL', value: session => clock(session.expireTime)},
  {title: '', value: session => (session.current ? 'this one' : '')},
];

/** `muster sessions …` */
export function addSessionListCommands(program: Command): void {
  const sessions = program.command('sessions').description('logins that go on');
  sessions
    .command('list')
    .description('your own logins')
    .option('--user <user>', "somebody's, by user name or id; - is everybody's")
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster sessions list --user bob')
    .action(list);
  sessions
    .command('revoke [id]')
    .description('end one login; without an id all others of yours, or all of --user')
    .option('--user <user>', 'whose')
    .addHelpText('after', '\nExample: muster sessions revoke --user bob')
    .action(revoke);
}

async function list(
  options: {readonly user?: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const userId = options.user ?? '';
  const sessions = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.sessions.listSessions({userId, ...page});
    return {rows: answer.sessions, nextPageToken: answer.nextPageToken};
  });
  context.out.list(SessionSchema, columns, sessions);
}

async function revoke(
  id: string | undefined,
  options: {readonly user?: string},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  if (id !== undefined && options.user !== undefined)
    throw new CommandError('Cannot take both an id and --user: an id says it all', 2);
  if (id !== undefined) {
    await clients.sessions.revokeSession({id});
    out.line(out.json ? '{}' : `Session ${id} is revoked`);
    return;
  }
  const answer = await clients.sessions.revokeSessions({userId: options.user ?? ''});
  if (out.json) return out.document(RevokeSessionsResponseSchema, answer);
  out.line(`Revoked sessions: ${answer.revokedCount}`);
}

type LoginOptions = {readonly passwordStdin?: boolean; readonly oidc?: boolean};

async function login(
  username: string | undefined,
  options: LoginOptions,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {config, out, serverUrl} = context;
  const answer = options.oidc
    ? await loginInBrowser(context)
    : await loginByPassword(context, username, options);
  const {user, expiresAt} = answer;
  assertAnswered(user && expiresAt);
  saveLogin(config.credentialsFile, serverUrl, {
    username: user.username,
    token: answer.token,
    expiresAt: timestampDate(expiresAt).toISOString(),
    refreshToken: answer.refreshToken,
  });
  if (out.json) return out.document(UserSchema, user);
  out.line(
    `Logged in at ${serverUrl} as ${user.username} (${nameOf(User_RoleSchema, user.role).toLowerCase()})`,
  );
}

async function loginByPassword(
  {clients}: Context,
  username: string | undefined,
  {passwordStdin}: LoginOptions,
) {
  if (username === undefined)
    throw new CommandError('Cannot log in as nobody: give a user name, or --oidc', 2);
  const password = passwordStdin ? readPassword() : await askPassword(`Password of ${username}: `);
  return clients.sessions.login({username, password});
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

async function resetAdministrator(
  username: string,
  _options: object,
  command: Command,
): Promise<void> {
  const {config, out, serverUrl} = contextOf(command);
  const {dataFolder} = config;
  // Never the saved login: it may be the very thing that does not work any more.
  const {users} = createLocalClients({serverUrl, localTokenFile: localTokenFile(dataFolder)});
  const answer = await users.resetAdministrator({username});
  if (out.json) return out.document(ResetAdministratorResponseSchema, answer);
  out.line(`Administrator "${username}", shown once:\n\n  ${answer.password}\n`);
  out.line('Its sessions and API tokens have ended. Change it: muster password change');
}
