import type {MachineField} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MachineField_Type as FieldType} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Option} from '../forms/Combobox.tsx';

/** What a filter may name: of ListMachineFields, or of another list. */
export type FilterField = Pick<MachineField, 'name' | 'type' | 'values'>;

export type Completion = {
  readonly options: readonly Option[];
  /** The piece of the text that an option takes the place of. */
  readonly from: number;
  readonly to: number;
  /** Values of this field would help (facets). */
  readonly valuesOf?: string;
};

const optionsMax = 12;
const typeWords: Readonly<Record<number, string>> = {
  [FieldType.TEXT]: 'text',
  [FieldType.NUMBER]: 'number',
  [FieldType.TIME]: 'time',
  [FieldType.BOOLEAN]: 'true or false',
  [FieldType.ENUM]: 'one of a few',
  [FieldType.LABELS]: 'labels.KEY',
};

/**
 * Suggestions for an AIP-160 filter at the caret: fields at the beginning of a condition, operators after a field, values after an
 * operator. `values` are what the field has (facets), when they are known.
 */
export function completeFilter(
  text: string,
  caret: number,
  fields: readonly FilterField[],
  values: readonly string[] = [],
): Completion {
  const before = text.slice(0, caret);
  const inQuotes = (before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;

  const value = /([\w."/-]+)\s*(!=|<=|>=|=|<|>|:)\s*\(?\s*("?)([^"()\s]*)$/.exec(before);
  if (value) {
    const [, name = '', , quote = '', typed = ''] = value;
    const from = caret - typed.length - quote.length;
    return {
      options: valueOptions(name, typed, fields, values),
      from,
      to: endOfWord(text, caret),
      valuesOf: name,
    };
  }
  if (inQuotes) return {options: [], from: caret, to: caret};

  const [word = ''] = /[\w.]*$/.exec(before) ?? [];
  const from = caret - word.length;
  const afterField = /([\w.]+)\s+$/.exec(before)?.[1];
  if (word === '' && fields.some(({name}) => name === afterField))
    return {options: operatorsOf(afterField, fields), from, to: caret};
  if (word === '' && before.trim() !== '' && !/(AND|OR|NOT|\(|-)\s*$/.test(before))
    return {options: joints, from, to: caret};

  const lower = word.toLowerCase();
  const found = fields
    .filter(({name}) => name.toLowerCase().includes(lower))
    .toSorted((a, b) => rank(a.name, lower) - rank(b.name, lower));
  return {
    options: found.slice(0, optionsMax).map(({name, type}) => ({
      value: type === FieldType.LABELS ? `${name}.` : `${name} `,
      label: name,
      note: typeWords[type] ?? '',
    })),
    from,
    to: endOfWord(text, caret),
  };
}

/** The text with an option put in, and where the caret goes. */
export function applyOption(
  text: string,
  {from, to}: Completion,
  option: Option,
): {readonly text: string; readonly caret: number} {
  return {
    text: text.slice(0, from) + option.value + text.slice(to),
    caret: from + option.value.length,
  };
}

const joints: readonly Option[] = [
  {value: 'AND ', label: 'AND', note: 'both'},
  {value: 'OR ', label: 'OR', note: 'one of them; binds more tightly than AND'},
  {value: 'AND NOT ', label: 'AND NOT', note: 'and not'},
];

function operatorsOf(name: string | undefined, fields: readonly FilterField[]): readonly Option[] {
  const type = fields.find(field => field.name === name)?.type;
  const ordered = type === FieldType.NUMBER || type === FieldType.TIME;
  const operators: readonly (readonly [string, string])[] = ordered
    ? [
        ['>', 'more than'],
        ['<', 'less than'],
        ['>=', 'at least'],
        ['<=', 'at most'],
        ['=', 'equal'],
      ]
    : [
        ['=', 'equal; * stands for anything'],
        ['!=', 'other than'],
        [':', 'has this part'],
      ];
  return operators.map(([operator, note]) => ({value: `${operator} `, label: operator, note}));
}

function valueOptions(
  name: string,
  typed: string,
  fields: readonly FilterField[],
  values: readonly string[],
): readonly Option[] {
  const field = fields.find(field => field.name === name);
  const known =
    field?.type === FieldType.BOOLEAN
      ? ['true', 'false']
      : field && field.values.length > 0
        ? field.values
        : values;
  const lower = typed.toLowerCase();
  return known
    .filter(value => value.toLowerCase().includes(lower) && value !== typed)
    .slice(0, optionsMax)
    .map(value => ({value: `${quoted(value)} `, label: value}));
}

export const quoted = (value: string): string =>
  /^[\w.*]+$/.test(value) ? value : `"${value.replaceAll(/[\\"*]/g, String.raw`\$&`)}"`;

const rank = (name: string, word: string): number =>
  (name.toLowerCase().startsWith(word) ? 0 : 1000) + name.split('.').length * 100 + name.length;

const endOfWord = (text: string, caret: number): number =>
  caret + (/^[\w."]*/.exec(text.slice(caret))?.[0].length ?? 0);
