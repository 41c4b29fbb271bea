import type {JsonValue} from '@bufbuild/protobuf';
import {toJson} from '@bufbuild/protobuf';
import {ValueSchema} from '@bufbuild/protobuf/wkt';
import {
  type Template_Parameter as Parameter,
  Template_Parameter_Type as Type,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {SelectField, TextAreaField, TextField} from './fields.tsx';
import {linesOf} from './lines.ts';

export const parameterTypeWords: Readonly<Record<Type, string>> = {
  [Type.UNSPECIFIED]: 'any',
  [Type.STRING]: 'text',
  [Type.INTEGER]: 'whole number',
  [Type.BOOLEAN]: 'yes or no',
  [Type.STRING_LIST]: 'texts',
};

/** Undefined when a value has to be given. */
export const defaultOf = ({defaultValue}: Parameter): JsonValue | undefined =>
  defaultValue && toJson(ValueSchema, defaultValue);

export const valueText = (value: JsonValue | undefined): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
const linesText = (value: JsonValue | undefined): string =>
  Array.isArray(value) ? value.map(valueText).join('\n') : '';

/** "1 to 65535", "one of a, b", "like ^[a-z]+$" */
export function limitsOf(parameter: Parameter): string {
  const {minimum, maximum, allowedValues, pattern} = parameter;
  return [
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : '',
    minimum !== undefined && maximum === undefined ? `at least ${minimum}` : '',
    maximum !== undefined && minimum === undefined ? `at most ${maximum}` : '',
    allowedValues.length > 0 ? `one of ${allowedValues.join(', ')}` : '',
    pattern ? `like ${pattern}` : '',
  ]
    .filter(Boolean)
    .join('; ');
}

type ParameterFieldProps = {
  readonly parameter: Parameter;
  /** Undefined: the default. */
  readonly value: JsonValue | undefined;
  readonly onChange: (value: JsonValue | undefined) => void;
};

/** One parameter of a template, by its type. */
export function ParameterField({parameter, value, onChange}: ParameterFieldProps) {
  const {name, type, description} = parameter;
  const standard = defaultOf(parameter);
  const isMissing = value === undefined && standard === undefined;
  const field = {
    label: name,
    hint: [description, limitsOf(parameter)].filter(Boolean).join(' · '),
    error: isMissing ? 'This has no default: give a value' : undefined,
  };
  const without = standard === undefined ? 'Choose …' : `Default: ${valueText(standard)}`;
  const choices = choicesOf(parameter);
  if (choices.length > 0)
    return (
      <SelectField
        {...field}
        value={valueText(value)}
        choices={[{value: '', label: without}, ...choices]}
        onChange={({target}) => onChange(choiceOf(type, target.value))}
      />
    );
  if (type === Type.STRING_LIST)
    return (
      <TextAreaField
        {...field}
        rows={2}
        placeholder={linesText(standard) || 'One a line'}
        defaultValue={linesText(value)}
        onChange={({target}) => onChange(target.value === '' ? undefined : linesOf(target.value))}
      />
    );
  const isNumber = type === Type.INTEGER;
  return (
    <TextField
      {...field}
      inputMode={isNumber ? 'numeric' : 'text'}
      placeholder={valueText(standard)}
      value={valueText(value)}
      onChange={({target}) =>
        onChange(isNumber ? numberOf(target.value) : target.value || undefined)
      }
    />
  );
}

const choiceOf = (type: Type, text: string): JsonValue | undefined => {
  if (text === '') return undefined;
  return type === Type.BOOLEAN ? text === 'true' : text;
};

const choicesOf = ({type, allowedValues}: Parameter) =>
  (type === Type.BOOLEAN ? ['true', 'false'] : type === Type.STRING ? allowedValues : []).map(
    value => ({value, label: value}),
  );

/** What is no number stays a text: the server says what is wrong with it. */
const numberOf = (text: string): JsonValue | undefined =>
  text === '' ? undefined : /^-?\d+$/.test(text) ? Number(text) : text;
