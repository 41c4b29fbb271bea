import {type IssueRule, IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {Checkbox, SelectField, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {severities} from './issue-words.ts';
import {draftOf, requestOf, type RuleDraft, type ThresholdDraft} from './rule-draft.ts';

const daySeconds = 86_400;
const severityChoices = severities.map(([, value, label]) => ({value: String(value), label}));

export function RuleForm({rule}: {readonly rule: IssueRule}) {
  const [draft, setDraft] = useState(() => draftOf(rule));
  const change = (part: Partial<RuleDraft>) => setDraft({...draft, ...part});
  const reason = useReason(Permission.ADMINISTER);
  const update = useAction(IssueService.method.updateIssueRule, {
    done: ({rule}) => (rule?.changed ? 'The rule is changed' : 'The rule is as it comes'),
    onDone: ({rule}) => rule && setDraft(draftOf(rule)),
  });
  const submit = () => update.mutate(requestOf(rule, draft));
  return (
    <Form className="rule-form" onSubmit={submit}>
      <Checkbox
        label="Look for it"
        checked={draft.enabled}
        onChange={event => change({enabled: event.target.checked})}
      />
      {rule.enabled && !draft.enabled && (
        <p className="muted">Its issues are cleared when it is switched off.</p>
      )}
      <SelectField
        label="Severity"
        choices={severityChoices}
        value={draft.severity}
        onChange={event => change({severity: event.target.value})}
      />
      <Times rule={rule} draft={draft} onChange={change} />
      <Thresholds
        rule={rule}
        drafts={draft.thresholds}
        onChange={thresholds => change({thresholds})}
      />
      <ErrorState error={update.error} attempt="change the rule" />
      <div className="pane-actions">
        <Button type="submit" kind="primary" busy={update.isPending} disabledReason={reason}>
          Save
        </Button>
        {rule.changed && (
          <Button
            icon="undo"
            disabledReason={reason}
            onClick={() => update.mutate({kind: rule.kind, reset: true})}
          >
            As it comes
          </Button>
        )}
      </div>
    </Form>
  );
}

type TimesProps = {
  readonly rule: IssueRule;
  readonly draft: RuleDraft;
  readonly onChange: (part: Partial<RuleDraft>) => void;
};

function Times({rule, draft, onChange}: TimesProps) {
  return (
    <div className="pair">
      <TextField
        label="Raised after (seconds)"
        type="number"
        min={0}
        max={366 * daySeconds}
        value={draft.raiseAfter}
        onChange={event => onChange({raiseAfter: event.target.value})}
      />
      <TextField
        label="Over after (seconds)"
        type="number"
        min={0}
        max={366 * daySeconds}
        value={draft.clearAfter}
        onChange={event => onChange({clearAfter: event.target.value})}
      />
      {rule.windowSeconds > 0 && (
        <TextField
          label="Counted within (seconds)"
          type="number"
          min={60}
          max={30 * daySeconds}
          value={draft.window}
          onChange={event => onChange({window: event.target.value})}
        />
      )}
    </div>
  );
}

type ThresholdsProps = {
  readonly rule: IssueRule;
  readonly drafts: readonly ThresholdDraft[];
  readonly onChange: (drafts: readonly ThresholdDraft[]) => void;
};

/** Two values each, so that an issue does not come and go while a value swings about one. */
function Thresholds({rule, drafts, onChange}: ThresholdsProps) {
  const set = (at: number, part: Partial<ThresholdDraft>) =>
    onChange(drafts.map((draft, index) => (index === at ? {...draft, ...part} : draft)));
  return rule.thresholds.map(({name, unit, below, min, max}, index) => {
    const draft = drafts[index];
    if (!draft) return null;
    const what = [name.replaceAll('_', ' '), unit && `(${unit})`].filter(Boolean).join(' ');
    return (
      <div key={name} className="pair">
        <TextField
          label={`Issue ${below ? 'down from' : 'from'}: ${what}`}
          type="number"
          step="any"
          min={min}
          max={max}
          value={draft.raiseAt}
          onChange={event => set(index, {raiseAt: event.target.value})}
        />
        <TextField
          label={`Over ${below ? 'above' : 'below'}`}
          type="number"
          step="any"
          min={min}
          max={max}
          value={draft.clearAt}
          onChange={event => set(index, {clearAt: event.target.value})}
        />
      </div>
    );
  });
}
