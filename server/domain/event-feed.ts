import {outsideCalls} from '../audited-call.ts';
import type {Sql} from '../store/db.ts';
import {
  findJournalHead,
  findOldestPosition,
  type JournalEntry,
  listEntries,
} from '../store/journal.ts';
import type {WakeUps} from '../wake-ups.ts';
import type {EventTest} from './event-filter.ts';

/** How far a reader may be behind the newest event before it is told that it missed some. */
export const feedEventsMax = 4096;
const readMax = 500;
/** What one reader gets at a time, so that its next look at what it missed is not far. */
const batchMax = 100;

/** What a reader gets: an event, or that it missed some (both inclusive), or only where it stands. `position` is what to go on after. */
export type FeedItem = {
  readonly position: number;
  readonly entry?: JournalEntry;
  readonly missed?: {readonly from: number; readonly to: number};
};

/** What there is for a reader now, in order; never empty. */
export type FeedBatch = readonly FeedItem[];

export type EventFeed = ReturnType<typeof createEventFeed>;

export type FeedRange = {
  /** Undefined is "only new ones". */
  readonly after: number | undefined;
  readonly test: EventTest;
  /** What the database may leave out of the past already. */
  readonly machineId?: string | undefined;
  readonly typePrefix?: string | undefined;
};

/**
 * The newest events, read from the table once for all readers and kept in one list that all share: an entry is the same object for everybody. A
 * reader is a position in that list, so a slow one costs nothing; one that falls off its end is told what it missed.
 */
export function createEventFeed({
  sql,
  positions,
  eventsMax = feedEventsMax,
}: {
  readonly sql: Sql;
  readonly positions: WakeUps;
  readonly eventsMax?: number;
}) {
  /** Without gap, up to `head`; undefined while nobody reads. */
  let recent: {entries: JournalEntry[]; head: number} | undefined;
  let readers = 0;
  /** The version of the wake-ups before the last read began: whatever was told until then has been looked for. */
  let readVersion = -1;
  let reading: Promise<void> | undefined;

  async function readOn(): Promise<void> {
    const version = positions.version;
    recent ??= {entries: [], head: (await findJournalHead(sql))?.position ?? 0};
    const {head} = recent;
    // For everybody, whatever the reader may see that happens to ask.
    const found = await outsideCalls(() => listEntries(sql, {after: head, limit: readMax}));
    recent.entries.push(...found);
    if (recent.entries.length > eventsMax)
      recent.entries.splice(0, recent.entries.length - eventsMax);
    recent.head = found.at(-1)?.position ?? recent.head;
    // A full page has more behind it.
    if (found.length < readMax) readVersion = version;
  }

  /** One read at a time, for everybody who waits. */
  const advance = () =>
    (reading ??= readOn().finally(() => {
      reading = undefined;
    }));

  /** After which position the shared list begins. */
  const start = () => (recent ? recent.head - recent.entries.length : Number.MAX_SAFE_INTEGER);

  const recentAfter = (position: number): readonly JournalEntry[] => {
    const first = Math.max(0, position - start());
    return recent?.entries.slice(first, first + batchMax) ?? [];
  };

  /** The past, from the table at the reader's own pace, until the shared list has the rest. */
  async function* replay(
    range: FeedRange & {readonly after: number},
  ): AsyncGenerator<FeedBatch, number> {
    let last = range.after;
    const oldest = await findOldestPosition(sql);
    if (oldest !== undefined && last + 1 < oldest) {
      yield [{missed: {from: last + 1, to: oldest - 1}, position: oldest - 1}];
      last = oldest - 1;
    }
    while (last < start()) {
      const upTo = recent?.head ?? 0;
      const {machineId, typePrefix} = range;
      const wanted = {after: last, upTo, machineId, typePrefix, limit: readMax};
      const entries = await listEntries(sql, wanted);
      const items = entries.filter(range.test).map(toItem);
      if (items.length > 0) yield items;
      last = entries.at(-1)?.position ?? last;
      // Nothing else up to there passes: it is not read again.
      if (entries.length < readMax) last = upTo;
    }
    return last;
  }

  async function* follow(
    {test}: Pick<FeedRange, 'test'>,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<FeedBatch> {
    let last = after;
    while (!signal.aborted) {
      const seen = positions.version;
      if (recent && last < start()) {
        const {head} = recent;
        yield [{missed: {from: last + 1, to: head}, position: head}];
        last = head;
        continue;
      }
      const entries = recentAfter(last);
      last = entries.at(-1)?.position ?? last;
      const items = entries.filter(test).map(toItem);
      if (items.length > 0) yield items;
      if (recent && last < recent.head) continue;
      if (readVersion < seen) await advance();
      else await positions.after(seen, signal);
    }
  }

  return {
    async *read(range: FeedRange, signal: AbortSignal): AsyncGenerator<FeedBatch> {
      readers += 1;
      try {
        const head = (await findJournalHead(sql))?.position ?? 0;
        await advance();
        const {after} = range;
        // Whoever wants only new ones could not go on after a break before the first of them came.
        if (after === undefined) yield [{position: head}];
        yield* follow(range, after === undefined ? head : yield* replay({...range, after}), signal);
      } finally {
        readers -= 1;
        // What is not followed would be old when the next reader comes.
        if (readers === 0) {
          recent = undefined;
          readVersion = -1;
        }
      }
    },
  };
}

export const toItem = (entry: JournalEntry): FeedItem => ({entry, position: entry.position});
