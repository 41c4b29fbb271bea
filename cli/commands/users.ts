import {
  CreatePasswordResetResponseSchema,
  type User,
  User_Role,
  User_RoleSchema,
  UserSchema,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Column, nameOf, type Output} from '../output.ts';
import {askPassword, readPassword} from '../password.ts';

const columns: readonly Column<User>[] = [
  {title: 'USERNAME', value: user => user.username},
  {title: 'ROLE', value: user => nameOf(User_RoleSchema, user.role).toLowerCase()},
  {title: 'STATE', value: user => (user.disabled ? 'disabled' : 'active')},
  {title: 'EMAIL', value: user => user.email},
  {title: 'CREATED', value: user => clock(user.createTime)},
  {title: 'ID', value: user => user.id},
];

/** `muster users …` */
export function addUserCommands(program: Command): void {
  const users = program.command('users').description('people who may log in');
  users
    .command('list')
    .description('list people')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster users list')
    .action(list);
  users
    .command('create <username>')
    .description('let somebody in; asks for a first password')
    .requiredOption(
      '--role <role>',
      'viewer, developer, operator or admin; member: in workspaces only',
    )
    .option('--email <email>', 'mail address', '')
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText('after', '\nExample: muster users create bob --role operator')
    .action(create);
  users
    .command('get <user>')
    .description('show one person, by user name or id')
    .addHelpText('after', '\nExample: muster users get bob')
    .action(get);
  users
    .command('update <user>')
    .description('change what is given; a new password and --disable end all sessions')
    .option('--role <role>', 'viewer, developer, operator or admin; member: in workspaces only')
    .option('--email <email>', 'mail address')
    .option('--password-stdin', 'read a new password from standard input')
    .option('--certificate-subject <subject>', 'client certificate that is a login; empty: none')
    .option('--disable', 'accept nothing of this person any more')
    .option('--enable', 'accept it again')
    .addHelpText('after', '\nExample: muster users update bob --role developer')
    .action(update);
  users
    .command('delete <user>')
    .description('remove somebody with all sessions and API tokens')
    .addHelpText('after', '\nExample: muster users delete bob')
    .action(remove);
  users
    .command('reset-password <user>')
    .description('a code with which they set a new password within an hour; shown once')
    .addHelpText('after', '\nExample: muster users reset-password bob')
    .action(resetPassword);
}

async function list(options: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const users = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.users.listUsers(page);
    return {rows: answer.users, nextPageToken: answer.nextPageToken};
  });
  context.out.list(UserSchema, columns, users);
}

async function create(
  username: string,
  options: {readonly role: string; readonly email: string; readonly passwordStdin?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const role = parseRole(options.role);
  const password = options.passwordStdin
    ? readPassword()
    : await askPassword(`First password of ${username}: `);
  const {user} = await clients.users.createUser({username, email: options.email, password, role});
  assertAnswered(user);
  if (out.json) return out.document(UserSchema, user);
  out.line(`Created ${user.username} (${nameOf(User_RoleSchema, user.role).toLowerCase()})`);
}

async function get(name: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {user} = await clients.users.getUser({id: name});
  show(out, user);
}

type UpdateOptions = {
  readonly role?: string;
  readonly email?: string;
  readonly passwordStdin?: boolean;
  readonly certificateSubject?: string;
  readonly disable?: boolean;
  readonly enable?: boolean;
};

async function update(name: string, options: UpdateOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  if (options.disable && options.enable)
    throw new CommandError('Cannot do both --disable and --enable', exitStatus.usage);
  const {user} = await clients.users.updateUser({
    id: name,
    ...(options.role === undefined ? {} : {role: parseRole(options.role)}),
    ...(options.email === undefined ? {} : {email: options.email}),
    ...(options.passwordStdin ? {password: readPassword()} : {}),
    ...(options.certificateSubject === undefined
      ? {}
      : {certificateSubject: options.certificateSubject}),
    ...(options.disable || options.enable ? {disabled: options.disable === true} : {}),
  });
  show(out, user);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.users.deleteUser({id: name});
  out.line(out.json ? '{}' : `Deleted ${name}`);
}

async function resetPassword(name: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const answer = await clients.users.createPasswordReset({id: name});
  if (out.json) return out.document(CreatePasswordResetResponseSchema, answer);
  out.line(`Works once, until ${clock(answer.expireTime)}, shown once:\n\n  ${answer.code}\n`);
  out.line(`${name} runs: muster password reset`);
}

function show(out: Output, user: User | undefined): void {
  assertAnswered(user);
  if (out.json) return out.document(UserSchema, user);
  const fields = columns.map(({title, value}) => [title.toLowerCase(), value(user)] as const);
  out.record({
    ...Object.fromEntries(fields),
    workspaces: user.workspaceRoles
      .map(({workspace, role}) => `${workspace}=${nameOf(User_RoleSchema, role).toLowerCase()}`)
      .join(' '),
    certificate: user.certificateSubject,
    password: user.external ? 'none: signs in elsewhere' : '',
  });
}

const roles: ReadonlyMap<string, User_Role> = new Map([
  ['viewer', User_Role.VIEWER],
  ['developer', User_Role.DEVELOPER],
  ['operator', User_Role.OPERATOR],
  ['admin', User_Role.ADMIN],
  // Only what "muster workspaces grant" gives.
  ['member', User_Role.MEMBER],
]);

function parseRole(text: string): User_Role {
  const role = roles.get(text);
  if (role === undefined)
    throw new CommandError(
      `Cannot give role "${text}": say ${[...roles.keys()].join(', ')}`,
      exitStatus.usage,
    );
  return role;
}
