import {
  type Rollout,
  Rollout_StateSchema,
  RolloutSchema,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {assertAnswered} from '../exit-status.ts';
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
import {countsOf, showChildren, showOperation, waitFor} from '../operation-view.ts';
import {age, clock, type Column, nameOf, type Output} from '../output.ts';

type StartOptions = SelectionOptions &
  ChangeOptions & {
    readonly canary?: number;
    readonly waveSize?: number;
    readonly wavePercent?: number;
    readonly maxFailures?: number;
    readonly concurrency?: number;
    readonly machineTimeout?: number;
    readonly dryRun?: boolean;
  };

/** `muster rollouts …` */
export function addRolloutCommands(program: Command): void {
  const rollouts = program
    .command('rollouts')
    .alias('rollout')
    .description('roll-outs: a new image for many machines, wave after wave');
  addStart(rollouts);
  rollouts
    .command('list')
    .description('list roll-outs, newest first')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster rollouts list')
    .action(list);
  rollouts
    .command('get <rollout>')
    .description('show each wave and each machine, what comes next, and why')
    .addHelpText('after', `\nExample: muster rollouts get ${exampleId}`)
    .action(get);
  rollouts
    .command('pause <rollout>')
    .description('begin no further machine; those that have begun go on')
    .option('--reason <text>', 'for those who look at it', '')
    .addHelpText('after', `\nExample: muster rollouts pause ${exampleId} --reason "Lunch"`)
    .action(pause);
  rollouts
    .command('resume <rollout>')
    .description('go on after a pause or a halt; failures until now no longer count')
    .option('--retry-failed', 'try the machines that failed again, before the next wave')
    .addHelpText('after', `\nExample: muster rollouts resume ${exampleId} --retry-failed`)
    .action(resume);
  rollouts
    .command('cancel <rollout>')
    .description('begin nothing further and cancel its builds')
    .addHelpText('after', `\nExample: muster rollouts cancel ${exampleId}`)
    .action(cancel);
}

const exampleId = '0198c0de-0000-7000-8000-000000000001';

function addStart(rollouts: Command): void {
  const start = rollouts
    .command('start')
    .description('change, build and reboot machines; each wave when the one before is ACTIVE');
  addChangeOptions(addSelectionOptions(start))
    .option('--canary <n>', 'so many machines first', parseCount('--canary', 0, 1000))
    .option('--wave-size <n>', 'machines of each wave', parseCount('--wave-size', 1, 10_000))
    .option(
      '--wave-percent <n>',
      'machines of each wave, of all (25)',
      parseCount('--wave-percent', 1, 100),
    )
    .option(
      '--max-failures <n>',
      'halt with one more failure (0)',
      parseCount('--max-failures', 0, 10_000),
    )
    .option(
      '--concurrency <n>',
      'machines of a wave at a time (20)',
      parseCount('--concurrency', 1, 100),
    )
    .option(
      '--machine-timeout <seconds>',
      'from the reboot to ACTIVE in the new image (1800)',
      parseCount('--machine-timeout', 1, 86_400),
    )
    .option('--dry-run', 'tell what would happen to each machine, and change nothing')
    .addHelpText(
      'after',
      '\nExample: muster rollouts start --group web --template base-server@4 --canary 1 --wave-percent 20',
    )
    .action(startRollout);
}

async function startRollout(options: StartOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const {canary, waveSize, wavePercent, maxFailures, concurrency, machineTimeout} = options;
  if (waveSize !== undefined && wavePercent !== undefined)
    throw usage('Cannot size the waves: give --wave-size or --wave-percent, not both');
  const change = changeOf(options);
  const {rollout} = await clients.rollouts.createRollout({
    ...selectionOf(options),
    ...(change.updateMask.paths.length > 0 ? change : {}),
    ...(waveSize === undefined ? {} : {wave: {case: 'waveSize', value: waveSize}}),
    ...(wavePercent === undefined ? {} : {wave: {case: 'wavePercent', value: wavePercent}}),
    canary: canary ?? 0,
    maxFailures: maxFailures ?? 0,
    concurrency: concurrency ?? 0,
    machineTimeoutSeconds: machineTimeout ?? 0,
    dryRun: options.dryRun ?? false,
  });
  const operation = rollout?.operation;
  assertAnswered(operation);
  if (!options.dryRun) return show(out, rollout);
  const over = await waitFor(context, operation);
  if (!out.json) showOperation(out, over);
  await showChildren(context, over);
}

const columns: readonly Column<Rollout>[] = [
  {title: 'ID', value: ({id}) => id},
  {title: 'STATE', value: ({state}) => nameOf(Rollout_StateSchema, state)},
  {title: 'WAVE', value: ({currentWave, waves}) => `${currentWave} of ${waves.length}`},
  {title: 'MACHINES', value: ({operation}) => (operation ? countsOf(operation) : '')},
  {title: 'CHOSEN BY', value: ({operation}) => operation?.selection ?? ''},
  {title: 'ACTOR', value: ({operation}) => operation?.actor ?? ''},
  {title: 'AGE', value: ({operation}) => age(operation?.createTime)},
];

async function list({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const rows = await collectPages(context, limit, async page => {
    const answer = await context.clients.rollouts.listRollouts(page);
    return {rows: answer.rollouts, nextPageToken: answer.nextPageToken};
  });
  context.out.list(RolloutSchema, columns, rows);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const {rollout} = await context.clients.rollouts.getRollout({id});
  show(context.out, rollout);
  if (rollout?.operation && !context.out.json) await showChildren(context, rollout.operation);
}

async function pause(
  id: string,
  {reason}: {readonly reason: string},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.rollouts.pauseRollout({id, reason})).rollout);
}

async function resume(
  id: string,
  {retryFailed = false}: {readonly retryFailed?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.rollouts.resumeRollout({id, retryFailed})).rollout);
}

async function cancel(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.rollouts.cancelRollout({id})).rollout);
}

function show(out: Output, rollout: Rollout | undefined): void {
  assertAnswered(rollout);
  if (out.json) return out.document(RolloutSchema, rollout);
  const {operation} = rollout;
  out.record({
    id: rollout.id,
    state: nameOf(Rollout_StateSchema, rollout.state),
    why: rollout.holdReason,
    next: rollout.nextStep,
    error: operation?.error ?? '',
    machines: operation ? `${operation.selection}: ${countsOf(operation)}` : '',
    limits: `${rollout.maxFailures} failures, ${rollout.concurrency} machines at a time, ${rollout.machineTimeoutSeconds} s from reboot to ACTIVE`,
    'dry run': operation?.dryRun ? 'yes: nothing is changed' : '',
    actor: operation?.actor ?? '',
    created: clock(operation?.createTime),
    ended: clock(operation?.endTime),
  });
  for (const {number, canary, counts} of rollout.waves)
    out.line(
      `  wave ${number}${canary ? ' (canary)' : ''}: ${countsOf(counts ? {children: counts} : {})}`,
    );
}
