/** The end of a chain: what comes next has the next position, and its hash is over this one. */
export type ChainHead = {readonly position: number; readonly hash: Buffer};

/** Continues a chain: consecutive positions after `head`, each with its hash. */
export function chain<Entry extends {readonly id: string}>(
  head: ChainHead,
  entries: readonly Entry[],
  hashOf: (previous: Buffer, entry: Entry & {readonly position: number}) => Buffer,
): readonly (ChainHead & {readonly id: string})[] {
  let last = head;
  return entries.map(entry => {
    const position = last.position + 1;
    last = {position, hash: hashOf(last.hash, {...entry, position})};
    return {id: entry.id, ...last};
  });
}
