import {
  type Comparison,
  FilterError,
  type Operator,
  plainText,
  type Value,
} from '../filter/syntax.ts';

/** For LIKE, against a text in lower case. */
export const like = (value: Value): string =>
  value.map(text => text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)).join('%');

export const contains = (value: Value): string => `%${like(value)}%`;

/** `field:*` */
export const isPresence = ({operator, value}: Comparison): boolean =>
  operator === ':' && value.length > 1 && value.every(text => text === '');

/** A MAC address, or the beginning of one, however it is written: as it is kept. Undefined when it is none. */
export function macText(word: string): string | undefined {
  const digits = word.replaceAll(/[-:.]/g, '').toLowerCase();
  const whole = /^[0-9a-f]{12}$/.test(digits);
  const pairs = /^[0-9a-f]{2}([-:][0-9a-f]{2}){1,5}$/i.test(word);
  if (!whole && !pairs) return undefined;
  return digits.replaceAll(/..(?!$)/g, '$&:');
}

export function needOperator(comparison: Comparison, allowed: readonly Operator[]): void {
  const {operator, path, offset} = comparison;
  if (allowed.includes(operator)) return;
  const known = [...allowed, ...(allowed.includes('=') ? ['!='] : [])];
  throw new FilterError(
    `"${path.join('.')}" cannot be compared by ${operator}: use ${known.join(' ')}`,
    offset,
  );
}

export const plainOrFail = (comparison: Comparison): string => {
  const text = plainText(comparison.value);
  if (text !== undefined) return text;
  throw new FilterError(
    `"${comparison.path.join('.')}" takes no * with ${comparison.operator}`,
    comparison.offset,
  );
};
