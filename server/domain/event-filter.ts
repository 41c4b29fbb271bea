import {parseFilter} from '../filter/parser.ts';
import {
  type Comparison,
  type Filter,
  FilterError,
  plainText,
  shown,
  type Value,
} from '../filter/syntax.ts';
import {parseNumber, parseTime} from '../filter/values.ts';
import {DomainError} from '../errors.ts';
import type {JournalEntry} from '../store/journal.ts';

/** What somebody wants of the journal; what is left out takes all. */
export type EventFilter = {
  readonly machineIds?: ReadonlySet<string>;
  readonly typePrefix?: string | undefined;
  /** Each a type, or the beginning of types when it ends with a dot. */
  readonly types?: readonly string[];
  /** AIP-160. */
  readonly filter?: string;
};

export type EventTest = (entry: JournalEntry) => boolean;

/** Throws invalid_argument. Relative times count from `now`. */
export function compileEventFilter(wanted: EventFilter, now: Date): EventTest {
  const {machineIds, typePrefix = '', types = [], filter = ''} = wanted;
  const meets = compileText(filter, now);
  return entry =>
    (!machineIds || (entry.machineId !== undefined && machineIds.has(entry.machineId))) &&
    entry.type.startsWith(typePrefix) &&
    (types.length === 0 || types.some(type => isOfType(entry.type, type))) &&
    meets(entry);
}

const isOfType = (type: string, wanted: string): boolean =>
  wanted.endsWith('.') ? type.startsWith(wanted) : type === wanted;

function compileText(text: string, now: Date): EventTest {
  try {
    const filter = parseFilter(text);
    return filter ? compile(filter, now) : () => true;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new DomainError(
      'invalid_argument',
      `Cannot use filter "${text.slice(0, 64)}": ${error.message}, at character ${error.offset + 1}`,
    );
  }
}

function compile(filter: Filter, now: Date): EventTest {
  switch (filter.kind) {
    case 'and': {
      const parts = filter.parts.map(part => compile(part, now));
      return entry => parts.every(part => part(entry));
    }
    case 'or': {
      const parts = filter.parts.map(part => compile(part, now));
      return entry => parts.some(part => part(entry));
    }
    case 'not': {
      const part = compile(filter.part, now);
      return entry => !part(entry);
    }
    case 'text': {
      const matches = contains(filter.value);
      return ({type, actor, subject, data}) => [type, actor, subject, data].some(matches);
    }
    default:
      return compare(filter, now);
  }
}

function compare(comparison: Comparison, now: Date): EventTest {
  const [name = '', ...rest] = comparison.path;
  if (name === 'data' && rest.length > 0) return compareData(rest, comparison);
  if (rest.length > 0) throw unknownField(comparison);
  switch (name) {
    case 'type':
      return compareText(({type}) => type, comparison);
    case 'actor':
      return compareText(({actor}) => actor, comparison);
    case 'subject':
      return compareText(({subject}) => subject, comparison);
    case 'machine_id':
      return compareText(({machineId}) => machineId ?? '', comparison);
    case 'position':
      return compareNumber(({position}) => position, comparison);
    case 'time': {
      const wanted = parseTime(plainText(comparison.value) ?? '', now)?.getTime();
      if (wanted === undefined) throw misfit(comparison, 'a time (2026-05-01T10:00:00Z, -7d)');
      const holds = ordered(comparison);
      return ({time}) => holds(Math.sign(time.getTime() - wanted));
    }
    default:
      throw unknownField(comparison);
  }
}

function compareText(read: (entry: JournalEntry) => string, comparison: Comparison): EventTest {
  const matches = matchText(comparison);
  return entry => matches(read(entry));
}

function compareNumber(read: (entry: JournalEntry) => number, comparison: Comparison): EventTest {
  const wanted = parseNumber(plainText(comparison.value) ?? '');
  if (wanted === undefined) throw misfit(comparison, 'a number');
  const holds = ordered(comparison);
  return entry => holds(Math.sign(read(entry) - wanted));
}

/** Any item of a list matches. What is not there matches only `!=`. */
function compareData(path: readonly string[], comparison: Comparison): EventTest {
  const {operator, value} = comparison;
  if (operator === '!=') {
    const equals = compareData(path, {...comparison, operator: '='});
    return entry => !equals(entry);
  }
  const present = operator === ':' && value.length > 1 && value.every(text => text === '');
  if (present) return entry => valuesAt(dataOf(entry), path).length > 0;
  const number = parseNumber(plainText(value) ?? '');
  const matches = matchText(comparison);
  const holds = operator === ':' ? undefined : ordered(comparison);
  return entry =>
    valuesAt(dataOf(entry), path).some(found =>
      typeof found === 'number' && number !== undefined && holds
        ? holds(Math.sign(found - number))
        : matches(String(found)),
    );
}

/** Parsed once for all who ask. */
const parsedData = new WeakMap<JournalEntry, unknown>();

export function dataOf(entry: JournalEntry): unknown {
  const known = parsedData.get(entry);
  if (known !== undefined) return known;
  const data: unknown = JSON.parse(entry.data);
  parsedData.set(entry, data);
  return data;
}

/** The value at a path, as a list: of a list its items, of nothing none. */
function valuesAt(data: unknown, path: readonly string[]): readonly unknown[] {
  let value = data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  return typeof value === 'object' ? [JSON.stringify(value)] : [value];
}

/** Without regard to case; `=` with * is a pattern, `:` finds a part. */
function matchText({operator, value}: Comparison): (text: string) => boolean {
  if (operator === ':') return contains(value);
  const plain = plainText(value)?.toLowerCase();
  if (plain !== undefined) {
    const holds = ordered({operator});
    return text => {
      const lower = text.toLowerCase();
      return holds(lower === plain ? 0 : lower < plain ? -1 : 1);
    };
  }
  if (operator !== '=' && operator !== '!=')
    throw new FilterError(`"${shown(value)}" takes no * with ${operator}`, 0);
  const pattern = wildcards(value);
  return operator === '=' ? text => pattern(text) : text => !pattern(text);
}

const contains = (value: Value) => wildcards(['', ...value, '']);

/** The texts in this order, the first and last at the ends; time grows with the length, which no regular expression promises. */
function wildcards(value: Value): (text: string) => boolean {
  const parts = value.map(text => text.toLowerCase());
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1);
  return text => {
    const lower = text.toLowerCase();
    const end = lower.length - last.length;
    if (!lower.startsWith(first) || !lower.endsWith(last) || end < first.length) return false;
    let at = first.length;
    for (const part of middle) {
      const found = lower.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** What the operator says of the sign of "found − wanted". */
function ordered({operator}: Pick<Comparison, 'operator'>): (sign: number) => boolean {
  const tests = {
    '=': (sign: number) => sign === 0,
    ':': (sign: number) => sign === 0,
    '!=': (sign: number) => sign !== 0,
    '<': (sign: number) => sign < 0,
    '<=': (sign: number) => sign <= 0,
    '>': (sign: number) => sign > 0,
    '>=': (sign: number) => sign >= 0,
  };
  return tests[operator];
}

const misfit = ({path, value, offset}: Comparison, expected: string) =>
  new FilterError(
    `"${path.join('.')}" is compared with ${expected}, not "${shown(value)}"`,
    offset,
  );

const unknownField = ({path, offset}: Comparison) =>
  new FilterError(
    `events have no field "${path.join('.').slice(0, 64)}": there is type, actor, subject, machine_id, time, position and data.<name>`,
    offset,
  );
