import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {type Rule, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {BootProfileFields} from '../../forms/BootProfileFields.tsx';
import {Checkbox, SelectField, TextAreaField} from '../../forms/fields.tsx';
import {FilterField} from '../../forms/FilterField.tsx';
import {Form} from '../../forms/Form.tsx';
import {FormFooter} from '../../forms/FormFooter.tsx';
import {LeaveGuard} from '../../forms/LeaveGuard.tsx';
import {NameFields} from '../../forms/NameFields.tsx';
import {type RadioCard, RadioCards} from '../../forms/RadioCards.tsx';
import {TemplatesField} from '../../forms/TemplatesField.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {
  draftOfRule,
  hasMistake,
  type RuleDraft,
  ruleMistakes,
  ruleOfDraft,
  rulePaths,
} from './rule-draft.ts';
import {RuleMatches} from './RuleMatches.tsx';
import {useRuleMatches} from './use-rule-matches.ts';
import '../../forms/form-parts.css';

const decisions: readonly RadioCard<RuleDraft['decision']>[] = [
  {value: 'accept', label: 'Accept', note: 'lets the machine in'},
  {value: 'hold', label: 'Hold', note: 'waits for a person, whatever the policy is'},
  {value: 'reject', label: 'Reject', note: 'local disk; the key of its agent ends'},
  {value: 'none', label: 'No decision', note: 'only gives; others decide'},
];

type PartProps = {
  readonly draft: RuleDraft;
  readonly change: (part: Partial<RuleDraft>) => void;
  readonly isTried: boolean;
};

export function RuleEditor({rule}: {readonly rule: Rule | undefined}) {
  const [draft, setDraft] = useState(() => draftOfRule(rule));
  const [isTried, setTried] = useState(false);
  const {save, isPending, error, isSaved} = useSaveRule(rule);
  const operateReason = useOperateReason();
  const change = (part: Partial<RuleDraft>) => setDraft({...draft, ...part});
  const isDirty = JSON.stringify(draft) !== JSON.stringify(draftOfRule(rule));
  const submit = () => {
    setTried(true);
    if (!hasMistake(draft)) save(draft);
  };
  const back = rule ? {rule: rule.name} : {};
  const part = {draft, change, isTried};
  return (
    <Form className="form roomy" onSubmit={submit} aria-label={rule ? 'Edit the rule' : 'New rule'}>
      <DetailHeader
        title={rule ? `Edit ${rule.name}` : 'New rule'}
        back={<BackLink to="/rules">All rules</BackLink>}
      />
      <NameFields
        {...part}
        mistakes={ruleMistakes(draft)}
        priorityHint="The highest is asked first"
      >
        <Checkbox
          label="Enabled: without it the rule can be tested and explained, and does nothing"
          checked={!draft.disabled}
          onChange={({target}) => change({disabled: !target.checked})}
        />
      </NameFields>
      <ConditionFields {...part} />
      <RadioCards
        label="Decision"
        value={draft.decision}
        onChange={decision => change({decision})}
        options={decisions}
      />
      <GiftFields {...part} />
      <FormFooter error={error} attempt="save the rule" hasMistakes={isTried && hasMistake(draft)}>
        <ButtonLink to="/rules" search={back}>
          Cancel
        </ButtonLink>
        <Button type="submit" kind="primary" busy={isPending} disabledReason={operateReason}>
          {rule ? 'Save the rule' : 'Make the rule'}
        </Button>
      </FormFooter>
      <LeaveGuard isDirty={isDirty && !isSaved} />
    </Form>
  );
}

function useSaveRule(rule: Rule | undefined) {
  const navigate = useNavigate();
  const [isSaved, setSaved] = useState(false);
  const create = useAction(RuleService.method.createRule);
  const update = useAction(RuleService.method.updateRule);
  const onSuccess = (answer: {readonly rule?: Rule | undefined}) => {
    const name = answer.rule?.name ?? '';
    setSaved(true);
    showToast(`Rule ${name} is saved. It counts for machines that report from now on`);
    void navigate({to: '/rules', search: {rule: name}, ignoreBlocker: true});
  };
  const save = (draft: RuleDraft) =>
    rule
      ? update.mutate(
          {rule: {...ruleOfDraft(draft), id: rule.id}, updateMask: {paths: rulePaths}},
          {onSuccess},
        )
      : create.mutate({rule: ruleOfDraft(draft)}, {onSuccess});
  return {
    save,
    isSaved,
    isPending: create.isPending || update.isPending,
    error: create.error ?? update.error,
  };
}

function ConditionFields({draft, change}: PartProps) {
  const {matches, error, isOld} = useRuleMatches({condition: draft.condition});
  const isRefused = error?.code === Code.InvalidArgument;
  return (
    <fieldset className="form-part">
      <legend>Condition</legend>
      <FilterField
        label="A machine matches when"
        value={draft.condition}
        onChange={condition => change({condition})}
        placeholder="hardware.disk_count >= 12 AND manufacturer:dell"
        hint="As in the filter of the machines; empty meets every machine"
        error={isRefused ? error.rawMessage : undefined}
      />
      {error ? (
        !isRefused && <ErrorState error={error} attempt="test the condition" />
      ) : (
        <RuleMatches matches={matches} isOld={isOld} />
      )}
    </fieldset>
  );
}

function GiftFields({draft, change}: PartProps) {
  const {data} = useQuery(GroupService.method.listGroups, {pageSize: 1000});
  const groups = data?.groups.filter(({filter}) => filter === '') ?? [];
  const names = groups.map(({name}) => name);
  const isKnown = draft.group === '' || names.includes(draft.group);
  return (
    <fieldset className="form-part">
      <legend>What a machine is given</legend>
      <div className="hint">Only where it has not its own: what people set stays.</div>
      <div className="field-columns">
        <SelectField
          label="Group"
          hint="Of those whose machines are put in by hand"
          value={draft.group}
          choices={[
            {value: '', label: 'None'},
            ...(isKnown ? names : [...names, draft.group]).map(name => ({
              value: name,
              label: name,
            })),
          ]}
          onChange={({target}) => change({group: target.value})}
        />
        <TextAreaField
          label="Labels"
          hint="KEY=VALUE, one a line"
          rows={2}
          className="input mono"
          value={draft.labels}
          error={ruleMistakes(draft).labels}
          onChange={({target}) => change({labels: target.value})}
        />
      </div>
      <TemplatesField uses={draft.uses} onChange={uses => change({uses})} />
      <BootProfileFields draft={draft.profile} onChange={profile => change({profile})} />
    </fieldset>
  );
}
