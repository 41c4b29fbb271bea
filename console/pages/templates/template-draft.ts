import {create, fromJson, type JsonValue, type MessageInitShape} from '@bufbuild/protobuf';
import {ValueSchema} from '@bufbuild/protobuf/wkt';
import {
  type Template,
  type Template_Parameter as Parameter,
  Template_ParameterSchema,
  Template_Parameter_Type as Type,
  type TemplateSchema,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {linesOf} from '../../forms/lines.ts';
import {defaultOf, limitsOf, parameterTypeWords, valueText} from '../../forms/ParameterField.tsx';

/** A parameter as it is typed. */
export type ParameterDraft = {
  readonly key: string;
  readonly name: string;
  readonly type: Type;
  readonly description: string;
  /** A list has one text a line. */
  readonly standard: string;
  readonly hasDefault: boolean;
  readonly allowed: string;
  readonly pattern: string;
  readonly minimum: string;
  readonly maximum: string;
};

export type TemplateDraft = {
  readonly name: string;
  readonly description: string;
  readonly nixosModule: string;
  readonly parameters: readonly ParameterDraft[];
};

export const emptyModule = 'parameters: {config, lib, pkgs, ...}: {\n  \n}\n';

export const draftOfTemplate = (template: Template | undefined): TemplateDraft => ({
  name: template?.name ?? '',
  description: template?.description ?? '',
  nixosModule: template?.nixosModule ?? emptyModule,
  parameters: template?.parameters.map(draftOfParameter) ?? [],
});

function draftOfParameter(parameter: Parameter): ParameterDraft {
  const standard = defaultOf(parameter);
  const {name, type, description, allowedValues, pattern, minimum, maximum} = parameter;
  return {
    key: name,
    name,
    type,
    description,
    standard: Array.isArray(standard) ? standard.map(valueText).join('\n') : valueText(standard),
    hasDefault: standard !== undefined,
    allowed: allowedValues.join('\n'),
    pattern,
    minimum: minimum?.toString() ?? '',
    maximum: maximum?.toString() ?? '',
  };
}

export const newParameter = (key: string): ParameterDraft => ({
  key,
  name: '',
  type: Type.STRING,
  description: '',
  standard: '',
  hasDefault: true,
  allowed: '',
  pattern: '',
  minimum: '',
  maximum: '',
});

export const templateOfDraft = (draft: TemplateDraft): MessageInitShape<typeof TemplateSchema> => ({
  name: draft.name.trim(),
  description: draft.description.trim(),
  nixosModule: draft.nixosModule,
  parameters: draft.parameters.map(parameterOfDraft),
});

export function parameterOfDraft(draft: ParameterDraft): Parameter {
  const {name, type, description, pattern, allowed, minimum, maximum, hasDefault} = draft;
  const isText = type === Type.STRING || type === Type.STRING_LIST;
  const isNumber = type === Type.INTEGER;
  return create(Template_ParameterSchema, {
    name: name.trim(),
    type,
    description: description.trim(),
    ...(hasDefault && {defaultValue: fromJson(ValueSchema, defaultJson(draft))}),
    ...(isText && {allowedValues: linesOf(allowed), pattern}),
    ...(isNumber && minimum !== '' && {minimum: BigInt(minimum)}),
    ...(isNumber && maximum !== '' && {maximum: BigInt(maximum)}),
  });
}

function defaultJson({type, standard}: ParameterDraft): JsonValue {
  if (type === Type.INTEGER) return Number(standard);
  if (type === Type.BOOLEAN) return standard === 'true';
  return type === Type.STRING_LIST ? linesOf(standard) : standard;
}

const wholeNumber = /^-?\d{1,16}$/;

/** As templates.proto declares it. */
export function parameterMistakes(draft: ParameterDraft, all: readonly ParameterDraft[]) {
  const {name, type, minimum, maximum, standard, hasDefault} = draft;
  const isNumber = type === Type.INTEGER;
  const number = (text: string) =>
    isNumber && text !== '' && !wholeNumber.test(text) ? 'A whole number' : undefined;
  return {
    name: !/^[a-z][a-zA-Z0-9]{0,63}$/.test(name.trim())
      ? 'Begins with a small letter; letters and digits'
      : all.some(other => other.key !== draft.key && other.name.trim() === name.trim())
        ? 'Another parameter is called so'
        : undefined,
    minimum: number(minimum),
    maximum: number(maximum),
    standard: isNumber && hasDefault && !wholeNumber.test(standard) ? 'A whole number' : undefined,
  };
}

export const templateMistakes = ({name, nixosModule}: TemplateDraft) => ({
  name: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name.trim())
    ? undefined
    : 'Small letters, digits and dashes between them; 63 at most',
  nixosModule: nixosModule.trim() === '' ? 'A template is a Nix module' : undefined,
});

export const hasMistake = (draft: TemplateDraft): boolean =>
  [
    templateMistakes(draft),
    ...draft.parameters.map(each => parameterMistakes(each, draft.parameters)),
  ].some(mistakes => Object.values(mistakes).some(mistake => mistake !== undefined));

/** All of a version in lines, so that a diff shows changed parameters, too. */
export const templateText = ({description, parameters, nixosModule}: Template): string =>
  [
    ...(description ? [`# ${description}`] : []),
    ...parameters.map(parameter => `# parameter ${describeParameter(parameter)}`),
    nixosModule,
  ].join('\n');

function describeParameter(parameter: Parameter): string {
  const standard = defaultOf(parameter);
  return [
    `${parameter.name}: ${parameterTypeWords[parameter.type]}`,
    standard === undefined ? 'has to be given' : `default ${valueText(standard) || '""'}`,
    limitsOf(parameter),
    parameter.description,
  ]
    .filter(Boolean)
    .join(', ');
}
