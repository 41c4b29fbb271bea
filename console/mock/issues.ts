import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  type IssueRuleSchema,
  type IssueSchema,
  Issue_Severity as Severity,
  IssueService,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

const hourMs = 3_600_000;
const machineId = '00000000-0000-7000-8000-000000000001';

/** A failing disk, a doubtful identity and a hot machine, which is found anew at each look. A threshold of 200 is out of range. */
export const addIssues: MockNoun = router => {
  const issues: MessageInitShape<typeof IssueSchema>[] = [
    {
      id: 'i1',
      machineId,
      source: 'hardware',
      kind: 'disk_failing',
      severity: Severity.CRITICAL,
      summary: 'Disk in bay 3 says that it is failing',
      nextStep: 'Exchange the disk in bay 3',
      evidence: {reallocated_sectors: 812},
      raiseTime: timestampFromMs(Date.now() - hourMs),
    },
    {
      id: 'i2',
      machineId,
      source: 'rules',
      kind: 'temperature',
      severity: Severity.WARNING,
      summary: 'It is 93 °C',
    },
    {
      id: 'i3',
      machineId: '00000000-0000-7000-8000-000000000003',
      source: 'rules',
      kind: 'duplicate_identity',
      severity: Severity.CRITICAL,
      summary: 'It is quarantined: it may be any of two machines',
    },
  ];
  const rule: MessageInitShape<typeof IssueRuleSchema> = {
    kind: 'temperature',
    source: 'rules',
    title: 'It is too hot',
    enabled: true,
    severity: Severity.WARNING,
    thresholds: [{name: 'celsius', unit: '°C', raiseAt: 90, clearAt: 85, min: 0, max: 250}],
  };
  const find = (id: string) => {
    const issue = issues.find(issue => issue.id === id);
    if (!issue) throw new ConnectError(`Cannot find issue "${id}"`, Code.NotFound);
    return issue;
  };
  router.service(IssueService, {
    listIssues: ({severities, kind}) => ({
      issues: issues.filter(
        issue =>
          (severities.length === 0 || severities.some(value => value === issue.severity)) &&
          (kind === '' || issue.kind === kind),
      ),
    }),
    getIssue: ({id}) => ({issue: find(id)}),
    getIssueSummary: () => ({summary: {open: 2, counts: []}}),
    acknowledgeIssue({id, note}) {
      const issue = find(id);
      Object.assign(issue, {
        note,
        acknowledgedBy: 'user:ada',
        acknowledgeTime: timestampFromMs(Date.now()),
      });
      return {issue};
    },
    muteIssue({id, reason, scope, duration}) {
      const issue = find(id);
      issue.mute = {
        reason: `${reason} (${duration})`,
        scope,
        mutedBy: 'user:ada',
        expireTime: timestampFromMs(Date.now() + hourMs),
      };
      return {issue};
    },
    clearIssue({id}) {
      if (id === 'i2')
        throw new ConnectError(
          'Cannot clear issue "i2": the server finds it anew; mute it',
          Code.FailedPrecondition,
        );
      return {issue: {...find(id), clearTime: timestampFromMs(Date.now())}};
    },
    listIssueRules: () => ({rules: [rule]}),
    updateIssueRule({thresholds: [threshold]}) {
      if ((threshold?.raiseAt ?? 0) >= 200)
        throw new ConnectError('Cannot set celsius to 200: at most 150', Code.InvalidArgument);
      rule.changed = true;
      rule.updatedBy = `user:ada at ${threshold?.raiseAt}`;
      return {rule};
    },
  });
};
