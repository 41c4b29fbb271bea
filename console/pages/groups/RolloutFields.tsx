import {Mistake, SelectField, TextField} from '../../forms/fields.tsx';
import {RadioCards} from '../../forms/RadioCards.tsx';
import {TemplatesField} from '../../forms/TemplatesField.tsx';
import {plannedWaves, type RolloutDraft, rolloutMistakes} from './rollout-draft.ts';

const wavesShown = 12;

type FieldsProps = {
  readonly draft: RolloutDraft;
  readonly onChange: (draft: RolloutDraft) => void;
  readonly total: number;
  readonly isTried: boolean;
};

export function RolloutFields({draft, onChange, total, isTried}: FieldsProps) {
  const mistakes = rolloutMistakes(draft);
  const change = (part: Partial<RolloutDraft>) => onChange({...draft, ...part});
  return (
    <>
      <RadioCards
        label="What changes"
        value={draft.change}
        onChange={kind => change({change: kind})}
        options={[
          {
            value: 'rebuild',
            label: 'Rebuild as they are',
            note: 'with what they inherit now: after a change of the group or of a template',
          },
          {
            value: 'templates',
            label: 'Other templates',
            note: 'each machine is given these as its own',
          },
        ]}
      />
      {draft.change === 'templates' && (
        <fieldset className="form-part">
          <legend>Templates</legend>
          <TemplatesField uses={draft.uses} onChange={uses => change({uses})} />
          <Mistake text={isTried ? mistakes.uses : undefined} />
        </fieldset>
      )}
      <WaveFields draft={draft} change={change} />
      <Plan total={total} draft={draft} />
    </>
  );
}

function WaveFields({
  draft,
  change,
}: {
  readonly draft: RolloutDraft;
  readonly change: (part: Partial<RolloutDraft>) => void;
}) {
  const mistakes = rolloutMistakes(draft);
  const number = (name: 'canary' | 'wave' | 'maxFailures' | 'concurrency' | 'minutes') => ({
    inputMode: 'numeric' as const,
    value: draft[name],
    error: mistakes[name],
    onChange: ({target}: {target: {value: string}}) => change({[name]: target.value}),
  });
  return (
    <fieldset className="form-part">
      <legend>Waves</legend>
      <div className="field-columns">
        <TextField
          label="Canary machines"
          hint="A first wave of their own; 0 is none"
          {...number('canary')}
        />
        <TextField label="Wave" {...number('wave')} />
        <SelectField
          label="Wave counts"
          value={draft.waveBy}
          choices={[
            {value: 'percent', label: 'per cent of all'},
            {value: 'size', label: 'machines'},
          ]}
          onChange={({target}) => change({waveBy: target.value === 'size' ? 'size' : 'percent'})}
        />
        <TextField
          label="Failures that are borne"
          hint="With one more it halts"
          {...number('maxFailures')}
        />
        <TextField label="At the same time" hint="Machines of a wave" {...number('concurrency')} />
        <TextField
          label="Minutes for each machine"
          hint="From the reboot until it is ACTIVE"
          {...number('minutes')}
        />
      </div>
    </fieldset>
  );
}

function Plan({total, draft}: {readonly total: number; readonly draft: RolloutDraft}) {
  const {canary, wave} = rolloutMistakes(draft);
  if (total === 0 || canary !== undefined || wave !== undefined) return null;
  const waves = plannedWaves(total, draft);
  const hasCanary = Number(draft.canary) > 0;
  return (
    <div>
      <h3>The plan</h3>
      <ol className="plan" aria-label="Waves">
        {waves.slice(0, wavesShown).map((size, index) => (
          // A plan is drawn anew as a whole.
          <li key={`${index}-${size}`} className={hasCanary && index === 0 ? 'canary' : ''}>
            {hasCanary && index === 0 ? `canary ${size}` : size}
          </li>
        ))}
        {waves.length > wavesShown && <li>and {waves.length - wavesShown} waves more</li>}
      </ol>
    </div>
  );
}
