import {
  type Issue,
  Issue_SeveritySchema,
  IssueSchema,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError} from '../exit-status.ts';
import {age, clock, type Column, nameOf, type Output} from '../output.ts';

const columns: readonly Column<Issue>[] = [
  {title: 'ID', value: ({id}) => id},
  {title: 'SEVERITY', value: severityOf},
  {title: 'KIND', value: ({kind}) => kind},
  {title: 'MACHINE', value: ({machineId}) => machineId},
  {title: 'AGE', value: ({raiseTime}) => age(raiseTime)},
  {title: 'STATE', value: stateOf},
  {title: 'SUMMARY', value: ({summary}) => summary},
];

/** `muster issues …` */
export function addIssueCommands(program: Command): void {
  const issues = program.command('issues').description('what is wrong with machines');
  issues
    .command('list')
    .description('list open issues, newest first')
    .option('--machine <machine>', 'only those of this machine')
    .option('--kind <kind>', 'component_lost, component_swapped, link_degraded or smart_failed')
    .option('--all', 'those that are over too')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster issues list --machine ABC1234')
    .action(list);
  issues
    .command('show <issue>')
    .description('show one issue: evidence, and what to do')
    .addHelpText('after', '\nExample: muster issues show 0198c0de-0000-7000-8000-000000000001')
    .action(show);
  issues
    .command('acknowledge <issue>')
    .description('say that you know and take care')
    .option('--note <text>', 'for the others')
    .addHelpText(
      'after',
      '\nExample: muster issues acknowledge 0198c0de-0000-7000-8000-000000000001 --note "Ordered"',
    )
    .action(acknowledge);
  issues
    .command('clear <issue>')
    .description('end an issue by hand')
    .option('--reason <text>', 'why it is over')
    .addHelpText(
      'after',
      '\nExample: muster issues clear 0198c0de-0000-7000-8000-000000000001 --reason "Taken out"',
    )
    .action(clear);
}

async function list(
  options: {
    readonly machine?: string;
    readonly kind?: string;
    readonly all?: boolean;
    readonly limit: number;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {kind = '', all: includeCleared = false, limit} = options;
  const machineId = options.machine ? await machineIdOf(context, options.machine) : '';
  const issues = await collectPages(context, limit, async page => {
    const request = {...page, machineId, kind, includeCleared};
    const answer = await context.clients.issues.listIssues(request);
    return {rows: answer.issues, nextPageToken: answer.nextPageToken};
  });
  if (context.out.json) return context.out.documents(IssueSchema, issues);
  context.out.table(columns, issues);
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  print(out, (await clients.issues.getIssue({id})).issue);
}

async function acknowledge(
  id: string,
  {note = ''}: {readonly note?: string},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  print(out, (await clients.issues.acknowledgeIssue({id, note})).issue);
}

async function clear(
  id: string,
  {reason = ''}: {readonly reason?: string},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  print(out, (await clients.issues.clearIssue({id, reason})).issue);
}

function print(out: Output, issue: Issue | undefined): void {
  if (!issue) throw new CommandError("The server's answer was empty");
  if (out.json) return out.document(IssueSchema, issue);
  out.record({
    id: issue.id,
    severity: severityOf(issue),
    kind: issue.kind,
    machine: issue.machineId,
    component: issue.component,
    state: stateOf(issue),
    summary: issue.summary,
    'next step': issue.nextStep,
    raised: clock(issue.raiseTime),
    acknowledged: issue.acknowledgedBy
      ? `${clock(issue.acknowledgeTime)} by ${issue.acknowledgedBy}`
      : '',
    note: issue.note,
    cleared: clock(issue.clearTime),
    'cleared because': issue.clearReason,
    evidence: JSON.stringify(issue.evidence ?? {}),
  });
}

function severityOf({severity}: Issue): string {
  return nameOf(Issue_SeveritySchema, severity).toLowerCase();
}

function stateOf({clearTime, acknowledgeTime}: Issue): string {
  return clearTime ? 'cleared' : acknowledgeTime ? 'acknowledged' : 'open';
}
