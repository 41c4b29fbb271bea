/**
 * The filter language (AIP-160), as a tree. Canonical: `and` and `or` have two or more parts, none of their own kind; `text` and values are
 * cut at their wildcards, so one part is a plain text.
 */
export type Filter =
  | {readonly kind: 'and'; readonly parts: readonly Filter[]}
  | {readonly kind: 'or'; readonly parts: readonly Filter[]}
  | {readonly kind: 'not'; readonly part: Filter}
  | {readonly kind: 'text'; readonly value: Value; readonly offset: number}
  | Comparison;

export type Comparison = {
  readonly kind: 'compare';
  /** `labels.rack` is ["labels", "rack"]. */
  readonly path: readonly string[];
  readonly operator: Operator;
  readonly value: Value;
  readonly offset: number;
};

export const operators = ['<=', '>=', '!=', '<', '>', '=', ':'] as const;
export type Operator = (typeof operators)[number];

/** The texts between the `*`: "web*" is ["web", ""]. */
export type Value = readonly string[];

export const filterLengthMax = 4096;
export const filterDepthMax = 16;
export const filterTermsMax = 64;

/** What is wrong with a filter, and at which character, counted from 0. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(problem);
    this.offset = offset;
  }
}

/** A text that parses to the same tree. */
export function printFilter(filter: Filter): string {
  if (filter.kind === 'and') return filter.parts.map(printFactor).join(' AND ');
  if (filter.kind === 'or') return filter.parts.map(printTerm).join(' OR ');
  if (filter.kind === 'not') return `NOT ${printSimple(filter.part)}`;
  if (filter.kind === 'text') return quote(filter.value);
  return `${printPath(filter.path)} ${filter.operator} ${quote(filter.value)}`;
}

/** A part of AND. */
const printFactor = (filter: Filter) =>
  filter.kind === 'and' ? `(${printFilter(filter)})` : printFilter(filter);

/** A part of OR: AND binds less tightly. */
const printTerm = (filter: Filter) =>
  filter.kind === 'and' || filter.kind === 'or' ? `(${printFilter(filter)})` : printFilter(filter);

const printSimple = (filter: Filter) =>
  filter.kind === 'text' || filter.kind === 'compare'
    ? printFilter(filter)
    : `(${printFilter(filter)})`;

const printPath = ([first = '', ...rest]: readonly string[]) =>
  [first, ...rest.map(name => quote([name]))].join('.');

const quote = (value: Value) =>
  `"${value.map(part => part.replaceAll(/["\\*]/g, String.raw`\$&`)).join('*')}"`;

/** The plain text, or undefined when there are wildcards. */
export const plainText = (value: Value): string | undefined =>
  value.length === 1 ? value[0] : undefined;

/** As somebody would write it. */
export const shown = (value: Value): string => value.join('*').slice(0, 64);
