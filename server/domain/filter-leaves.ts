import type {Filter} from '../filter/syntax.ts';

/** Of every `group = "name"` in it. */
export function namesOfGroups(filter: Filter | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  visit(filter, leaf => {
    if (leaf.kind === 'compare' && leaf.path[0] === 'group') names.add(leaf.value.join('*'));
  });
  return names;
}

/** Words are looked for everywhere. */
export function hasWords(filter: Filter | undefined): boolean {
  let found = false;
  visit(filter, leaf => (found ||= leaf.kind === 'text'));
  return found;
}

function visit(filter: Filter | undefined, see: (leaf: Filter) => void): void {
  if (!filter) return;
  if (filter.kind === 'and' || filter.kind === 'or')
    for (const inner of filter.parts) visit(inner, see);
  else if (filter.kind === 'not') visit(filter.part, see);
  else see(filter);
}
