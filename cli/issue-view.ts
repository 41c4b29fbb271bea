import {
  type Issue,
  type Issue_Severity,
  Issue_SeveritySchema,
  type ListIssuesRequest_State,
  ListIssuesRequest_StateSchema,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {Context} from './context.ts';
import {CommandError, exitStatus} from './exit-status.ts';
import {showMachine} from './machine-view.ts';
import {age, type Column, nameOf} from './output.ts';

/** Of one machine; the others are in `muster issues list`. */
const issuesShownMax = 20;
const columns: readonly Column<Issue>[] = [
  {title: 'ISSUE', value: ({id}) => id},
  {title: 'SEVERITY', value: severityOf},
  {title: 'KIND', value: ({kind}) => kind},
  {title: 'SINCE', value: ({sinceTime, raiseTime}) => age(sinceTime ?? raiseTime)},
  {title: 'STATE', value: issueStateOf},
  {title: 'SUMMARY', value: ({summary}) => summary},
];

export function severityOf({severity}: {readonly severity: Issue_Severity}): string {
  return nameOf(Issue_SeveritySchema, severity).toLowerCase();
}

/** For commander: one of several values of --severity. */
export function collectSeverities(
  text: string,
  before: readonly Issue_Severity[] = [],
): readonly Issue_Severity[] {
  return [...before, parseSeverity(text)];
}

export function parseSeverity(text: string): Issue_Severity {
  const found = Issue_SeveritySchema.values.find(
    ({number, localName}) => number !== 0 && localName.toLowerCase() === text.toLowerCase(),
  );
  if (found) return found.number as Issue_Severity;
  throw new CommandError(
    `Cannot use severity "${text}": say info, warning or critical`,
    exitStatus.usage,
  );
}

export function parseIssueState(text: string): ListIssuesRequest_State {
  const found = ListIssuesRequest_StateSchema.values.find(
    ({number, localName}) => number !== 0 && localName.toLowerCase() === text.toLowerCase(),
  );
  if (found) return found.number as ListIssuesRequest_State;
  throw new CommandError(
    `Cannot use state "${text}": say open, acknowledged or cleared`,
    exitStatus.usage,
  );
}

export function issueStateOf({clearTime, acknowledgeTime, mute: muted}: Issue): string {
  if (clearTime) return 'cleared';
  return [acknowledgeTime ? 'acknowledged' : 'open', muted ? 'muted' : '']
    .filter(Boolean)
    .join(', ');
}

/** A machine, and below it what is wrong with it. */
export async function showMachineWithIssues(context: Context, name: string): Promise<void> {
  const {clients, out, remark} = context;
  const {machine} = await clients.machines.getMachine({id: name});
  showMachine(out, machine);
  if (out.json || !machine) return;
  const page = {machineId: machine.id, pageSize: issuesShownMax};
  const {issues, nextPageToken} = await clients.issues.listIssues(page);
  if (issues.length === 0) return;
  out.line('');
  out.table(columns, issues);
  if (nextPageToken) remark(`There are more: "muster issues list --machine ${machine.id}"`);
}
