import type {Candidate, EvidenceItem} from './identity.ts';

/** Machines that a list of others may be, by what they have in common; the same that PostgreSQL would name of those that it has. */
export function createCandidates(known: readonly Candidate[], candidatesMax: number) {
  const byItem = new Map<string, Candidate[]>();
  const keyOf = ({kind, value}: EvidenceItem) => `${kind} ${value}`;

  function add(candidate: Candidate): void {
    for (const key of new Set(candidate.evidence.map(keyOf))) {
      const sharing = byItem.get(key);
      if (sharing) sharing.push(candidate);
      else byItem.set(key, [candidate]);
    }
  }

  for (const candidate of known) add(candidate);
  return {
    add,

    /** Those that share most values first, then by id. */
    of(items: readonly EvidenceItem[]): readonly Candidate[] {
      const counts = new Map<Candidate, number>();
      for (const key of new Set(items.map(keyOf)))
        for (const candidate of byItem.get(key) ?? [])
          counts.set(candidate, (counts.get(candidate) ?? 0) + 1);
      return [...counts]
        .sort(([a, countA], [b, countB]) => countB - countA || (a.machineId < b.machineId ? -1 : 1))
        .slice(0, candidatesMax)
        .map(([candidate]) => candidate);
    },
  };
}
