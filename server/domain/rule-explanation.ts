import {type Comparison, type Filter, printFilter} from '../filter/syntax.ts';

/** A comparison or a word of a condition. */
export type Leaf = Extract<Filter, {readonly kind: 'text'}> | Comparison;

export type ExplainedPart = {
  readonly text: string;
  readonly met: boolean;
  readonly actual: string;
};

export function leavesOf(filter: Filter | undefined): readonly Leaf[] {
  if (!filter) return [];
  if (filter.kind === 'and' || filter.kind === 'or') return filter.parts.flatMap(leavesOf);
  return filter.kind === 'not' ? leavesOf(filter.part) : [filter];
}

/** Whether the condition holds, when it is known of each leaf. Everything is met or not: what is not known is not met. */
export function isMet(filter: Filter | undefined, met: (leaf: Leaf) => boolean): boolean {
  if (!filter) return true;
  if (filter.kind === 'and') return filter.parts.every(part => isMet(part, met));
  if (filter.kind === 'or') return filter.parts.some(part => isMet(part, met));
  return filter.kind === 'not' ? !isMet(filter.part, met) : met(filter);
}

/** The leaves that made the whole what it is: of AND those that failed, of OR those that held; each with what stands in a NOT turned around. */
export function decidingLeaves(
  filter: Filter | undefined,
  met: (leaf: Leaf) => boolean,
): readonly Leaf[] {
  if (!filter) return [];
  if (filter.kind === 'not') return decidingLeaves(filter.part, met);
  if (filter.kind !== 'and' && filter.kind !== 'or') return [filter];
  const whole = isMet(filter, met);
  return filter.parts
    .filter(part => isMet(part, met) === whole)
    .flatMap(part => decidingLeaves(part, met));
}

/** In one sentence. */
export function explain(matched: boolean, parts: readonly ExplainedPart[]): string {
  if (parts.length === 0) return 'It matches every machine';
  const said = parts.map(({text, met, actual}) => {
    const value = actual === '' ? 'nothing there' : `"${actual}"`;
    return met ? `${text} holds (${value})` : `${text} does not hold (the machine has ${value})`;
  });
  return `It ${matched ? 'matches' : 'does not match'}: ${said.join('; ')}`;
}

export const textOf = (leaf: Leaf): string => printFilter(leaf);

/** For people: names without the quotes that they do not need. */
export const shownLeaf = (leaf: Leaf): string => {
  const text = printFilter(leaf);
  if (leaf.kind === 'text') return text;
  const [start, ...rest] = text.split(` ${leaf.operator} `);
  return [start?.replaceAll(/\."([A-Za-z0-9_]+)"/g, '.$1'), ...rest].join(` ${leaf.operator} `);
};
