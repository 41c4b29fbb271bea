import {countOf, holds, type MachineRecord, sampleOf} from './ledger.ts';

/** What a comparison of the ledger with the server's samples found. */
export type Verdict = {
  readonly machines: number;
  readonly made: number;
  readonly receipted: number;
  readonly stored: number;
  /** Receipted by the server, and not there. */
  readonly lost: number;
  /** There more than once. */
  readonly twice: number;
  /** Of these sessions, and never taken. */
  readonly invented: number;
  /** There, but no receipt of them arrived: no fault. */
  readonly unreceipted: number;
  /** The first machines with a fault, in words. */
  readonly problems: readonly string[];
};

export const emptyVerdict: Verdict = {
  machines: 0,
  made: 0,
  receipted: 0,
  stored: 0,
  lost: 0,
  twice: 0,
  invented: 0,
  unreceipted: 0,
  problems: [],
};

const problemsMax = 20;

export const isSound = ({lost, twice, invented}: Verdict): boolean => lost + twice + invented === 0;

/** With this machine too: `sentBytes` are the counters of every sample that the server gives for it. */
export function judgeMachine(
  verdict: Verdict,
  machine: MachineRecord,
  sentBytes: readonly number[],
): Verdict {
  const times = new Map<number, Map<number, number>>();
  for (const {block} of machine.sessions) times.set(block, new Map());
  for (const value of sentBytes) {
    const {block, sequence} = sampleOf(value);
    // Of an earlier run, or somebody else's.
    const session = times.get(block);
    if (session) session.set(sequence, (session.get(sequence) ?? 0) + 1);
  }

  const found = {made: 0, receipted: 0, stored: 0, lost: 0, twice: 0, invented: 0, unreceipted: 0};
  for (const session of machine.sessions) {
    const stored = times.get(session.block) ?? new Map<number, number>();
    const receipted = countOf(session.receipted);
    let confirmed = 0;
    for (const [sequence, count] of stored) {
      if (count > 1) found.twice++;
      if (sequence < 1 || sequence > session.sentThrough) found.invented++;
      else if (holds(session.receipted, sequence)) confirmed++;
      else found.unreceipted++;
    }
    found.made += session.made;
    found.receipted += receipted;
    found.stored += stored.size;
    found.lost += receipted - confirmed;
  }
  const {lost, twice, invented} = found;
  const isFaulty = lost + twice + invented > 0 && verdict.problems.length < problemsMax;
  return {
    machines: verdict.machines + 1,
    made: verdict.made + found.made,
    receipted: verdict.receipted + found.receipted,
    stored: verdict.stored + found.stored,
    lost: verdict.lost + lost,
    twice: verdict.twice + twice,
    invented: verdict.invented + invented,
    unreceipted: verdict.unreceipted + found.unreceipted,
    problems: isFaulty
      ? [
          ...verdict.problems,
          `${machine.serial} (${machine.machineId}): ${lost} lost, ${twice} stored more than once, ${invented} never sent`,
        ]
      : verdict.problems,
  };
}
