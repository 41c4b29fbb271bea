/** Closed ranges of sequence numbers, ascending, neither touching nor overlapping. */
export type SequenceRanges = readonly (readonly [first: number, last: number])[];

/** An agent has eight batches under way at most; a script that publishes faster is still counted right while so many of its messages are. */
const rangesMax = 512;

/**
 * The ranges with these numbers more, both ends included; undefined when any of them is in them already. With more than 512 ranges the oldest gap is
 * given up: what would have filled it counts as received.
 */
export function addSequences(
  ranges: SequenceRanges,
  first: number,
  last: number = first,
): SequenceRanges | undefined {
  let at = ranges.length;
  while (at > 0 && (ranges[at - 1]?.[0] ?? 0) > last) at -= 1;
  const before = ranges[at - 1];
  const after = ranges[at];
  if (before && first <= before[1]) return undefined;

  const joinsBefore = before !== undefined && before[1] === first - 1;
  const joinsAfter = after !== undefined && after[0] === last + 1;
  const merged = [joinsBefore ? before[0] : first, joinsAfter ? after[1] : last] as const;
  const added = [
    ...ranges.slice(0, joinsBefore ? at - 1 : at),
    merged,
    ...ranges.slice(joinsAfter ? at + 1 : at),
  ];
  const [oldest, next, ...rest] = added;
  return added.length > rangesMax && oldest && next ? [[oldest[0], next[1]], ...rest] : added;
}
