import {
  HardwareDiffSchema,
  type HardwareVersion,
  HardwareVersionSchema,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Column} from '../output.ts';

const columns: readonly Column<HardwareVersion>[] = [
  {title: 'VERSION', value: ({number}) => String(number)},
  {title: 'SINCE', value: ({createTime}) => clock(createTime)},
  {title: 'CONFIRMED', value: ({confirmTime}) => clock(confirmTime)},
  {title: 'PARTS', value: ({partCount}) => String(partCount)},
  {title: 'CHANGES', value: describeVersion},
];

/** `muster hardware history` and `diff`. */
export function addHardwareHistoryCommands(hardware: Command): void {
  hardware
    .command('history <machine>')
    .description('each time that the hardware of a machine was another, newest first')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster hardware history ABC1234')
    .action(history);
  hardware
    .command('diff <machine>')
    .description('what changed between two versions; without numbers, what made the newest')
    .option('--from <version>', 'the version before (default: the one before --to)', parseVersion)
    .option('--to <version>', 'the version after (default: the newest)', parseVersion)
    .addHelpText('after', '\nExample: muster hardware diff ABC1234 --from 3 --to 7')
    .action(diff);
}

async function history(
  name: string,
  options: {readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const versions = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.hardware.listHardwareVersions({...page, machineId});
    return {rows: answer.versions, nextPageToken: answer.nextPageToken};
  });
  context.out.list(HardwareVersionSchema, columns, versions);
}

async function diff(
  name: string,
  {from = 0, to = 0}: {readonly from?: number; readonly to?: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const machineId = await machineIdOf(context, name);
  const {diff: found} = await clients.hardware.diffHardwareVersions({machineId, from, to});
  assertAnswered(found);
  if (out.json) return out.document(HardwareDiffSchema, found);
  if (found.changes.length === 0) out.line(`Versions ${found.from} and ${found.to} are the same`);
  for (const {summary} of found.changes) out.line(summary);
}

function describeVersion({number, counts, summaries}: HardwareVersion): string {
  if (!counts) return '';
  const {added, removed, replaced, moved, changed} = counts;
  const total = added + removed + replaced + moved + changed;
  const [first = ''] = summaries;
  if (total === 0) return number === 1 ? 'first seen' : '';
  return total === 1 ? first : `${first}, and ${total - 1} more`;
}

function parseVersion(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CommandError(
    `Cannot use version "${text}": say a number of "muster hardware history"`,
    exitStatus.usage,
  );
}
