import {type Issue, IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {Badge, SeverityBadge} from '../../ui/Badge.tsx';
import {KeyValues} from '../../ui/blocks.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {DetailPane, PaneSection} from '../../ui/DetailPane.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, Notice} from '../../ui/states.tsx';
import {Evidence} from './Evidence.tsx';
import {IdentityLinks} from './IdentityLinks.tsx';
import {issueLook, kindWord, muteScopeWord, sourceWord} from './issue-words.ts';
import {IssueActions} from './IssueActions.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';

type IssuePaneProps = {readonly id: string; readonly onClose: () => void};

export function IssuePane({id, onClose}: IssuePaneProps) {
  const {data, error, refetch} = useQuery(IssueService.method.getIssue, {id});
  const issue = data?.issue;
  return (
    <DetailPane title={issue ? kindWord(issue.kind) : 'Issue'} label="Issue" onClose={onClose}>
      {isCode(error, Code.NotFound) ? (
        <EmptyState icon="question" title="This issue is not there">
          <p>Issues that are over go after a while, and so does what a deleted machine had.</p>
        </EmptyState>
      ) : issue ? (
        <IssueDetails issue={issue} />
      ) : (
        <Loading error={error} refetch={refetch} attempt="load the issue" lines={6} />
      )}
    </DetailPane>
  );
}

function IssueDetails({issue}: {readonly issue: Issue}) {
  return (
    <>
      <p>
        <strong>{issue.summary}</strong>
      </p>
      {issue.nextStep && !issue.clearTime && (
        <div className="next-step">
          <Notice tone="info" icon="right">
            <strong>What to do</strong>
            {issue.nextStep}
          </Notice>
        </div>
      )}
      <KeyValues
        entries={[
          ['Severity', <SeverityBadge value={issue.severity} />],
          ['State', <IssueState issue={issue} />],
          ['Machine', <MachineLink id={issue.machineId} />],
          ['Part', issue.component],
          ['Since', <RelativeTime time={issue.sinceTime ?? issue.raiseTime} />],
          ['Raised', <RelativeTime time={issue.raiseTime} />],
          [
            'Gone',
            issue.goneTime && !issue.clearTime ? (
              <>
                <RelativeTime time={issue.goneTime} />, but not yet for long enough
              </>
            ) : undefined,
          ],
          [
            'Found by',
            <Link to="/issues" search={{tab: 'rules', rule: issue.kind}}>
              {sourceWord(issue.source)}
            </Link>,
          ],
          [
            'Id',
            <>
              <span className="mono">{issue.id.slice(0, 13)}…</span>{' '}
              <CopyButton text={issue.id} what="the id" />
            </>,
          ],
        ]}
      />
      <IdentityLinks issue={issue} />
      <IssueActions issue={issue} />
      <PaneSection title="Evidence">
        <Evidence evidence={issue.evidence} />
      </PaneSection>
    </>
  );
}

/** Who took care, muted or ended it, with their words. */
function IssueState({issue}: {readonly issue: Issue}) {
  const {acknowledgeTime, acknowledgedBy, note, clearTime, clearReason, mute} = issue;
  return (
    <>
      <Badge look={issueLook(issue)} />
      {clearTime && (
        <p>
          <RelativeTime time={clearTime} />
          {clearReason && `: ${clearReason}`}
        </p>
      )}
      {acknowledgeTime && (
        <p>
          {acknowledgedBy} has it, <RelativeTime time={acknowledgeTime} />
          {note && `: “${note}”`}
        </p>
      )}
      {mute && (
        <p>
          {mute.mutedBy} muted {muteScopeWord(mute.scope)}, ends{' '}
          <RelativeTime time={mute.expireTime} />: “{mute.reason}”
        </p>
      )}
    </>
  );
}
