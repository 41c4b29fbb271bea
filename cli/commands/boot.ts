import {
  BootAction,
  BootDecisionSchema,
  type BootSession,
  BootSession_StateSchema,
  BootSessionSchema,
  ExplainBootResponseSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Command} from 'commander';
import {collectPages, type Context, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {clock, nameOf} from '../output.ts';
import {addBootListCommands, describeDecision} from './boot-lists.ts';
import {describeHop, orderedHops, startOf} from '../timeline.ts';

/** `muster boot …` */
export function addBootCommands(program: Command): void {
  const boot = program.command('boot').description('network boot: what a machine gets and why');

  boot
    .command('explain <machine>')
    .description('the decision a machine would get now, and every rule that was asked')
    .addHelpText('after', '\nExample: muster boot explain 52:54:00:aa:00:01')
    .action(explain);
  boot
    .command('timeline <machine>')
    .description('the last boots of a machine, hop by hop, with what went wrong')
    .option('--limit <n>', 'how many boots', parseLimit, 3)
    .addHelpText('after', '\nExample: muster boot timeline ABC1234 --limit 1')
    .action(timeline);
  boot
    .command('override <machine>')
    .description('decide the next boot only')
    .option('--image <id>', 'boot this image')
    .option('--registration', 'boot the registration image')
    .option('--local-disk', 'boot the local disk')
    .option('--clear', 'take the override back')
    .addHelpText('after', '\nExample: muster boot override ABC1234 --registration')
    .action(override);
  addBootListCommands(boot);
}

async function explain(name: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const answer = await clients.boot.explainBoot({machine: name});
  if (out.json) return out.document(ExplainBootResponseSchema, answer);
  out.record({
    machine: answer.machineId || `nobody knows "${name}"`,
    decision: answer.decision ? describeDecision(answer.decision) : '',
    because: answer.decision?.reason ?? '',
  });
  if (answer.considered.length > 0) out.line('\nRules in order:');
  for (const rule of answer.considered) out.line(`  ${rule}`);
}

async function timeline(
  name: string,
  {limit}: {readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const sessions = await collectSessions(context, machineId, limit);
  if (context.out.json) return context.out.documents(BootSessionSchema, sessions);
  if (sessions.length === 0) context.remark('This machine has not booted from the network yet');
  for (const session of sessions.toReversed()) show(context, session);
}

async function collectSessions(
  context: Context,
  machineId: string,
  limit: number,
): Promise<readonly BootSession[]> {
  // A list of boots is often longer than what was asked for: no remark about more of them.
  return collectPages({...context, remark: () => undefined}, limit, async page => {
    const answer = await context.clients.boot.listBootSessions({
      machineId,
      pageToken: page.pageToken,
      pageSize: Math.min(page.pageSize, 100),
    });
    return {rows: answer.bootSessions, nextPageToken: answer.nextPageToken};
  });
}

function show({out}: Context, session: BootSession): void {
  const state = out.colour(nameOf(BootSession_StateSchema, session.state));
  const image = session.imageId ? `  image ${session.imageId.slice(0, 12)}` : '';
  out.line(`${clock(session.startTime)}  ${state}${image}`);
  for (const hop of orderedHops(session)) out.line(describeHop(hop, startOf(session)));
  if (session.diagnosis) out.line(`           ${session.diagnosis}`);
  out.line('');
}

async function override(
  name: string,
  options: {
    readonly image?: string;
    readonly registration?: boolean;
    readonly localDisk?: boolean;
    readonly clear?: boolean;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const {image, registration, localDisk, clear} = options;
  if ([image, registration, localDisk, clear].filter(Boolean).length !== 1)
    throw new CommandError(
      'Cannot override the next boot: give one of --image, --registration, --local-disk, --clear',
      exitStatus.usage,
    );
  const machineId = await machineIdOf(context, name);
  if (clear) {
    await clients.boot.clearBootOverride({machineId});
    return out.json ? out.line('{}') : out.line('The next boot follows the rules again');
  }
  const action = image
    ? BootAction.IMAGE
    : registration
      ? BootAction.REGISTRATION
      : BootAction.LOCAL_DISK;
  const {decision} = await clients.boot.setBootOverride({machineId, action, imageId: image ?? ''});
  assertAnswered(decision);
  if (out.json) return out.document(BootDecisionSchema, decision);
  out.line(`Next boot only: ${describeDecision(decision)}`);
}
