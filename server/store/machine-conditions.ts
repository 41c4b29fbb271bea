import {
  type Comparison,
  type Filter,
  FilterError,
  plainText,
  shown,
  type Value,
} from '../filter/syntax.ts';
import {parseBoolean, parseNumber, parseTime} from '../filter/values.ts';
import {constant, type Fragment, join, no, part, yes} from './fragments.ts';
import {hardwareCondition} from './hardware-conditions.ts';
import {findMachineField, type MachineField, similarFields} from './machine-fields.ts';
import {compareLists, matchText} from './text-conditions.ts';
import {contains, isPresence, macText, needOperator} from './text-patterns.ts';

/** What a filter means depends on when and where it is asked. */
export type SearchContext = {
  readonly now: Date;
  /** Agents that were heard since are online. */
  readonly onlineSince: Date;
  /** What the others are: the server may have been cut off itself. */
  readonly silent: 'offline' | 'unknown';
  /** A state that began before is stuck. */
  readonly stuckBefore: Readonly<Record<string, Date>>;
  /** The members of a group; undefined when there is no such group. */
  readonly findGroup: (name: string) => GroupMembers | undefined;
  /** Words match what is like them, too. */
  readonly similar: boolean;
};

/** Machines are in it by their row in group_members, or by its filter. */
export type GroupMembers = {readonly id: string; readonly filter: Filter | undefined};

/**
 * A condition on `machines` (with `machine_presence` joined), true or false or null for false. Throws FilterError when a field is unknown or a
 * value does not fit it.
 */
export function conditionOf(filter: Filter | undefined, context: SearchContext): Fragment {
  if (!filter) return yes;
  if (filter.kind === 'and' || filter.kind === 'or') {
    const parts = filter.parts.map(inner => conditionOf(inner, context));
    return part`(${join(parts, filter.kind)})`;
  }
  // What is not known is not so.
  if (filter.kind === 'not') return part`(${conditionOf(filter.part, context)}) is not true`;
  if (filter.kind === 'text') return freeText(filter.value, context);
  return comparison(filter, context);
}

function freeText(value: Value, {similar}: SearchContext): Fragment {
  const word = plainText(value);
  const mac = word === undefined ? undefined : macText(word);
  const pattern = contains(mac ? [mac] : value);
  const exact = part`machines.id in (select machine_id from machine_search where text like ${pattern})`;
  return similar && word !== undefined && mac === undefined
    ? part`(${exact} or machines.id in (select machines_similar_to(${word.toLowerCase()}::text)))`
    : exact;
}

function comparison(comparison: Comparison, context: SearchContext): Fragment {
  const found = findMachineField(comparison.path);
  if (!found) throw unknownField(comparison);
  const {operator} = comparison;
  if (operator === '!=')
    return part`(${compare(found, {...comparison, operator: '='}, context)}) is not true`;
  return compare(found, comparison, context);
}

type Found = {readonly field: MachineField; readonly key: string | undefined};

function compare({field, key}: Found, comparison: Comparison, context: SearchContext): Fragment {
  const {source} = field;
  switch (source.kind) {
    case 'id':
      return compareId(comparison);
    case 'text':
      return lookUp(source, comparison) ?? matchText(constant(source.sql), comparison);
    case 'number':
      return compareNumber(source.sql, comparison, toNumber(comparison));
    case 'time':
      return isPresence(comparison)
        ? part`${constant(source.sql)} is not null`
        : compareTime(source.sql, comparison, toTime(comparison, context.now));
    case 'enum':
      return compareEnum(source, comparison);
    case 'hardware':
      return hardwareCondition(source.field, comparison);
    case 'texts':
    case 'labels':
    case 'templates':
      return compareLists(source, key, comparison);
    case 'presence':
      return comparePresence(comparison, context);
    case 'stuck':
      return compareStuck(comparison, context);
    case 'group':
      return compareGroup(comparison, context);
    default:
      return no;
  }
}

function lookUp(
  {lookup}: {readonly lookup?: readonly [string, string]},
  {operator, value}: Comparison,
): Fragment | undefined {
  const text = operator === '=' ? plainText(value) : undefined;
  if (!lookup || text === undefined || text === '') return undefined;
  const [before, after] = lookup;
  return part`${constant(before)}${text.toLowerCase()}${constant(after)}`;
}

function compareId(comparison: Comparison): Fragment {
  needOperator(comparison, ['=', ':']);
  const id = plainText(comparison.value);
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id ?? '');
  return id !== undefined && isUuid
    ? part`machines.id = ${id}::uuid`
    : part`machines.id::text like ${contains(comparison.value)}`;
}

/** All numbers are whole ones: with a whole number beside them their index is of use. */
function compareNumber(sql: string, {operator}: Comparison, value: number): Fragment {
  const symbol = operator === ':' ? '=' : operator;
  if (symbol === '=' && !Number.isInteger(value)) return no;
  const whole = symbol === '>' || symbol === '<=' ? Math.floor(value) : Math.ceil(value);
  return part`${constant(sql)} ${constant(symbol)} ${whole}::bigint`;
}

function compareTime(sql: string, {operator}: Comparison, value: Date): Fragment {
  const symbol = constant(operator === ':' ? '=' : operator);
  return part`${constant(sql)} ${symbol} ${value.toISOString()}::timestamptz`;
}

function compareEnum(
  {sql, values, ordered}: {sql: string; values: readonly string[]; ordered: boolean},
  comparison: Comparison,
): Fragment {
  needOperator(comparison, ordered ? ['=', ':', '<', '<=', '>', '>='] : ['=', ':']);
  const wanted = oneOf(comparison, values);
  const at = values.indexOf(wanted);
  const {operator} = comparison;
  if (operator === '=' || operator === ':') return part`${constant(sql)} = ${wanted}`;
  const matching = values.filter((_, index) =>
    operator.startsWith('<') ? index < at : index > at,
  );
  const levels = operator.endsWith('=') ? [...matching, wanted] : matching;
  return part`${constant(sql)} = any(${levels}::text[])`;
}

function comparePresence(comparison: Comparison, context: SearchContext): Fragment {
  needOperator(comparison, ['=', ':']);
  const wanted = oneOf(comparison, ['online', 'offline', 'unknown']);
  const online = part`last_seen_time >= ${context.onlineSince.toISOString()}::timestamptz`;
  if (wanted === 'online') return online;
  return wanted === context.silent ? part`(${online}) is not true` : no;
}

function compareStuck(comparison: Comparison, {stuckBefore}: SearchContext): Fragment {
  needOperator(comparison, ['=', ':']);
  const wanted = isPresence(comparison) || toBoolean(comparison);
  const states = Object.entries(stuckBefore).map(
    ([state, before]) =>
      part`state = ${state} and state_time < ${before.toISOString()}::timestamptz`,
  );
  const stuck = part`(${join(states, 'or')})`;
  return wanted ? stuck : part`(${stuck}) is not true`;
}

function compareGroup(comparison: Comparison, context: SearchContext): Fragment {
  needOperator(comparison, ['=', ':']);
  const name = plainText(comparison.value);
  const group = name === undefined ? undefined : context.findGroup(name);
  if (!group)
    throw new FilterError(`there is no group "${shown(comparison.value)}"`, comparison.offset);
  return membership(group, context);
}

export function membership({id, filter}: GroupMembers, context: SearchContext): Fragment {
  return filter
    ? // A rule is never met by likeness.
      conditionOf(filter, {...context, similar: false})
    : part`machines.id in (select machine_id from group_members where group_id = ${id}::uuid)`;
}

function oneOf(comparison: Comparison, values: readonly string[]): string {
  const text = plainText(comparison.value)?.toLowerCase() ?? '';
  if (values.includes(text)) return text;
  const known = values.map(value => value.toUpperCase()).join(', ');
  throw new FilterError(
    `"${shown(comparison.value)}" is no value of "${comparison.path.join('.')}": it is one of ${known}`,
    comparison.offset,
  );
}

function toNumber(comparison: Comparison): number {
  const value = parseNumber(plainText(comparison.value) ?? '');
  return value ?? misfit(comparison, 'a number, which may have a unit (64G, 64GiB, 2TB)');
}

function toTime(comparison: Comparison, now: Date): Date {
  const value = parseTime(plainText(comparison.value) ?? '', now);
  return value ?? misfit(comparison, 'a time (2026-05-01, 2026-05-01T10:00:00Z, -7d)');
}

function toBoolean(comparison: Comparison): boolean {
  return parseBoolean(plainText(comparison.value) ?? '') ?? misfit(comparison, 'true or false');
}

function misfit({path, value, offset}: Comparison, expected: string): never {
  throw new FilterError(
    `"${path.join('.')}" is compared with ${expected}, not with "${shown(value)}"`,
    offset,
  );
}

function unknownField({path, offset}: Comparison): FilterError {
  const name = path.join('.').slice(0, 64);
  const similar = similarFields(name);
  const hint =
    similar.length > 0 ? `; there is ${similar.map(known => `"${known}"`).join(', ')}` : '';
  return new FilterError(`there is no field "${name}"${hint}`, offset);
}
