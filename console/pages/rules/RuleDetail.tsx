import {type Rule, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Link, useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card, type Entry, KeyValues} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {InheritedValues, isEmptyProfile} from '../groups/InheritedValues.tsx';
import {decisionLook} from './rule-looks.ts';
import {RuleMatches} from './RuleMatches.tsx';
import {useRuleMatches} from './use-rule-matches.ts';
import {useSetDisabled} from './use-set-disabled.ts';

export function RuleDetail({rule}: {readonly rule: Rule}) {
  const {matches, error, isOld} = useRuleMatches({ruleId: rule.id});
  return (
    <>
      <DetailHeader
        title={rule.name}
        back={<BackLink to="/rules">All rules</BackLink>}
        beside={
          <>
            <Badge look={decisionLook(rule.decision)} />
            {rule.disabled && <Badge look={{word: 'Disabled', tone: 'idle', icon: 'pause'}} />}
          </>
        }
        actions={<RuleActions rule={rule} />}
      />
      {rule.description && <p>{rule.description}</p>}
      <Card title="Condition">
        {rule.condition === '' ? (
          <p>Every machine meets it.</p>
        ) : (
          <pre className="condition">{rule.condition}</pre>
        )}
      </Card>
      <Card title="Dry run over the machines that are known">
        {error ? (
          <ErrorState error={error} attempt="test the condition" />
        ) : (
          <RuleMatches matches={matches} isOld={isOld} />
        )}
      </Card>
      <Card title="What comes of a match">
        <Outcome rule={rule} />
      </Card>
    </>
  );
}

function Outcome({rule}: {readonly rule: Rule}) {
  const {group, labels, templates, bootProfile, priority, updateTime} = rule;
  const labelLines = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const entries: readonly Entry[] = [
    ['Decision', <Badge look={decisionLook(rule.decision)} />],
    [
      'Group',
      group && (
        <Link to="/groups" search={{group}}>
          {group}
        </Link>
      ),
    ],
    ['Labels', labelLines.length > 0 && <code>{labelLines.join(' ')}</code>],
    ['Priority', String(priority)],
    ['Changed', <RelativeTime time={updateTime} />],
  ];
  const gives = templates.length > 0 || !isEmptyProfile(bootProfile);
  return (
    <>
      <KeyValues entries={entries.map(([name, value]): Entry => [name, value || undefined])} />
      {gives && <InheritedValues templates={templates} profile={bootProfile} />}
    </>
  );
}

function RuleActions({rule}: {readonly rule: Rule}) {
  const [deleting, setDeleting] = useState(false);
  const reason = useOperateReason();
  const setDisabled = useSetDisabled();
  return (
    <>
      <Button
        icon={rule.disabled ? 'play' : 'pause'}
        disabledReason={reason}
        onClick={() => setDisabled(rule, !rule.disabled)}
      >
        {rule.disabled ? 'Enable' : 'Disable'}
      </Button>
      {reason === undefined && (
        <ButtonLink to="/rules" search={{rule: rule.name, mode: 'edit'}}>
          Edit
        </ButtonLink>
      )}
      <Button kind="danger" disabledReason={reason} onClick={() => setDeleting(true)}>
        Delete…
      </Button>
      {deleting && <DeleteDialog rule={rule} onClose={() => setDeleting(false)} />}
    </>
  );
}

function DeleteDialog({rule, onClose}: {readonly rule: Rule; readonly onClose: () => void}) {
  const navigate = useNavigate();
  const remove = useAction(RuleService.method.deleteRule);
  const confirm = () =>
    remove.mutate(
      {id: rule.id},
      {
        onSuccess: () => {
          showToast(`Rule ${rule.name} is deleted`);
          void navigate({to: '/rules'});
        },
      },
    );
  return (
    <ConfirmDialog
      title={`Delete rule ${rule.name}?`}
      action="Delete the rule"
      busy={remove.isPending}
      error={<ErrorState error={remove.error} attempt="delete the rule" />}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        What it gave to machines stays with them. Machines that come from now on are asked by the
        other rules. To keep it for later, disable it instead.
      </p>
    </ConfirmDialog>
  );
}
