import {CreateBulkRequest_Operation as Action} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Command} from 'commander';
import {type Context, contextOf} from '../context.ts';
import {assertAnswered, CommandError} from '../exit-status.ts';
import {
  addChangeOptions,
  addSelectionOptions,
  type ChangeOptions,
  changeOf,
  parseCount,
  type SelectionOptions,
  selectionOf,
  usage,
} from '../machine-selection.ts';
import {showChildren, showOperation, waitFor} from '../operation-view.ts';
import {splitLabel} from '../search-options.ts';

type BulkOptions = SelectionOptions & {
  readonly dryRun?: boolean;
  readonly concurrency?: number;
  readonly maxFailures?: number;
  readonly wait?: boolean;
};

type Request = Parameters<Context['clients']['bulk']['createBulk']>[0];

/** `muster bulk …` */
export function addBulkCommands(program: Command): void {
  const bulk = program
    .command('bulk')
    .description('one action on many machines: an operation with an outcome for each of them')
    .addHelpText('after', '\nThe machines are those that are meant when it starts (docs/bulk.md).');
  addBulkOptions(
    addChangeOptions(bulk.command('update').description('change machines, all of them alike')),
  )
    .addHelpText(
      'after',
      '\nExample: muster bulk update --group web --description "Rack 7" --dry-run',
    )
    .action(update);
  addBulkOptions(bulk.command('build').description("build each machine's image"))
    .addHelpText(
      'after',
      '\nExample: muster bulk build --group web --concurrency 4 --max-failures 2',
    )
    .action(start({operation: Action.BUILD}));
  addBulkOptions(bulk.command('reboot').description('tell each agent to reboot'))
    .addHelpText(
      'after',
      `\nExample: muster bulk reboot --filter 'labels.rack = r7' --concurrency 1`,
    )
    .action(start({operation: Action.REBOOT}));
  addBulkOptions(
    bulk
      .command('label')
      .description('set and remove labels')
      .option('--set <assignment...>', 'labels to set, as KEY=VALUE')
      .option('--remove <key...>', 'labels to remove'),
  )
    .addHelpText('after', '\nExample: muster bulk label --ids ABC1234 DEF5678 --set rack=r7')
    .action(label);
  addBulkOptions(
    bulk
      .command('assign <workspace>')
      .description('assign machines to a workspace')
      .addHelpText('after', '\nExample: muster bulk assign team-a --group web --dry-run'),
  ).action(place(Action.ASSIGN));
  addBulkOptions(
    bulk
      .command('release <workspace>')
      .description('release machines from a workspace')
      .addHelpText('after', `\nExample: muster bulk release team-a --filter 'labels.rack = r7'`),
  ).action(place(Action.RELEASE));
  addBulkOptions(bulk.command('delete').description('remove machines that are not in service'))
    .addHelpText('after', `\nExample: muster bulk delete --filter 'state = RETIRED' --dry-run`)
    .action(start({operation: Action.DELETE}));
}

const addBulkOptions = (command: Command): Command =>
  addSelectionOptions(command)
    .option('--dry-run', 'tell what would happen to each machine, and change nothing')
    .option('--concurrency <n>', 'machines at a time (10)', parseCount('--concurrency', 1, 100))
    .option(
      '--max-failures <n>',
      'with one more failure nothing further begins (no limit)',
      parseCount('--max-failures', 0, 10_000),
    )
    .option('--wait', 'wait until it is over; exit status 1 when a machine failed');

const start =
  (request: Request) =>
  (options: BulkOptions, command: Command): Promise<void> =>
    run(contextOf(command), options, request);

const place =
  (operation: Action) =>
  (workspace: string, options: BulkOptions, command: Command): Promise<void> =>
    run(contextOf(command), options, {operation, workspace});

async function update(options: BulkOptions & ChangeOptions, command: Command): Promise<void> {
  const {data, updateMask} = changeOf(options);
  if (updateMask.paths.length === 0)
    throw usage(
      'Cannot update machines without a change: give --description, --notes, --image-config, --nixos-config or --template',
    );
  await run(contextOf(command), options, {operation: Action.UPDATE, data, updateMask});
}

async function label(
  options: BulkOptions & {readonly set?: readonly string[]; readonly remove?: readonly string[]},
  command: Command,
): Promise<void> {
  const assignments = (options.set ?? []).map(text => {
    const {key, value} = splitLabel(text);
    if (value === undefined) throw usage(`Cannot set label "${text}": say KEY=VALUE`);
    return [key, value] as const;
  });
  const removeLabels = [...(options.remove ?? [])];
  if (assignments.length + removeLabels.length === 0)
    throw usage('Cannot label machines without a label: give --set or --remove');
  const setLabels = Object.fromEntries(assignments);
  await run(contextOf(command), options, {operation: Action.LABEL, setLabels, removeLabels});
}

async function run(context: Context, options: BulkOptions, request: Request): Promise<void> {
  const {clients, out} = context;
  const {dryRun = false, concurrency = 0, maxFailures, wait} = options;
  const {operation} = await clients.bulk.createBulk({
    ...request,
    ...selectionOf(options),
    dryRun,
    concurrency,
    ...(maxFailures === undefined ? {} : {maxFailures}),
  });
  assertAnswered(operation);
  if (!wait && !dryRun) {
    if (out.json) return showOperation(out, operation);
    return out.line(
      `Started operation ${operation.id} on ${operation.children?.total} machines; see it with: muster operations get ${operation.id}`,
    );
  }
  const over = await waitFor(context, operation);
  if (!out.json) showOperation(out, over);
  await showChildren(context, over);
  if (over.state !== Operation_State.SUCCEEDED && !dryRun)
    throw new CommandError(`Operation ${over.id} did not succeed: ${over.error || 'cancelled'}`);
}
