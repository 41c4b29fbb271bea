import {create, type JsonObject} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Issue as IssueMessage,
  Issue_Severity,
  type IssueMute as IssueMuteMessage,
  IssueMute_Scope,
  IssueMuteSchema,
  type IssueRule as IssueRuleMessage,
  IssueRuleSchema,
  IssueSchema,
  type IssueSummary,
  IssueSummarySchema,
  ListIssuesRequest_State,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {ShownRule} from '../domain/issue-settings.ts';
import type {Issue, IssueFilter, IssueTally, Severity} from '../domain/issues.ts';

const severities: Readonly<Record<Severity, Issue_Severity>> = {
  info: Issue_Severity.INFO,
  warning: Issue_Severity.WARNING,
  critical: Issue_Severity.CRITICAL,
};
const severityNames = new Map(
  Object.entries(severities).map(([name, value]) => [value, name as Severity]),
);
const scopes = {
  issue: IssueMute_Scope.ISSUE,
  machine: IssueMute_Scope.MACHINE,
  rule: IssueMute_Scope.RULE,
} as const;

export const fromSeverity = (severity: Issue_Severity): Severity | undefined =>
  severityNames.get(severity);

export function fromState(
  state: ListIssuesRequest_State,
  includeCleared: boolean,
): IssueFilter['state'] {
  switch (state) {
    case ListIssuesRequest_State.OPEN:
      return 'open';
    case ListIssuesRequest_State.ACKNOWLEDGED:
      return 'acknowledged';
    case ListIssuesRequest_State.CLEARED:
      return 'cleared';
    default:
      return includeCleared ? 'any' : 'not_cleared';
  }
}

const maybe = <K extends string>(name: K, time: Date | undefined) =>
  (time ? {[name]: timestampFromDate(time)} : {}) as {
    readonly [key in K]?: ReturnType<typeof timestampFromDate>;
  };

export function toIssueMessage(issue: Issue): IssueMessage {
  const {severity, evidence, sinceTime, raiseTime, ...others} = issue;
  const {goneTime, acknowledgeTime, clearTime, mute, ...same} = others;
  return create(IssueSchema, {
    ...same,
    severity: severities[severity],
    evidence: evidence as JsonObject,
    sinceTime: timestampFromDate(sinceTime),
    raiseTime: timestampFromDate(raiseTime),
    ...maybe('goneTime', goneTime),
    ...maybe('acknowledgeTime', acknowledgeTime),
    ...maybe('clearTime', clearTime),
    ...(mute ? {mute: toMuteMessage(mute)} : {}),
  });
}

function toMuteMessage({
  scope,
  expireTime,
  reason,
  mutedBy,
}: Issue['mute'] & object): IssueMuteMessage {
  return create(IssueMuteSchema, {
    scope: scopes[scope],
    expireTime: timestampFromDate(expireTime),
    reason,
    mutedBy,
  });
}

export function toIssueRuleMessage(rule: ShownRule): IssueRuleMessage {
  const {kind, source, title, enabled, override, mute} = rule;
  const {raiseAfterSeconds, clearAfterSeconds, windowSeconds} = rule;
  return create(IssueRuleSchema, {
    kind,
    source,
    title,
    enabled,
    severity: severities[rule.severity],
    raiseAfterSeconds,
    clearAfterSeconds,
    windowSeconds,
    thresholds: Object.entries(rule.thresholds).map(([name, threshold]) => ({name, ...threshold})),
    changed: override !== undefined,
    ...(override && {
      updateTime: timestampFromDate(override.updateTime),
      updatedBy: override.updatedBy,
    }),
    ...(mute ? {mute: toMuteMessage(mute)} : {}),
  });
}

export function toSummaryMessage(tallies: readonly IssueTally[]): IssueSummary {
  const groups = Map.groupBy(tallies, ({kind, severity}) => `${kind} ${severity}`);
  const sum = (rows: readonly IssueTally[], matches: (row: IssueTally) => boolean) =>
    rows.filter(matches).reduce((total, {count}) => total + count, 0);
  const counts = (rows: readonly IssueTally[]) => ({
    open: sum(rows, row => !row.muted && !row.acknowledged),
    acknowledged: sum(rows, row => !row.muted && row.acknowledged),
    muted: sum(rows, row => row.muted),
  });
  return create(IssueSummarySchema, {
    ...counts(tallies),
    counts: [...groups.values()].flatMap(rows => {
      const [first] = rows;
      if (!first) return [];
      return [{kind: first.kind, severity: severities[first.severity], ...counts(rows)}];
    }),
  });
}
