import {type Comparison, FilterError, plainText} from '../filter/syntax.ts';
import {constant, type Fragment, part} from './fragments.ts';
import type {FieldSource} from './machine-fields.ts';
import {contains, isPresence, like, needOperator, plainOrFail} from './text-patterns.ts';

/** Without regard to case; `=` with * is a pattern, `:` finds a part. */
export function matchText(expression: Fragment, comparison: Comparison): Fragment {
  const {operator, value} = comparison;
  if (isPresence(comparison)) return part`${expression} <> ''`;
  if (operator === ':') return part`lower(${expression}) like ${contains(value)}`;
  const text = plainText(value);
  if (operator === '=' && text === undefined) return part`lower(${expression}) like ${like(value)}`;
  const lower = plainOrFail(comparison).toLowerCase();
  if (operator === '=' && lower !== '')
    // Some indexes leave out what is empty.
    return part`(lower(${expression}) = ${lower} and ${expression} <> '')`;
  return part`lower(${expression}) ${constant(operator)} ${lower}`;
}

type ListSource = Extract<FieldSource, {kind: 'texts' | 'labels' | 'templates'}>;

export function compareLists(
  source: ListSource,
  key: string | undefined,
  comparison: Comparison,
): Fragment {
  if (source.kind === 'texts') return compareTexts(constant(source.sql), comparison);
  return source.kind === 'labels' ? compareLabels(key, comparison) : compareTemplates(comparison);
}

/** One of the list matches. MAC addresses and image ids are kept in lower case. */
function compareTexts(list: Fragment, comparison: Comparison): Fragment {
  needOperator(comparison, ['=', ':']);
  if (isPresence(comparison)) return part`cardinality(${list}) > 0`;
  const text = plainText(comparison.value);
  if (comparison.operator === '=' && text !== undefined)
    return part`${list} @> ${[text.toLowerCase().replaceAll('-', ':')]}::text[]`;
  return part`exists (select from unnest(${list}) as item where ${matchText(constant('item'), comparison)})`;
}

/** Keys and values of labels are exact, as programs write them. */
function compareLabels(key: string | undefined, comparison: Comparison): Fragment {
  const {operator, value, offset} = comparison;
  if (key === undefined) {
    needOperator(comparison, [':']);
    if (isPresence(comparison)) return part`labels <> '{}'`;
    return part`labels ? ${plainOrFail(comparison)}`;
  }
  if (isPresence(comparison)) return part`labels ? ${key}`;
  const text = plainText(value);
  if (operator === '=' || (operator === ':' && text !== undefined)) {
    if (text !== undefined) return part`labels @> ${JSON.stringify({[key]: text})}::text::jsonb`;
    return part`(labels ->> ${key}) like ${caseLike(value)}`;
  }
  if (operator === ':') throw new FilterError(`"labels.${key}" takes no * with :; use =`, offset);
  return part`(labels ->> ${key}) ${constant(operator)} ${plainOrFail(comparison)}`;
}

const caseLike = (value: readonly string[]) =>
  value.map(text => text.replaceAll(/[\\%_]/g, String.raw`\$&`)).join('%');

function compareTemplates(comparison: Comparison): Fragment {
  needOperator(comparison, ['=', ':']);
  if (isPresence(comparison)) return part`templates <> '[]'`;
  return part`templates @> ${JSON.stringify([{name: plainOrFail(comparison)}])}::text::jsonb`;
}
