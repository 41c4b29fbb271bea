import type {ParameterType, ParameterValue, TemplateParameter} from '../store/templates.ts';
import {compilePattern} from './patterns.ts';
import {findPrivateKey} from './private-keys.ts';

const textLengthMax = 4096;
const listItemsMax = 256;
/** Of all values of one template on one machine, as JSON. */
const valuesLengthMax = 32_768;
const shownLengthMax = 60;

type Given = Readonly<Record<string, unknown>>;

/** Every problem of the declarations themselves, each a clause to follow "Cannot keep template "x": ". */
export function problemsOfDeclarations(
  parameters: readonly TemplateParameter[],
): readonly string[] {
  const names = parameters.map(({name}) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [
    ...[...new Set(twice)].map(name => `parameter "${name}" is declared twice`),
    ...parameters.flatMap(problemsOfDeclaration),
  ];
}

function problemsOfDeclaration(parameter: TemplateParameter): readonly string[] {
  const {name, type, allowedValues, pattern, minimum, maximum, defaultValue} = parameter;
  const about = (problem: string) => [`parameter "${name}" ${problem}`];
  const isText = type === 'string' || type === 'string_list';
  if (!isText && allowedValues.length > 0)
    return about(`has allowed_values, which only texts can have: it is ${described[type]}`);
  if (!isText && pattern !== '')
    return about(`has a pattern, which only texts can have: it is ${described[type]}`);
  if (type !== 'integer' && (minimum !== null || maximum !== null))
    return about(
      `has a minimum or maximum, which only integers can have: it is ${described[type]}`,
    );
  if ([minimum, maximum].some(bound => bound !== null && !Number.isSafeInteger(bound)))
    return about('has a minimum or maximum beyond ±9007199254740991, which no value can reach');
  if (minimum !== null && maximum !== null && minimum > maximum)
    return about(`has a minimum of ${minimum}, above its maximum of ${maximum}`);
  const broken = pattern === '' ? undefined : failureOf(() => compilePattern(pattern));
  if (broken !== undefined) return about(`has a pattern that cannot be used: ${broken}`);
  if (defaultValue === null) return [];
  return problemsOfValue(parameter, defaultValue).map(
    problem => `the default of parameter "${name}" ${problem}`,
  );
}

/** Every reason why these values do not fit, each a clause; empty when they do. */
export function problemsOfParameters(
  declared: readonly TemplateParameter[],
  given: Given,
): readonly string[] {
  const names = declared.map(({name}) => name);
  const known =
    names.length === 0 ? 'it has no parameters' : `it has ${names.map(quote).join(', ')}`;
  const unknown = Object.keys(given).filter(name => !names.includes(name));
  const length = JSON.stringify(given).length;
  if (length > valuesLengthMax)
    return [`its parameters are ${length} characters long together, at most ${valuesLengthMax}`];
  return [
    ...unknown.map(name => `parameter ${quote(name)} is unknown; ${known}`),
    ...declared.flatMap(parameter => problemsOfGiven(parameter, given)),
  ];
}

function problemsOfGiven(parameter: TemplateParameter, given: Given): readonly string[] {
  const {name, type, defaultValue} = parameter;
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value !== undefined && value !== null)
    return problemsOfValue(parameter, value).map(problem => `parameter "${name}" ${problem}`);
  if (defaultValue !== null) return [];
  return [`parameter "${name}" is missing and has no default: give it ${described[type]}`];
}

/** Each declared parameter with its value, given or default. The values fit. */
export function fillParameters(
  declared: readonly TemplateParameter[],
  given: Given,
): Readonly<Record<string, ParameterValue>> {
  const values = declared.map(({name, defaultValue}) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    return [name, (value ?? defaultValue) as ParameterValue] as const;
  });
  return Object.fromEntries(values);
}

function problemsOfValue(parameter: TemplateParameter, value: unknown): readonly string[] {
  const {type} = parameter;
  const wrongType = [`must be ${described[type]}, not ${show(value)}`];
  if (type === 'boolean') return typeof value === 'boolean' ? [] : wrongType;
  if (type === 'integer')
    return typeof value === 'number' && Number.isSafeInteger(value)
      ? problemsOfNumber(parameter, value)
      : wrongType;
  if (type === 'string')
    return typeof value === 'string' ? problemsOfTexts(parameter, [value]) : wrongType;
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) return wrongType;
  if (value.length > listItemsMax)
    return [`has ${value.length} items, at most ${listItemsMax} are allowed`];
  return problemsOfTexts(parameter, value);
}

function problemsOfNumber({minimum, maximum}: TemplateParameter, value: number): readonly string[] {
  if (minimum !== null && value < minimum) return [`must be at least ${minimum}, not ${value}`];
  if (maximum !== null && value > maximum) return [`must be at most ${maximum}, not ${value}`];
  return [];
}

/** The first problem of each text. */
function problemsOfTexts(
  {allowedValues, pattern}: TemplateParameter,
  texts: readonly string[],
): readonly string[] {
  const compiled = pattern === '' ? undefined : compilePattern(pattern);
  return texts.flatMap(text => {
    if (text.length > textLengthMax)
      return [`has a text of ${text.length} characters, at most ${textLengthMax} are allowed`];
    if (text.includes('\0') || !text.isWellFormed())
      return [`must be text: ${show(text)} holds a zero character or half a surrogate pair`];
    const secret = findPrivateKey(text);
    if (secret)
      return [`looks like ${secret}: images are readable by all, so no secret may be in one`];
    if (allowedValues.length > 0 && !allowedValues.includes(text))
      return [`must be one of ${allowedValues.map(quote).join(', ')}, not ${show(text)}`];
    if (compiled && !compiled.matches(text))
      return [`must match ${pattern} as a whole, which ${show(text)} does not`];
    return [];
  });
}

const described: Readonly<Record<ParameterType, string>> = {
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
  string_list: 'a list of texts',
};

const quote = (text: string): string => JSON.stringify(text.slice(0, shownLengthMax));

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
}

function failureOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
