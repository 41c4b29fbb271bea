import {Checkbox, Mistake, TextAreaField} from '../../forms/fields.tsx';
import {type GateDraft, gateMistakes, plainTests} from './gate-draft.ts';

type GateFieldsProps = {
  readonly draft: GateDraft;
  readonly onChange: (draft: GateDraft) => void;
};

/** Which tests an image has to pass before a machine of the group may have it. */
export function GateFields({draft, onChange}: GateFieldsProps) {
  const mistakes = gateMistakes(draft);
  return (
    <fieldset className="form-part">
      <legend>Gate</legend>
      <div className="hint">
        Tests that an image must pass before a machine of the group may have it. Those of all groups
        of a machine add up, and a change counts at once, also for images that wait.
      </div>
      <PlainTests draft={draft} onChange={onChange} />
      <div className="field-columns">
        <TextAreaField
          label="Units that have to be active"
          hint="As sshd.service; one each line"
          className="input mono"
          rows={3}
          value={draft.units}
          error={mistakes.units}
          onChange={({target}) => onChange({...draft, units: target.value})}
        />
        <TextAreaField
          label="Scripts that have to pass"
          hint="By the names that their tests have; while there is no such test, images wait for somebody to make one"
          className="input mono"
          rows={3}
          value={draft.scripts}
          error={mistakes.scripts}
          onChange={({target}) => onChange({...draft, scripts: target.value})}
        />
      </div>
      <Mistake text={mistakes.gate} />
    </fieldset>
  );
}

function PlainTests({draft, onChange}: GateFieldsProps) {
  const toggle = (test: string, isOn: boolean) =>
    onChange({
      ...draft,
      plain: [...draft.plain.filter(each => each !== test), ...(isOn ? [test] : [])],
    });
  return (
    <div className="gate-tests">
      {plainTests.map(({test, label}) => (
        <Checkbox
          key={test}
          label={label}
          hint={test}
          checked={draft.plain.includes(test)}
          onChange={({target}) => toggle(test, target.checked)}
        />
      ))}
    </div>
  );
}
