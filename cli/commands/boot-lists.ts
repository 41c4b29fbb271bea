import {
  BootActionSchema,
  type BootDecision,
  type BootOverride,
  BootOverrideSchema,
  type BootSession,
  BootSession_State,
  BootSession_StateSchema,
  BootSessionSchema,
  type MachineBootDecision,
  MachineBootDecisionSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {addListOptions, choiceOption, chosen, type ListOptions} from '../list-options.ts';
import {age, clock, type Column, nameOf} from '../output.ts';

const states: Readonly<Record<string, BootSession_State>> = {
  open: BootSession_State.OPEN,
  stalled: BootSession_State.STALLED,
  completed: BootSession_State.COMPLETED,
};
const sessionsInPageMax = 100;

const sessionColumns: readonly Column<BootSession>[] = [
  {title: 'BEGAN', value: ({startTime}) => clock(startTime)},
  {title: 'STATE', value: ({state}) => nameOf(BootSession_StateSchema, state)},
  {title: 'MACHINE', value: ({machineId}) => machineId || 'stranger'},
  {title: 'MAC', value: ({client}) => client?.macAddresses[0] ?? ''},
  {title: 'IMAGE', value: ({imageId}) => imageId.slice(0, 12)},
  {title: 'DIAGNOSIS', value: ({diagnosis}) => diagnosis},
];

const overrideColumns: readonly Column<BootOverride>[] = [
  {title: 'MACHINE', value: ({machineId}) => machineId},
  {title: 'BOOTS', value: ({persistent}) => (persistent ? 'all' : 'next')},
  {title: 'DECISION', value: decided => shortDecision(decided)},
  {title: 'BY', value: ({actor}) => actor},
  {title: 'AGE', value: ({createTime}) => age(createTime)},
  {
    title: 'ENDS',
    value: ({expireTime, given}) =>
      expireTime ? `${clock(expireTime)}${given ? ', or with the hello of its boot' : ''}` : '',
  },
];

const decisionColumns: readonly Column<MachineBootDecision>[] = [
  {title: 'MACHINE', value: ({machineId}) => machineId},
  {title: 'DECISION', value: ({decision}) => (decision ? shortDecision(decision) : '')},
  {title: 'THEN', value: ({standing}) => (standing ? shortDecision(standing) : '')},
  {title: 'BECAUSE', value: ({decision}) => decision?.reason ?? ''},
];

/** Over all machines. */
export function addBootListCommands(boot: Command): void {
  addListOptions(boot.command('sessions').description('list boots of all machines, newest first'))
    .addOption(choiceOption('--state <state...>', 'only those that are', states))
    .option('--image <image>', 'only boots of this image, by its whole id')
    .addHelpText('after', '\nExample: muster boot sessions --state open stalled --since 1h')
    .action(sessions);
  boot
    .command('overrides')
    .description('list what people decided about boots and what holds now, newest first')
    .option('--machine <machine>', 'only those of this machine')
    .option('--next', 'only of the next boot')
    .option('--entries', 'only of all boots: boot entries')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster boot overrides --next')
    .action(overrides);
  boot
    .command('decisions')
    .description('what each machine would boot now, and why')
    .option('--filter <filter>', 'only machines that meet it (docs/search.md)', '')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', "\nExample: muster boot decisions --filter 'state = FAILED'")
    .action(decisions);
}

async function sessions(
  options: ListOptions & {readonly state?: readonly string[]; readonly image?: string},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {machine, since, until, image: imageId = ''} = options;
  const machineId = machine ? await machineIdOf(context, machine) : '';
  const query = {machineId, states: chosen(states, options.state), imageId, since, until};
  const rows = await collectPages(context, options.limit, async page => {
    const pageSize = Math.min(page.pageSize, sessionsInPageMax);
    const answer = await context.clients.boot.listBootSessions({...query, ...page, pageSize});
    return {rows: answer.bootSessions, nextPageToken: answer.nextPageToken};
  });
  context.out.list(BootSessionSchema, sessionColumns, rows);
}

async function overrides(
  options: {
    readonly machine?: string;
    readonly next?: boolean;
    readonly entries?: boolean;
    readonly limit: number;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {machine, next = false, entries = false} = options;
  if (next && entries)
    throw new CommandError(
      'Cannot list overrides: give one of --next and --entries, or neither for both',
      exitStatus.usage,
    );
  const machineId = machine ? await machineIdOf(context, machine) : '';
  const query = {machineId, ...(next || entries ? {persistent: entries} : {})};
  const rows = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.boot.listBootOverrides({...query, ...page});
    return {rows: answer.bootOverrides, nextPageToken: answer.nextPageToken};
  });
  context.out.list(BootOverrideSchema, overrideColumns, rows);
}

async function decisions(
  {filter, limit}: {readonly filter: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const rows = await collectPages(context, limit, async page => {
    const answer = await context.clients.boot.listBootDecisions({filter, ...page});
    return {rows: answer.bootDecisions, nextPageToken: answer.nextPageToken};
  });
  context.out.list(MachineBootDecisionSchema, decisionColumns, rows);
}

type Decided = Pick<BootDecision, 'action' | 'imageId'>;

/** "image 0123…", "local disk" */
export function describeDecision({action, imageId}: Decided): string {
  const name = nameOf(BootActionSchema, action).toLowerCase().replace('_', ' ');
  return imageId ? `${name} ${imageId}` : name;
}

const shortDecision = ({action, imageId}: Decided): string =>
  describeDecision({action, imageId: imageId.slice(0, 12)});
