import {Code, ConnectError} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {
  Issue_Severity,
  IssueMute_Scope,
  IssueService,
  ListIssuesRequest_State,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {User_Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {createTestMachine} from '../helpers/builds.ts';
import {until} from '../helpers/processes.ts';
import {type Site, startSite} from '../helpers/workspace-site.ts';

const eventMs = 60_000;

let site: Site;
test.before(async () => {
  site = await startSite();
});
test.after.always(() => site[Symbol.asyncDispose]());

const client = () => site.clientAs(IssueService, site.local);

/** The first event of this type that tells of the machine, or of the whole rule, from the beginning of the journal. */
async function told(type: string, machineId = ''): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(eventMs);
  const events = site.clientAs(EventService, site.local);
  const request = {after: 0n, machineId, types: [type]};
  for await (const {event} of events.watchEvents(request, {signal}))
    if (event) return {actor: event.actor, ...event.data};
  throw new Error(`No event "${type}" came`);
}

/** An event about it: the server looks at it at once, and not only when its sweep comes by. */
const touch = (id: string) =>
  site.clientAs(MachineService, site.local).labelMachine({id, set: {rack: 'r7'}});

/** Enrolled eight days ago, and nothing has happened since. */
async function forgotten(): Promise<string> {
  const machineId = await createTestMachine(site.sql, 'enrolled', {hostname: 'forgotten'});
  await site.sql`update machines set state_time = now() - interval '8 days' where id = ${machineId}`;
  await touch(machineId);
  return machineId;
}

const list = async (request: Parameters<ReturnType<typeof client>['listIssues']>[0]) =>
  (await client().listIssues(request)).issues;

const code = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );

const rest = async (path: string, init: {method?: string; body?: object} = {}) => {
  const answer = await fetch(`${site.url}/api/v1/${path}`, {
    method: init.method ?? 'GET',
    headers: {authorization: `Bearer ${site.local}`, 'content-type': 'application/json'},
    ...(init.body ? {body: JSON.stringify(init.body)} : {}),
  });
  return {status: answer.status, body: (await answer.json()) as Record<string, unknown>};
};

/** Whether the page of metrics has such a line; gathered anew, because a page is kept for some seconds. */
async function counted(line: RegExp): Promise<boolean> {
  const time = Date.now() / 1000;
  const text = await until('a new page of metrics', async () => {
    const page = await (await fetch(`${site.url}/api/v1/metrics`)).text();
    const gathered = /^muster_exposition_timestamp_seconds (\S+)$/m.exec(page)?.[1];
    return Number(gathered) > time && page;
  });
  return line.test(text);
}

test.serial(
  'the server finds an issue by itself, and a mute takes it out of every count',
  async t => {
    const machineId = await forgotten();
    t.like(await told('issue.raised', machineId), {
      actor: 'system',
      kind: 'stuck',
      severity: 'warning',
      nextStep: 'Give it a configuration and start a build',
    });
    const [issue] = await list({machineId});
    const id = issue?.id ?? '';
    const eightDays = 8 * 86_400;
    const ageSeconds = Date.now() / 1000 - Number(issue?.sinceTime?.seconds ?? 0n);
    t.true(Math.abs(ageSeconds - eightDays) < 600, 'since it is in the state');
    const series = new RegExp(`^muster_machine_issues\\{.*${machineId}.*kind="stuck"`, 'm');
    t.true(await counted(series));

    const mute = {id, duration: '8h', reason: 'Works on the network'};
    t.is(await code(client().muteIssue({...mute, reason: ''})), Code.InvalidArgument);
    t.is(await code(client().muteIssue({...mute, duration: '0s'})), Code.InvalidArgument);
    t.is(await code(client().muteIssue({...mute, duration: '999999d'})), Code.InvalidArgument);
    t.is(
      await code(client().muteIssue({...mute, scope: IssueMute_Scope.RULE})),
      Code.InvalidArgument,
    );
    const viewer = await site.person('vera', {}, User_Role.VIEWER);
    t.is(await code(site.clientAs(IssueService, viewer).muteIssue(mute)), Code.PermissionDenied);
    const muted = (await client().muteIssue(mute)).issue?.mute;
    t.like(muted, {scope: IssueMute_Scope.ISSUE, reason: 'Works on the network', mutedBy: 'local'});
    const lastingSeconds = Number(muted?.expireTime?.seconds ?? 0n) - Date.now() / 1000;
    t.true(Math.abs(lastingSeconds - 8 * 3600) < 60);
    t.like(await told('issue.muted', machineId), {muted: true, scope: 'issue'});

    t.is((await list({machineId}))[0]?.mute?.reason, 'Works on the network', 'it is still shown');
    t.deepEqual(await list({machineId, muted: false}), []);
    t.is((await list({machineId, muted: true})).length, 1);
    const {summary} = await client().getIssueSummary({});
    t.like(summary, {open: 0, acknowledged: 0, muted: 1});
    t.like(summary?.counts[0], {kind: 'stuck', severity: Issue_Severity.WARNING, muted: 1});
    t.false(await counted(series));
    t.false(await counted(/^muster_issues\{/m));

    t.is((await client().unmuteIssue({id})).issue?.mute, undefined);
    t.like(await told('issue.unmuted', machineId), {actor: 'local', severity: 'warning'});
    t.true(
      await counted(/^muster_issues\{kind="stuck",severity="warning",acknowledged="false"\} 1$/m),
    );
  },
);

test.serial(
  'a mute for a machine holds for later issues, and ends when its time is over',
  async t => {
    const machineId = await forgotten();
    await told('issue.raised', machineId);
    const [issue] = await list({machineId});
    const id = issue?.id ?? '';
    const body = {duration: '7d', reason: 'A spare', scope: 'machine'};
    const {status, body: muted} = await rest(`issues/${id}/mute`, {method: 'POST', body});
    t.is(status, 200);
    t.like(muted, {mute: {scope: 'machine', reason: 'A spare', muted_by: 'local'}});

    await site.sql`update machines set state = 'ready', state_time = now() - interval '1 day' where id = ${machineId}`;
    await site
      .clientAs(MachineService, site.local)
      .labelMachine({id: machineId, set: {rack: 'r8'}});
    const cleared = await told('issue.cleared', machineId);
    t.like(cleared, {kind: 'stuck', component: 'enrolled', muted: true});
    t.false('severity' in cleared, 'who waits for severities hears nothing of a muted issue');
    const [next] = await list({machineId});
    t.like(next, {component: 'ready', mute: {reason: 'A spare'}});
    t.is(
      await code(client().muteIssue({id, duration: '1h', reason: 'too late'})),
      Code.FailedPrecondition,
    );

    await site.sql`update issue_mutes set expire_time = now() where machine_id = ${machineId}`;
    t.like(await told('issue.unmuted', machineId), {actor: 'system', reason: 'Its time is over'});
    t.is((await list({machineId}))[0]?.mute, undefined);
  },
);

test.serial('a mute of a machine ends when the machine gets another tenant', async t => {
  const machineId = await createTestMachine(site.sql, 'ready');
  await site.sql`update machines set state_time = now() - interval '1 day' where id = ${machineId}`;
  await touch(machineId);
  await told('issue.raised', machineId);
  const {MACHINE: scope} = IssueMute_Scope;
  const [issue] = await list({machineId, kind: 'stuck'});
  const id = issue?.id ?? '';
  const {issue: muted} = await client().muteIssue({id, duration: '7d', reason: 'private', scope});
  t.is(muted?.mute?.scope, scope);
  const {workspace} = await site.workspaces.createWorkspace({workspace: {name: 'tenant'}});
  await site.workspaces.assignMachine({workspaceId: workspace?.id ?? '', machineId});
  t.is((await client().getIssue({id})).issue?.mute, undefined);
});

test.serial('issues are filtered by severity and state', async t => {
  const machineId = await forgotten();
  await told('issue.raised', machineId);
  const [issue] = await list({machineId});
  const {OPEN, ACKNOWLEDGED, CLEARED} = ListIssuesRequest_State;
  const count = async (request: Parameters<typeof list>[0]) =>
    (await list({machineId, ...request})).length;
  t.is(await count({severities: [Issue_Severity.WARNING, Issue_Severity.CRITICAL]}), 1);
  t.is(await count({severities: [Issue_Severity.CRITICAL]}), 0);
  t.is(await count({state: OPEN}), 1);
  t.is(await count({state: ACKNOWLEDGED}), 0);
  await client().acknowledgeIssue({id: issue?.id ?? '', note: 'Tomorrow'});
  t.is(await count({state: OPEN}), 0);
  t.is(await count({state: ACKNOWLEDGED}), 1);
  t.is(await count({state: CLEARED}), 0);
  const {body} = await rest(`issues?machine_id=${machineId}&severities=warning&state=acknowledged`);
  t.is((body as unknown as unknown[]).length, 1);
  const clearing = client().clearIssue({id: issue?.id ?? '', reason: 'I say so'});
  t.is(await code(clearing), Code.FailedPrecondition, 'it would be there again at the next look');
});

test.serial('rules are listed, changed, muted, and switched off with what they found', async t => {
  const machineId = await forgotten();
  await told('issue.raised', machineId);
  const {rules} = await client().listIssueRules({});
  t.true(rules.length >= 15);
  const find = (kind: string) => rules.find(rule => rule.kind === kind);
  t.like(find('temperature')?.thresholds[0], {unit: '°C', raiseAt: 90, clearAt: 85});

  const change = {raise_after_seconds: 60, thresholds: [{raise_at: 80, clear_at: 70}]};
  const changed = await rest('issue-rules/temperature', {method: 'PUT', body: change});
  t.is(changed.status, 200);
  t.like(changed.body, {raise_after_seconds: 60, clear_after_seconds: 300, changed: true});
  t.like((changed.body.thresholds as object[])[0], {raise_at: 80, clear_at: 70});
  for (const [path, body] of [
    ['temperature', {thresholds: [{raise_at: 60}]}],
    ['temperature', {thresholds: [{raise_at: 5000}]}],
    ['temperature', {thresholds: [{name: 'kelvin', raise_at: 300}]}],
    ['temperature', {window_seconds: 3600}],
    ['disk_failing', {raise_after_seconds: 60}],
  ] as const)
    t.is((await rest(`issue-rules/${path}`, {method: 'PUT', body})).status, 400);
  t.is((await rest('issue-rules/gremlins', {method: 'PUT', body: {enabled: true}})).status, 404);
  const reset = await rest('issue-rules/temperature', {method: 'PUT', body: {reset: true}});
  t.like(reset.body, {raise_after_seconds: 300, changed: false});
  const operator = await site.person('olga', {}, User_Role.OPERATOR);
  const asOperator = site.clientAs(IssueService, operator);
  t.is(
    await code(asOperator.updateIssueRule({kind: 'stuck', enabled: false})),
    Code.PermissionDenied,
  );

  const wide = {kind: 'stuck', duration: '1h', reason: 'We know'};
  t.is((await asOperator.muteIssueRule(wide)).rule?.mute?.mutedBy, 'user:olga');
  const [issue] = await list({machineId});
  t.is(issue?.mute?.scope, IssueMute_Scope.RULE);
  t.is(await code(client().unmuteIssue({id: issue?.id ?? ''})), Code.FailedPrecondition);
  t.is((await client().unmuteIssueRule({kind: 'stuck'})).rule?.mute, undefined);

  await client().updateIssueRule({kind: 'stuck', enabled: false});
  t.like(await told('issue.cleared', machineId), {reason: 'The rule is switched off'});
  await until('all of them to be cleared', async () => (await list({kind: 'stuck'})).length === 0);
  await client().updateIssueRule({kind: 'stuck', reset: true, severity: Issue_Severity.CRITICAL});
  t.like(await told('issue_rule.updated'), {kind: 'temperature'});
  const {rules: after} = await client().listIssueRules({});
  t.like(
    after.find(({kind}) => kind === 'stuck'),
    {enabled: true, severity: Issue_Severity.CRITICAL},
  );
});
