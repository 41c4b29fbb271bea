import {type Group, GroupSchema} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Command} from 'commander';
import {describeBootProfile} from '../boot-profile-options.ts';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {machineColumns} from '../machine-view.ts';
import {clock, type Column, type Output} from '../output.ts';
import {addSearchOptions, type SearchOptions, searchOf} from '../search-options.ts';
import {addInheritanceCommands} from './group-inheritance.ts';
import {parsePriority} from './rules.ts';

type GroupOptions = {
  readonly name?: string;
  readonly description?: string;
  readonly tag?: readonly string[];
  readonly filter?: string;
  readonly priority?: number;
  /** False: --no-gate. */
  readonly gate?: readonly string[] | false;
};

const gateHelp =
  'tests that an image must have passed before its machines may have it: boot-bios, boot-uefi, hello, network, service:UNIT, script:NAME';

/** `muster groups …` */
export function addGroupCommands(program: Command): void {
  const groups = program
    .command('groups')
    .description('groups: machines that belong together, by hand or by a filter')
    .addHelpText('after', '\nA group is named by its id or its name.');
  groups
    .command('list')
    .description('list groups, or those of one machine')
    .option('--machine <machine>', 'only groups that this machine is in')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster groups list --machine ABC1234')
    .action(list);
  groups
    .command('get <group>')
    .description('show one group')
    .addHelpText('after', '\nExample: muster groups get web-servers')
    .action(get);
  groups
    .command('create <name>')
    .description('make a group; with a filter, the machines that meet it are in it')
    .option('--description <text>', 'free text')
    .option('--tag <tag...>', 'tags')
    .option('--filter <filter>', 'which machines are in it; without, they are added by hand')
    .option('--priority <n>', 'of several groups the highest counts (default: 0)', parsePriority)
    .option('--gate <test...>', gateHelp)
    .addHelpText('after', `\nExample: muster groups create rack7 --filter 'labels.rack = "r7"'`)
    .action(create);
  groups
    .command('update <group>')
    .description('change a group')
    .option('--name <name>', 'another name')
    .option('--description <text>', 'free text')
    .option('--tag <tag...>', 'tags, in place of those before')
    .option('--filter <filter>', 'another filter')
    .option('--priority <n>', 'of several groups the highest counts', parsePriority)
    .option('--gate <test...>', gateHelp)
    .option('--no-gate', 'no test is required any more')
    .addHelpText(
      'after',
      `
Example: muster groups update rack7 --filter 'labels.rack = "r8"'
  muster groups update web-servers --gate boot-uefi hello service:sshd.service`,
    )
    .action(update);
  addMembership(groups);
  addInheritanceCommands(groups, show);
}

function addMembership(groups: Command): void {
  groups
    .command('delete <group>')
    .description('remove a group; its machines stay')
    .addHelpText('after', '\nExample: muster groups delete web-servers')
    .action(remove);
  addSearchOptions(
    groups
      .command('machines <group>')
      .description('list the machines of a group')
      .option('--limit <n>', 'at most this many', parseLimit, 1000),
  )
    .addHelpText('after', '\nExample: muster groups machines web-servers --filter "state = READY"')
    .action(machines);
  groups
    .command('add <group> <machine...>')
    .description('put machines into a group')
    .addHelpText('after', '\nExample: muster groups add web-servers ABC1234 52:54:00:aa:00:01')
    .action(changeMembers('addGroupMachine'));
  groups
    .command('remove <group> <machine...>')
    .description('take machines out of a group')
    .addHelpText('after', '\nExample: muster groups remove web-servers ABC1234')
    .action(changeMembers('removeGroupMachine'));
}

const columns: readonly Column<Group>[] = [
  {title: 'NAME', value: ({name}) => name},
  {title: 'TAGS', value: ({tags}) => tags.join(' ')},
  {title: 'FILTER', value: ({filter}) => filter || 'by hand'},
  {title: 'DESCRIPTION', value: ({description}) => description},
];

function show(out: Output, group: Group | undefined): void {
  assertAnswered(group);
  if (out.json) return out.document(GroupSchema, group);
  out.record({
    id: group.id,
    name: group.name,
    description: group.description,
    tags: group.tags.join(' '),
    machines: group.filter || 'by hand',
    priority: String(group.priority),
    templates: group.templates.map(({name}) => name).join(' '),
    'boot profile': describeBootProfile(group.bootProfile),
    'image gate': group.imageGate.join(' '),
    created: clock(group.createTime),
    changed: clock(group.updateTime),
  });
}

async function list(
  {machine, limit}: {readonly machine?: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const machineId = machine === undefined ? undefined : await machineIdOf(context, machine);
  const groups =
    machineId === undefined
      ? await collectPages(context, limit, async page => {
          const answer = await clients.groups.listGroups(page);
          return {rows: answer.groups, nextPageToken: answer.nextPageToken};
        })
      : (await clients.groups.listMachineGroups({machineId})).groups;
  out.list(GroupSchema, columns, groups);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.groups.getGroup({id})).group);
}

async function create(name: string, options: GroupOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const group = {...fieldsOf(options), name};
  show(out, (await clients.groups.createGroup({group})).group);
}

async function update(id: string, options: GroupOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const fields = fieldsOf(options);
  const paths = Object.keys(fields).map(protoName);
  if (paths.length === 0)
    throw new CommandError(
      'Cannot update a group without a change: give --name, --description, --tag, --filter, --priority or --gate',
      exitStatus.usage,
    );
  const answer = await clients.groups.updateGroup({group: {...fields, id}, updateMask: {paths}});
  show(out, answer.group);
}

/** As the update mask has it. */
const protoName = (name: string): string => name.replaceAll(/[A-Z]/g, '_$&').toLowerCase();

function fieldsOf({name, description, tag, filter, priority, gate}: GroupOptions) {
  return {
    ...(name !== undefined && {name}),
    ...(description !== undefined && {description}),
    ...(tag !== undefined && {tags: [...tag]}),
    ...(filter !== undefined && {filter}),
    ...(priority !== undefined && {priority}),
    ...(gate !== undefined && {imageGate: gate === false ? [] : [...gate]}),
  };
}

async function remove(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.groups.deleteGroup({id});
  if (!out.json) out.line(`Deleted group ${id}`);
}

async function machines(
  groupId: string,
  options: SearchOptions & {readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const search = await searchOf(context, options);
  const rows = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.groups.listGroupMachines({groupId, ...search, ...page});
    return {rows: answer.machines, nextPageToken: answer.nextPageToken};
  });
  context.out.list(MachineSchema, machineColumns, rows);
}

function changeMembers(method: 'addGroupMachine' | 'removeGroupMachine') {
  return async (
    groupId: string,
    names: readonly string[],
    _options: object,
    command: Command,
  ): Promise<void> => {
    const context = contextOf(command);
    let group: Group | undefined;
    for (const name of names) {
      const machineId = await machineIdOf(context, name);
      ({group} = await context.clients.groups[method]({groupId, machineId}));
    }
    show(context.out, group);
  };
}
