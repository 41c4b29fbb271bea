import {create, type JsonObject} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Issue as IssueMessage,
  Issue_Severity,
  IssueSchema,
  type IssueService,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Issue, Issues, Severity} from '../domain/issues.ts';
import {callerKey} from './caller.ts';
import {storable} from './storable.ts';

const severities: Readonly<Record<Severity, Issue_Severity>> = {
  info: Issue_Severity.INFO,
  warning: Issue_Severity.WARNING,
  critical: Issue_Severity.CRITICAL,
};

export const issueService = (issues: Issues): ServiceImpl<typeof IssueService> => ({
  async listIssues({machineId, source, kind, ...request}) {
    const page = await issues.list({
      ...request,
      machineId: parseFilterId('machine_id', machineId),
      source: storable(source, 'source'),
      kind: storable(kind, 'kind'),
    });
    return {issues: page.issues.map(toMessage), nextPageToken: page.nextPageToken};
  },

  async getIssue({id}) {
    return {issue: toMessage(await issues.get(id))};
  },

  async acknowledgeIssue({id, note}, {values}) {
    const {name} = values.get(callerKey);
    return {issue: toMessage(await issues.acknowledge(name, id, storable(note, 'note')))};
  },

  async clearIssue({id, reason}, {values}) {
    const {name} = values.get(callerKey);
    return {issue: toMessage(await issues.clear(name, id, storable(reason, 'reason')))};
  },
});

function toMessage(issue: Issue): IssueMessage {
  const {severity, evidence, raiseTime, acknowledgeTime, clearTime, ...same} = issue;
  return create(IssueSchema, {
    ...same,
    severity: severities[severity],
    evidence: evidence as JsonObject,
    raiseTime: timestampFromDate(raiseTime),
    ...(acknowledgeTime ? {acknowledgeTime: timestampFromDate(acknowledgeTime)} : {}),
    ...(clearTime ? {clearTime: timestampFromDate(clearTime)} : {}),
  });
}
