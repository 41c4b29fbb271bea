import {type Issue, IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useMutation, useQuery} from '@connectrpc/connect-query';
import {useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {Checkbox} from '../../../forms/fields.tsx';
import {SeverityBadge} from '../../../ui/Badge.tsx';
import {Card, KeyValues, Skeleton} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../../ui/states.tsx';
import {IdentityLinks} from '../../issues/IdentityLinks.tsx';
import {useMachine} from '../use-machine.ts';

const issuesMax = 200;

export function IssuesTab() {
  const {id, workspaceId} = useMachine();
  const [includeCleared, setCleared] = useState(false);
  const {data, error, refetch} = useQuery(IssueService.method.listIssues, {
    machineId: id,
    pageSize: issuesMax,
    includeCleared,
  });
  const mayNot = useOperateReason(workspaceId);
  return (
    <>
      <div className="toolbar">
        <Checkbox
          label="Those that are over, too"
          checked={includeCleared}
          onChange={event => setCleared(event.target.checked)}
        />
      </div>
      <ErrorState error={error} attempt="load its issues" onRetry={() => void refetch()} />
      {!data && !error && <Skeleton lines={6} />}
      {data?.issues.length === 0 && (
        <EmptyState icon="check" title="Nothing is wrong with this machine" />
      )}
      {data?.issues.map(issue => (
        <IssueCard key={issue.id} issue={issue} mayNot={mayNot} />
      ))}
    </>
  );
}

function IssueCard({issue, mayNot}: {readonly issue: Issue; readonly mayNot: string | undefined}) {
  const acknowledge = useMutation(IssueService.method.acknowledgeIssue);
  const clear = useMutation(IssueService.method.clearIssue);
  const isOver = issue.clearTime !== undefined;
  return (
    <Card
      title={issue.summary}
      actions={
        !isOver && (
          <span className="page-actions">
            {!issue.acknowledgeTime && (
              <Button
                disabledReason={mayNot}
                busy={acknowledge.isPending}
                onClick={() => acknowledge.mutate({id: issue.id})}
              >
                Acknowledge
              </Button>
            )}
            <Button
              disabledReason={mayNot}
              busy={clear.isPending}
              onClick={() => clear.mutate({id: issue.id})}
            >
              Clear
            </Button>
          </span>
        )
      }
    >
      <KeyValues
        entries={[
          ['Severity', <SeverityBadge value={issue.severity} />],
          ['What to do', issue.nextStep],
          ['Part', issue.component],
          ['Raised', <RelativeTime time={issue.raiseTime} />],
          [
            'Acknowledged',
            issue.acknowledgeTime && (
              <>
                <RelativeTime time={issue.acknowledgeTime} /> by {issue.acknowledgedBy}
              </>
            ),
          ],
          [
            'Over',
            issue.clearTime && (
              <>
                <RelativeTime time={issue.clearTime} /> {issue.clearReason}
              </>
            ),
          ],
        ]}
      />
      <IdentityLinks issue={issue} />
      <ErrorState error={acknowledge.error} attempt="acknowledge it" />
      <ErrorState error={clear.error} attempt="clear it" />
    </Card>
  );
}
