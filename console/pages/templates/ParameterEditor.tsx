import {Template_Parameter_Type as Type} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {useId} from 'react';
import {Checkbox, SelectField, TextAreaField, TextField} from '../../forms/fields.tsx';
import {parameterTypeWords} from '../../forms/ParameterField.tsx';
import {Button} from '../../ui/Button.tsx';
import {newParameter, type ParameterDraft, parameterMistakes} from './template-draft.ts';

const types = [Type.STRING, Type.INTEGER, Type.BOOLEAN, Type.STRING_LIST] as const;

/** Which parameters machines may give, and within what. */
export function ParameterEditor({
  parameters,
  onChange,
  isTried,
}: {
  readonly parameters: readonly ParameterDraft[];
  readonly onChange: (parameters: readonly ParameterDraft[]) => void;
  readonly isTried: boolean;
}) {
  const id = useId();
  return (
    <fieldset className="form-part">
      <legend>Parameters</legend>
      <div className="hint">
        The module reads them as <code>parameters.NAME</code>. One without a default has to be given
        on each machine.
      </div>
      {parameters.map((parameter, index) => (
        <ParameterRow
          key={parameter.key}
          parameter={parameter}
          mistakes={isTried ? parameterMistakes(parameter, parameters) : {}}
          onChange={part => onChange(parameters.with(index, {...parameter, ...part}))}
          onRemove={() => onChange(parameters.toSpliced(index, 1))}
        />
      ))}
      <div>
        <Button
          icon="plus"
          onClick={() =>
            onChange([...parameters, newParameter(`${id}${parameters.length}-${Date.now()}`)])
          }
        >
          Add a parameter
        </Button>
      </div>
    </fieldset>
  );
}

type RowProps = {
  readonly parameter: ParameterDraft;
  readonly mistakes: Partial<ReturnType<typeof parameterMistakes>>;
  readonly onChange: (part: Partial<ParameterDraft>) => void;
  readonly onRemove: () => void;
};

function ParameterRow({parameter, mistakes, onChange, onRemove}: RowProps) {
  const {name, type, description} = parameter;
  return (
    <div className="template-use" role="group" aria-label={`Parameter ${name || 'without a name'}`}>
      <div className="template-use-head">
        <TextField
          label="Name"
          className="input mono"
          value={name}
          error={mistakes.name}
          onChange={({target}) => onChange({name: target.value})}
        />
        <SelectField
          label="Type"
          value={String(type)}
          choices={types.map(each => ({value: String(each), label: parameterTypeWords[each]}))}
          onChange={({target}) =>
            onChange({type: types.find(each => String(each) === target.value) ?? type})
          }
        />
        <Button kind="quiet" icon="close" onClick={onRemove}>
          Take away
        </Button>
      </div>
      <TextField
        label="Description"
        value={description}
        onChange={({target}) => onChange({description: target.value})}
      />
      <div className="field-columns">
        <DefaultField parameter={parameter} mistakes={mistakes} onChange={onChange} />
        <LimitFields parameter={parameter} mistakes={mistakes} onChange={onChange} />
      </div>
    </div>
  );
}

function DefaultField({parameter, mistakes, onChange}: Omit<RowProps, 'onRemove'>) {
  const {type, standard, hasDefault} = parameter;
  const field = {
    label: 'Default',
    value: standard,
    disabled: !hasDefault,
    error: mistakes.standard,
    onChange: ({target}: {target: {value: string}}) => onChange({standard: target.value}),
  };
  return (
    <div className="field">
      {type === Type.BOOLEAN ? (
        <SelectField
          {...field}
          value={standard === 'true' ? 'true' : 'false'}
          choices={[
            {value: 'false', label: 'false'},
            {value: 'true', label: 'true'},
          ]}
        />
      ) : type === Type.STRING_LIST ? (
        <TextAreaField {...field} rows={2} hint="One text a line" />
      ) : (
        <TextField {...field} />
      )}
      <Checkbox
        label="It has a default"
        checked={hasDefault}
        onChange={({target}) => onChange({hasDefault: target.checked})}
      />
    </div>
  );
}

function LimitFields({parameter, mistakes, onChange}: Omit<RowProps, 'onRemove'>) {
  const {type, minimum, maximum, allowed, pattern} = parameter;
  if (type === Type.BOOLEAN) return null;
  if (type === Type.INTEGER)
    return (
      <>
        <TextField
          label="At least"
          inputMode="numeric"
          value={minimum}
          error={mistakes.minimum}
          onChange={({target}) => onChange({minimum: target.value})}
        />
        <TextField
          label="At most"
          inputMode="numeric"
          value={maximum}
          error={mistakes.maximum}
          onChange={({target}) => onChange({maximum: target.value})}
        />
      </>
    );
  return (
    <>
      <TextAreaField
        label="Only these"
        hint="One a line; empty allows any"
        rows={2}
        value={allowed}
        onChange={({target}) => onChange({allowed: target.value})}
      />
      <TextField
        label="Pattern"
        hint="RE2, for the whole text"
        className="input mono"
        value={pattern}
        onChange={({target}) => onChange({pattern: target.value})}
      />
    </>
  );
}
