import {type IssueRule, IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {Link} from '@tanstack/react-router';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {KeyValues} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {DetailPane, PaneSection} from '../../ui/DetailPane.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {sourceWord} from './issue-words.ts';
import {MuteForm} from './MuteForm.tsx';
import {RuleForm} from './RuleForm.tsx';

type RulePaneProps = {readonly rule: IssueRule; readonly onClose: () => void};

export function RulePane({rule, onClose}: RulePaneProps) {
  return (
    <DetailPane title={rule.title} label="Rule" onClose={onClose}>
      <KeyValues
        entries={[
          ['Kind', <span className="mono">{rule.kind}</span>],
          ['Found by', sourceWord(rule.source)],
          [
            'Issues',
            <Link to="/issues" search={{kind: rule.kind}}>
              those that are not over
            </Link>,
          ],
          [
            'Changed',
            rule.changed ? (
              <>
                by {rule.updatedBy}, <RelativeTime time={rule.updateTime} />
              </>
            ) : undefined,
          ],
        ]}
      />
      <RuleMute rule={rule} />
      <PaneSection title="When it is an issue">
        <RuleForm key={String(rule.updateTime?.seconds)} rule={rule} />
      </PaneSection>
    </DetailPane>
  );
}

function RuleMute({rule}: {readonly rule: IssueRule}) {
  const [isOpen, setOpen] = useState(false);
  const reason = useReason(Permission.OPERATE);
  const mute = useAction(IssueService.method.muteIssueRule, {
    done: () => 'Muted on every machine',
    onDone: () => setOpen(false),
  });
  const unmute = useAction(IssueService.method.unmuteIssueRule, {
    attempt: 'unmute the rule',
    done: () => 'Its issues are counted again',
  });
  if (rule.mute)
    return (
      <>
        <Notice tone="idle" icon="pause">
          <strong>Muted on every machine</strong> by {rule.mute.mutedBy}, ends{' '}
          <RelativeTime time={rule.mute.expireTime} />: “{rule.mute.reason}”
        </Notice>
        <div className="pane-actions">
          <Button
            icon="play"
            busy={unmute.isPending}
            disabledReason={reason}
            onClick={() => unmute.mutate({kind: rule.kind})}
          >
            Unmute
          </Button>
        </div>
      </>
    );
  if (!isOpen)
    return (
      <div className="pane-actions">
        <Button icon="pause" disabledReason={reason} onClick={() => setOpen(true)}>
          Mute on every machine
        </Button>
      </div>
    );
  return (
    <MuteForm
      isBusy={mute.isPending}
      error={<ErrorState error={mute.error} attempt="mute the rule" />}
      onClose={() => setOpen(false)}
      onSubmit={({duration, reason: why}) => mute.mutate({kind: rule.kind, duration, reason: why})}
    />
  );
}
