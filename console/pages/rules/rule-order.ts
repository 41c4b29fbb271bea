import type {Rule} from '@muster/proto/gen/muster/v1/rules_pb.ts';

type Ranked = Pick<Rule, 'id' | 'priority'>;

/** Room for rules in between. */
const gap = 10;

/**
 * New priorities, so that the rule stands elsewhere and all others as they stood. Mostly it is one; where there is no room, those above
 * are raised, as few as possible. The topmost comes first: in that order no two rules change places on the way.
 */
export function prioritiesAfterMove(
  rules: readonly Ranked[],
  from: number,
  to: number,
): readonly Ranked[] {
  const moved = rules[from];
  if (!moved || from === to || to < 0 || to >= rules.length) return [];
  const order = rules.toSpliced(from, 1).toSpliced(to, 0, moved);
  const priorities = order.map(({priority}) => priority);
  const above = priorities[to - 1];
  const below = priorities[to + 1];
  if (below === undefined) priorities[to] = (above ?? 0) - gap;
  else if (above === undefined) priorities[to] = below + gap;
  else priorities[to] = Math.max(below + 1, Math.floor((above + below) / 2));
  for (let index = to - 1; index >= 0; index -= 1) {
    const next = priorities[index + 1] ?? 0;
    if ((priorities[index] ?? 0) > next) break;
    priorities[index] = next + 1;
  }
  return order.flatMap(({id, priority}, index) => {
    const wanted = priorities[index] ?? priority;
    return wanted === priority ? [] : [{id, priority: wanted}];
  });
}
