import {type Comparison, FilterError, plainText, shown, type Value} from '../filter/syntax.ts';
import {parseBoolean, parseNumber} from '../filter/values.ts';
import {type Fragment, part} from './fragments.ts';
import {containing, type HardwareField, jsonPath} from './hardware-fields.ts';
import {isPresence, needOperator, plainOrFail} from './text-patterns.ts';

/** Any part of the last inventory matches. The JSON path is made of the table's own names and one JSON literal, and sent as a parameter. */
export function hardwareCondition(field: HardwareField, comparison: Comparison): Fragment {
  const found = facts(field, comparison);
  return part`machines.id in (select machine_id from machine_search where ${found})`;
}

function facts(field: HardwareField, comparison: Comparison): Fragment {
  const {operator, value} = comparison;
  if (isPresence(comparison)) return part`facts @? ${jsonPath(field)}::text::jsonpath`;
  const text = plainText(value);
  if (field.type === 'text' && (operator === ':' || (operator === '=' && text === undefined)))
    return part`facts @@ ${matching(field, comparison)}::text::jsonpath`;
  if (field.type === 'boolean') needOperator(comparison, ['=', ':']);
  const literal = literalOf(field, comparison);
  if (operator === '=' || operator === ':')
    return part`facts @> ${containing(field, literal)}::text::jsonb`;
  const path = `${jsonPath(field)} ${operator} ${JSON.stringify(literal)}`;
  return part`facts @@ ${path}::text::jsonpath`;
}

/** A regular expression of literal texts and `.*` only; `"` and `\` are as in JSON. */
function matching(field: HardwareField, {operator, value}: Comparison): string {
  const escaped = lowered(value)
    .map(text => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
    .join('.*');
  const expression = operator === '=' ? `^${escaped}$` : escaped;
  return `${jsonPath(field)} like_regex ${JSON.stringify(expression)}`;
}

const lowered = (value: Value) => value.map(text => text.toLowerCase());

function literalOf({type}: HardwareField, comparison: Comparison): string | number | boolean {
  const text = plainOrFail(comparison).toLowerCase();
  if (type === 'text') return text;
  const value = type === 'number' ? parseNumber(text) : parseBoolean(text);
  if (value !== undefined) return value;
  const expected =
    type === 'number' ? 'a number, which may have a unit (64G, 2TB)' : 'true or false';
  throw new FilterError(
    `"${comparison.path.join('.')}" is compared with ${expected}, not with "${shown(comparison.value)}"`,
    comparison.offset,
  );
}
