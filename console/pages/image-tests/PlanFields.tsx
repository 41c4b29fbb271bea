import {TextAreaField, TextField} from '../../forms/fields.tsx';
import type {TestDraft, testMistakes} from './test-draft.ts';

type PlanFieldsProps = {
  readonly draft: TestDraft;
  readonly change: (part: Partial<TestDraft>) => void;
  readonly mistakes: Partial<ReturnType<typeof testMistakes>>;
};

/** What a test of this kind looks at, and how long it may take. */
export function PlanFields({draft, change, mistakes}: PlanFieldsProps) {
  return (
    <>
      {draft.type === 'service' && (
        <TextAreaField
          label="Units that have to be active"
          hint="One each line, or with spaces between them; at most 16"
          className="input mono"
          placeholder="sshd.service"
          value={draft.units}
          error={mistakes.units}
          onChange={({target}) => change({units: target.value})}
        />
      )}
      {draft.type === 'network' && (
        <TextField
          label="A name that has to resolve (optional)"
          hint="The builder’s network has to know it"
          value={draft.resolveName}
          error={mistakes.resolveName}
          onChange={({target}) => change({resolveName: target.value})}
        />
      )}
      {draft.type === 'script' && <ScriptFields {...{draft, change, mistakes}} />}
      <details className="test-limits">
        <summary>Time limits</summary>
        <div className="field-columns">
          {draft.type !== 'boot' && (
            <TextField
              label="For the checks, in seconds"
              hint="From the agent’s hello; usually 120"
              inputMode="numeric"
              value={draft.checkSeconds}
              error={mistakes.checkSeconds}
              onChange={({target}) => change({checkSeconds: target.value})}
            />
          )}
          <TextField
            label="For the boot with each firmware, in seconds"
            hint="Usually the builder’s own limit"
            inputMode="numeric"
            value={draft.seconds}
            error={mistakes.seconds}
            onChange={({target}) => change({seconds: target.value})}
          />
        </div>
      </details>
    </>
  );
}

const ScriptFields = ({draft, change, mistakes}: PlanFieldsProps) => (
  <>
    <TextField
      label="Name of the script"
      hint="Gates of groups call it “script:NAME”, and take the newest test of that name"
      value={draft.scriptName}
      error={mistakes.scriptName}
      onChange={({target}) => change({scriptName: target.value})}
    />
    <TextAreaField
      label="Script"
      hint="/bin/sh runs it as root inside the virtual machine; it passes when it ends with status 0"
      className="input mono"
      rows={12}
      spellCheck={false}
      placeholder={'set -e\ntest -d /srv/data'}
      value={draft.script}
      error={mistakes.script}
      onChange={({target}) => change({script: target.value})}
    />
  </>
);
