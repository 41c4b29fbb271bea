import type {ServiceImpl} from '@connectrpc/connect';
import {IssueMute_Scope, type IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {IssueMutes} from '../domain/issue-mutes.ts';
import type {IssueSettings} from '../domain/issue-settings.ts';
import type {Issues} from '../domain/issues.ts';
import {callerKey} from './caller.ts';
import {
  fromSeverity,
  fromState,
  toIssueMessage,
  toIssueRuleMessage,
  toSummaryMessage,
} from './issue-messages.ts';
import {storable} from './storable.ts';

export const issueService = ({
  issues,
  issueMutes: mutes,
  issueSettings: settings,
}: {
  readonly issues: Issues;
  readonly issueMutes: IssueMutes;
  readonly issueSettings: IssueSettings;
}): ServiceImpl<typeof IssueService> => ({
  async listIssues({machineId, source, kind, state, includeCleared, muted, ...request}) {
    const page = await issues.list({
      pageSize: request.pageSize,
      pageToken: request.pageToken,
      machineId: parseFilterId('machine_id', machineId),
      source: storable(source, 'source'),
      kind: storable(kind, 'kind'),
      severities: request.severities.flatMap(severity => fromSeverity(severity) ?? []),
      state: fromState(state, includeCleared),
      muted,
    });
    return {issues: page.issues.map(toIssueMessage), nextPageToken: page.nextPageToken};
  },

  async getIssue({id}) {
    return {issue: toIssueMessage(await issues.get(id))};
  },

  async acknowledgeIssue({id, note}, {values}) {
    const {name} = values.get(callerKey);
    return {issue: toIssueMessage(await issues.acknowledge(name, id, storable(note, 'note')))};
  },

  async clearIssue({id, reason}, {values}) {
    const {name} = values.get(callerKey);
    return {issue: toIssueMessage(await issues.clear(name, id, storable(reason, 'reason')))};
  },

  async muteIssue({id, scope, duration: lasting, reason}, {values}) {
    const {name: actor} = values.get(callerKey);
    const wish = {actor, lasting, reason: storable(reason, 'reason')};
    const wide = scope === IssueMute_Scope.MACHINE ? 'machine' : 'issue';
    return {issue: toIssueMessage(await mutes.mute(id, wide, wish))};
  },

  async unmuteIssue({id}, {values}) {
    return {issue: toIssueMessage(await mutes.unmute(values.get(callerKey).name, id))};
  },

  async getIssueSummary() {
    return {summary: toSummaryMessage(await issues.count())};
  },

  async listIssueRules() {
    return {rules: (await settings.list()).map(toIssueRuleMessage)};
  },

  async updateIssueRule({kind, thresholds, severity, ...change}, {values}) {
    const {enabled, raiseAfterSeconds, clearAfterSeconds, windowSeconds, reset} = change;
    const changed = await settings.update(values.get(callerKey).name, kind, {
      enabled,
      severity: severity === undefined ? undefined : fromSeverity(severity),
      raiseAfterSeconds,
      clearAfterSeconds,
      windowSeconds,
      reset,
      thresholds: new Map(
        thresholds.map(({name, raiseAt, clearAt}) => [
          storable(name, 'name'),
          {
            ...(raiseAt === undefined ? {} : {raiseAt}),
            ...(clearAt === undefined ? {} : {clearAt}),
          },
        ]),
      ),
    });
    return {rule: toIssueRuleMessage(changed)};
  },

  async muteIssueRule({kind, duration: lasting, reason}, {values}) {
    const {name: actor} = values.get(callerKey);
    await mutes.muteRule(kind, {actor, lasting, reason: storable(reason, 'reason')});
    return {rule: toIssueRuleMessage(await settings.get(kind))};
  },

  async unmuteIssueRule({kind}, {values}) {
    await mutes.unmuteRule(values.get(callerKey).name, kind);
    return {rule: toIssueRuleMessage(await settings.get(kind))};
  },
});
