/** Binary operators by how strongly they bind; those of a level in `single` do not follow each other. */
export const levels: Readonly<Record<string, number>> = {
  '->': 1,
  '||': 2,
  '&&': 3,
  '==': 4,
  '!=': 4,
  '<': 5,
  '>': 5,
  '<=': 5,
  '>=': 5,
  '//': 6,
  '+': 8,
  '-': 8,
  '*': 9,
  '/': 9,
  '++': 10,
  '?': 11,
};
export const single: ReadonlySet<number> = new Set([4, 5, 11]);
export const notLevel = 7;
export const negateLevel = 12;
