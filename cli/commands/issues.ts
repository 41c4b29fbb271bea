import {
  type Issue,
  type Issue_Severity,
  IssueMute_Scope,
  IssueMute_ScopeSchema,
  IssueSchema,
  IssueSummarySchema,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {assertAnswered} from '../exit-status.ts';
import {collectSeverities, issueStateOf, parseIssueState, severityOf} from '../issue-view.ts';
import {age, clock, type Column, nameOf, type Output} from '../output.ts';
import {addIssueRuleCommands} from './issue-rules.ts';

const columns: readonly Column<Issue>[] = [
  {title: 'ID', value: ({id}) => id},
  {title: 'SEVERITY', value: severityOf},
  {title: 'KIND', value: ({kind}) => kind},
  {title: 'MACHINE', value: ({machineId}) => machineId},
  {title: 'SINCE', value: ({sinceTime, raiseTime}) => age(sinceTime ?? raiseTime)},
  {title: 'STATE', value: issueStateOf},
  {title: 'SUMMARY', value: ({summary}) => summary},
];

/** `muster issues …` */
export function addIssueCommands(program: Command): void {
  const issues = program.command('issues').description('what is wrong with machines');
  issues
    .command('list')
    .description('list open issues, newest first')
    .option('--machine <machine>', 'only those of this machine')
    .option('--kind <kind>', 'one of those that "muster issues rules" lists')
    .option('--severity <severity...>', 'info, warning or critical', collectSeverities)
    .option('--state <state>', 'open (nobody has acknowledged it), acknowledged or cleared')
    .option('--muted', 'only those that are muted')
    .option('--no-muted', 'only those that are not')
    .option('--all', 'those that are over too')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster issues list --severity critical --no-muted')
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
  addMuteCommands(issues);
  issues
    .command('summary')
    .description('how many are open, by kind and severity')
    .addHelpText('after', '\nExample: muster issues summary')
    .action(summary);
  addIssueRuleCommands(issues);
}

function addMuteCommands(issues: Command): void {
  issues
    .command('mute <issue>')
    .description('show it as muted for a while, and count it nowhere')
    .requiredOption('--for <duration>', 'how long, for example 8h or 7d')
    .requiredOption('--reason <text>', 'why, for the others')
    .option('--machine-wide', 'later issues of this kind on this machine too')
    .addHelpText(
      'after',
      '\nExample: muster issues mute 0198c0de-0000-7000-8000-000000000001 --for 8h --reason "Works on the cooling"',
    )
    .action(mute);
  issues
    .command('unmute <issue>')
    .description('let it count again')
    .addHelpText('after', '\nExample: muster issues unmute 0198c0de-0000-7000-8000-000000000001')
    .action(unmute);
}

async function list(
  options: {
    readonly machine?: string;
    readonly kind?: string;
    readonly severity?: readonly Issue_Severity[];
    readonly state?: string;
    readonly muted?: boolean;
    readonly all?: boolean;
    readonly limit: number;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {kind = '', severity = [], muted, all: includeCleared = false, limit} = options;
  const state = options.state === undefined ? 0 : parseIssueState(options.state);
  const machineId = options.machine ? await machineIdOf(context, options.machine) : '';
  const issues = await collectPages(context, limit, async page => {
    const request = {
      ...page,
      machineId,
      kind,
      includeCleared,
      severities: [...severity],
      state,
      ...(muted === undefined ? {} : {muted}),
    };
    const answer = await context.clients.issues.listIssues(request);
    return {rows: answer.issues, nextPageToken: answer.nextPageToken};
  });
  context.out.list(IssueSchema, columns, issues);
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

async function mute(
  id: string,
  options: {readonly for: string; readonly reason: string; readonly machineWide?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const {for: lasting, reason, machineWide = false} = options;
  const scope = machineWide ? IssueMute_Scope.MACHINE : IssueMute_Scope.ISSUE;
  print(out, (await clients.issues.muteIssue({id, duration: lasting, reason, scope})).issue);
}

async function unmute(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  print(out, (await clients.issues.unmuteIssue({id})).issue);
}

async function summary(_options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const found = (await clients.issues.getIssueSummary({})).summary;
  assertAnswered(found);
  if (out.json) return out.document(IssueSummarySchema, found);
  out.table(
    [
      {title: 'KIND', value: ({kind}) => kind},
      {title: 'SEVERITY', value: severityOf},
      {title: 'OPEN', value: ({open}) => String(open)},
      {title: 'ACKNOWLEDGED', value: ({acknowledged}) => String(acknowledged)},
      {title: 'MUTED', value: ({muted}) => String(muted)},
    ],
    found.counts,
  );
}

function print(out: Output, issue: Issue | undefined): void {
  assertAnswered(issue);
  if (out.json) return out.document(IssueSchema, issue);
  out.record({
    id: issue.id,
    severity: severityOf(issue),
    kind: issue.kind,
    machine: issue.machineId,
    component: issue.component,
    state: issueStateOf(issue),
    summary: issue.summary,
    'next step': issue.nextStep,
    since: clock(issue.sinceTime),
    raised: clock(issue.raiseTime),
    'over since': issue.clearTime ? '' : clock(issue.goneTime),
    muted: issue.mute
      ? `until ${clock(issue.mute.expireTime)} by ${issue.mute.mutedBy} (${nameOf(IssueMute_ScopeSchema, issue.mute.scope).toLowerCase()}): ${issue.mute.reason}`
      : '',
    acknowledged: issue.acknowledgedBy
      ? `${clock(issue.acknowledgeTime)} by ${issue.acknowledgedBy}`
      : '',
    note: issue.note,
    cleared: clock(issue.clearTime),
    'cleared because': issue.clearReason,
    evidence: JSON.stringify(issue.evidence ?? {}),
  });
}
