import {MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {User_Role, User_RoleSchema} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {
  type Workspace,
  type WorkspaceMember,
  WorkspaceMemberSchema,
  WorkspaceSchema,
} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {machineName} from '../machine-view.ts';
import {clock, type Column, nameOf, type Output} from '../output.ts';

type WorkspaceOptions = {
  readonly name?: string;
  readonly description?: string;
  readonly machinesMax?: number;
};

/** `muster workspaces …` */
export function addWorkspaceCommands(program: Command): void {
  const workspaces = program
    .command('workspaces')
    .alias('workspace')
    .description('tenants or environments: machines are assigned to one, people have roles in it')
    .addHelpText('after', '\nA workspace is named by its id or its name.');
  workspaces
    .command('list')
    .description('list workspaces')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster workspaces list')
    .action(list);
  workspaces
    .command('get <workspace>')
    .description('show one workspace')
    .addHelpText('after', '\nExample: muster workspaces get staging')
    .action(get);
  workspaces
    .command('create <name>')
    .description('make a workspace')
    .option('--description <text>', 'free text')
    .option('--machines-max <n>', 'quota; 0 is no limit', parseQuota)
    .addHelpText('after', '\nExample: muster workspaces create staging --machines-max 20')
    .action(create);
  workspaces
    .command('update <workspace>')
    .description('change a workspace')
    .option('--name <name>', 'another name')
    .option('--description <text>', 'free text')
    .option('--machines-max <n>', 'quota; 0 is no limit', parseQuota)
    .addHelpText('after', '\nExample: muster workspaces update staging --machines-max 40')
    .action(update);
  workspaces
    .command('delete <workspace>')
    .description('remove a workspace that no machine is assigned to')
    .addHelpText('after', '\nExample: muster workspaces delete staging')
    .action(remove);
  addMachineCommands(workspaces);
  addMemberCommands(workspaces);
}

function addMachineCommands(workspaces: Command): void {
  workspaces
    .command('assign <workspace> <machine...>')
    .description('assign ready or active machines to a workspace')
    .addHelpText('after', '\nExample: muster workspaces assign staging ABC1234')
    .action(moveMachines('assignMachine', 'is now in'));
  workspaces
    .command('release <workspace> <machine...>')
    .description('take ready or active machines back from a workspace')
    .addHelpText('after', '\nExample: muster workspaces release staging ABC1234')
    .action(moveMachines('releaseMachine', 'is no longer in'));
}

function addMemberCommands(workspaces: Command): void {
  workspaces
    .command('members <workspace>')
    .description('who has a role in a workspace')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster workspaces members staging')
    .action(members);
  workspaces
    .command('grant <workspace> <user>')
    .description('give somebody a role in a workspace, in place of the one they have there')
    .requiredOption('--role <role>', 'viewer, developer, operator or admin')
    .addHelpText('after', '\nExample: muster workspaces grant staging bob --role operator')
    .action(grant);
  workspaces
    .command('revoke <workspace> <user>')
    .description('take the role in a workspace away')
    .addHelpText('after', '\nExample: muster workspaces revoke staging bob')
    .action(revoke);
}

const columns: readonly Column<Workspace>[] = [
  {title: 'NAME', value: ({name}) => name},
  {title: 'MACHINES', value: ({machineCount}) => String(machineCount)},
  {title: 'QUOTA', value: ({machinesMax}) => (machinesMax === 0 ? 'none' : String(machinesMax))},
  {title: 'MEMBERS', value: ({memberCount}) => String(memberCount)},
  {title: 'DESCRIPTION', value: ({description}) => description},
  {title: 'ID', value: ({id}) => id},
];

const memberColumns: readonly Column<WorkspaceMember>[] = [
  {title: 'USERNAME', value: ({username}) => username},
  {title: 'ROLE', value: ({role}) => nameOf(User_RoleSchema, role).toLowerCase()},
  {title: 'SINCE', value: ({createTime}) => clock(createTime)},
  {title: 'ID', value: ({userId}) => userId},
];

function show(out: Output, workspace: Workspace | undefined): void {
  assertAnswered(workspace);
  if (out.json) return out.document(WorkspaceSchema, workspace);
  const fields = columns.map(({title, value}) => [title.toLowerCase(), value(workspace)] as const);
  out.record({
    ...Object.fromEntries(fields),
    created: clock(workspace.createTime),
    changed: clock(workspace.updateTime),
  });
}

async function list({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const workspaces = await collectPages(context, limit, async page => {
    const answer = await clients.workspaces.listWorkspaces(page);
    return {rows: answer.workspaces, nextPageToken: answer.nextPageToken};
  });
  out.list(WorkspaceSchema, columns, workspaces);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.workspaces.getWorkspace({id})).workspace);
}

async function create(name: string, options: WorkspaceOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const workspace = {...options, name};
  show(out, (await clients.workspaces.createWorkspace({workspace})).workspace);
}

const pathOf: Readonly<Record<keyof WorkspaceOptions, string>> = {
  name: 'name',
  description: 'description',
  machinesMax: 'machines_max',
};

async function update(id: string, options: WorkspaceOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const paths = Object.keys(options).map(name => pathOf[name as keyof WorkspaceOptions]);
  if (paths.length === 0)
    throw new CommandError(
      'Cannot update a workspace without a change: give --name, --description or --machines-max',
      exitStatus.usage,
    );
  const wanted = {workspace: {...options, id}, updateMask: {paths}};
  show(out, (await clients.workspaces.updateWorkspace(wanted)).workspace);
}

async function remove(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.workspaces.deleteWorkspace({id});
  out.line(out.json ? '{}' : `Deleted workspace ${id}`);
}

function moveMachines(method: 'assignMachine' | 'releaseMachine', what: string) {
  return async (
    workspaceId: string,
    names: readonly string[],
    _options: object,
    command: Command,
  ): Promise<void> => {
    const context = contextOf(command);
    const {clients, out} = context;
    for (const name of names) {
      const machineId = await machineIdOf(context, name);
      const {machine} = await clients.workspaces[method]({workspaceId, machineId});
      assertAnswered(machine);
      if (out.json) out.document(MachineSchema, machine);
      else out.line(`${machineName(machine)} ${what} workspace ${workspaceId}`);
    }
  };
}

async function members(
  workspaceId: string,
  {limit}: {readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const found = await collectPages(context, limit, async page => {
    const answer = await clients.workspaces.listWorkspaceMembers({workspaceId, ...page});
    return {rows: answer.members, nextPageToken: answer.nextPageToken};
  });
  out.list(WorkspaceMemberSchema, memberColumns, found);
}

const roles: ReadonlyMap<string, User_Role> = new Map([
  ['viewer', User_Role.VIEWER],
  ['developer', User_Role.DEVELOPER],
  ['operator', User_Role.OPERATOR],
  ['admin', User_Role.ADMIN],
]);

async function grant(
  workspaceId: string,
  userId: string,
  options: {readonly role: string},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const role = roles.get(options.role);
  if (role === undefined)
    throw new CommandError(
      `Cannot give role "${options.role}": say ${[...roles.keys()].join(', ')}`,
      exitStatus.usage,
    );
  const {member} = await clients.workspaces.grantWorkspaceRole({workspaceId, userId, role});
  assertAnswered(member);
  if (out.json) return out.document(WorkspaceMemberSchema, member);
  out.line(`${member.username} is ${options.role} in workspace ${workspaceId}`);
}

async function revoke(
  workspaceId: string,
  userId: string,
  _options: object,
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.workspaces.revokeWorkspaceRole({workspaceId, userId});
  out.line(out.json ? '{}' : `${userId} has no role in workspace ${workspaceId}`);
}

function parseQuota(text: string): number {
  const quota = Number(text);
  if (!Number.isInteger(quota) || quota < 0 || quota > 1_000_000)
    throw new CommandError(
      `Cannot use --machines-max "${text}": say a number from 0 (no limit) to 1000000`,
      exitStatus.usage,
    );
  return quota;
}
