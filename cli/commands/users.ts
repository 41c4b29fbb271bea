import {
  type User,
  User_Role,
  User_RoleSchema,
  UserSchema,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Column, nameOf} from '../output.ts';
import {askPassword, readPassword} from '../password.ts';

const columns: readonly Column<User>[] = [
  {title: 'USERNAME', value: user => user.username},
  {title: 'ROLE', value: user => nameOf(User_RoleSchema, user.role).toLowerCase()},
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
    .requiredOption('--role <role>', 'viewer, developer, operator or admin')
    .option('--email <email>', 'mail address', '')
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText('after', '\nExample: muster users create bob --role operator')
    .action(create);
}

async function list(options: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const users = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.users.listUsers(page);
    return {rows: answer.users, nextPageToken: answer.nextPageToken};
  });
  if (context.out.json) return context.out.documents(UserSchema, users);
  context.out.table(columns, users);
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
  if (!user) throw new CommandError("The server's answer was empty");
  if (out.json) return out.document(UserSchema, user);
  out.line(`Created ${user.username} (${nameOf(User_RoleSchema, user.role).toLowerCase()})`);
}

const roles: ReadonlyMap<string, User_Role> = new Map([
  ['viewer', User_Role.VIEWER],
  ['developer', User_Role.DEVELOPER],
  ['operator', User_Role.OPERATOR],
  ['admin', User_Role.ADMIN],
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
