/**
 * Who sent what: each sample carries its own number, hidden in the counter of sent bytes, so that any server which keeps samples can be asked
 * later whether it has each exactly once. A session takes a block of numbers; the count of bytes grows by `bytesPerSample` a sample.
 */
const bytesPerSample = 100;
export const samplesPerSessionMax = 100_000;
const sessionBytes = bytesPerSample * samplesPerSessionMax;
/** Sessions are named by the second in which they began, counted from here: 28 years fit into a whole number of JavaScript. */
const epochMs = Date.UTC(2026, 0, 1);

/** First and last sequence number, both included; ascending, without overlaps. */
export type Ranges = readonly (readonly [first: number, last: number])[];

/** One run of an agent, from its first sample on. */
export type SessionRecord = {
  readonly id: string;
  /** Its block of numbers. */
  readonly block: number;
  /** Samples that were taken. */
  made: number;
  /** The last sequence number that was ever sent. */
  sentThrough: number;
  /** What the server has said it stored. */
  receipted: Ranges;
};

export type MachineRecord = {
  readonly machineId: string;
  readonly serial: string;
  readonly sessions: readonly SessionRecord[];
};

/** The sessions of one simulated machine. */
export function createSessionBook(now: () => number = Date.now) {
  const sessions: SessionRecord[] = [];
  return {
    sessions: sessions as readonly SessionRecord[],
    begin(id: string): SessionRecord {
      const second = Math.floor((now() - epochMs) / 1000);
      const before = sessions.at(-1)?.block ?? -1;
      const session = {
        id,
        block: Math.max(second, before + 1),
        made: 0,
        sentThrough: 0,
        receipted: [],
      };
      sessions.push(session);
      return session;
    },
  };
}

/** What the counter of sent bytes says in this sample. `noise` is from 0 up to 1. */
export function sentBytesOf(session: SessionRecord, sequence: number, noise: number): number {
  const below = Math.floor(noise * bytesPerSample);
  return session.block * sessionBytes + sequence * bytesPerSample + below;
}

/** Which sample this is. */
export function sampleOf(sentBytes: number): {
  readonly block: number;
  readonly sequence: number;
} {
  const block = Math.floor(sentBytes / sessionBytes);
  return {block, sequence: Math.floor((sentBytes - block * sessionBytes) / bytesPerSample)};
}

/** With these numbers too. They come in order, but for what a full buffer dropped. */
export function addRange(ranges: Ranges, first: number, last: number): Ranges {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges, [first, last] as const].sort(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before && from <= before[1] + 1) before[1] = Math.max(before[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export const countOf = (ranges: Ranges): number =>
  ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

export const holds = (ranges: Ranges, number: number): boolean =>
  ranges.some(([first, last]) => number >= first && number <= last);
