import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {
  findJournalHead,
  findOldestPosition,
  type JournalEntry,
  listEntries,
} from '../store/journal.ts';
import {listMerged} from '../store/merge-machines.ts';
import {seesEverything} from '../store/scope.ts';
import type {WakeUps} from '../wake-ups.ts';
import {concealIn} from './concealed.ts';
import type {Deps} from './deps.ts';
import {type EventFeed, type FeedBatch, type FeedRange, toItem} from './event-feed.ts';
import {compileEventFilter, type EventFilter} from './event-filter.ts';

const pageSizeDefault = 100;
const readMax = 200;

type WatchedEvents = Omit<EventFilter, 'machineIds'> & {
  readonly machineId?: string | undefined;
  readonly after: number | undefined;
};

export type Events = ReturnType<typeof createEvents>;

export function createEvents({
  sql,
  now,
  positions,
  feed,
}: Pick<Deps, 'now'> & {
  readonly sql: Sql;
  readonly positions: WakeUps;
  readonly feed: EventFeed;
}) {
  async function read(range: Parameters<typeof listEntries>[1]): Promise<readonly JournalEntry[]> {
    return concealIn(sql, await listEntries(sql, range), ['data', 'actor']);
  }

  const headPosition = async () => (await findJournalHead(sql))?.position ?? 0;

  /** What all who see everything share. Roles come and go while a stream is open. */
  async function* watchAll(range: FeedRange, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    for await (const batch of feed.read(range, signal)) {
      if (!seesEverything())
        throw new DomainError('aborted', 'Cannot go on: your roles have changed; watch again');
      yield batch;
    }
  }

  /** From the table at the reader's own pace: what others see is not theirs. The filter sees what the reader may. */
  async function* watchOwn(range: FeedRange, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    const {after, test, machineId, typePrefix} = range;
    let last = after ?? (await headPosition());
    if (after === undefined) yield [{position: last}];
    while (!signal.aborted) {
      const seen = positions.version;
      const upTo = await headPosition();
      const entries = await read({after: last, upTo, machineId, typePrefix, limit: readMax});
      const items = entries.filter(test).map(toItem);
      if (items.length > 0) yield items;
      last = entries.at(-1)?.position ?? last;
      if (entries.length === readMax) continue;
      // Nothing else up to here passes the filter: it is not read again.
      last = Math.max(last, upTo);
      await positions.after(seen, signal);
    }
  }

  return {
    /** Oldest first, after a position. `pageSize` 0 is 100. Throws failed_precondition when the journal begins later by now. */
    async list(range: {
      readonly after: number;
      readonly machineId: string | undefined;
      readonly pageSize: number;
    }) {
      const {after, machineId, pageSize} = range;
      const oldest = after > 0 ? await findOldestPosition(sql) : undefined;
      if (oldest !== undefined && after + 1 < oldest) throw expired(after, oldest);
      return read({after, machineId, limit: pageSize || pageSizeDefault});
    },

    /** Replays, then follows; undefined `after` is "only new ones". Ends with the signal. Throws invalid_argument at once. */
    async *watch(
      {after, machineId, ...wanted}: WatchedEvents,
      signal: AbortSignal,
    ): AsyncGenerator<FeedBatch> {
      // What records told that went into this machine's is its history, too.
      const machineIds = machineId && new Set([machineId, ...(await listMerged(sql, machineId))]);
      const test = compileEventFilter({...wanted, ...(machineIds && {machineIds})}, now());
      const range = {after, machineId, typePrefix: wanted.typePrefix, test};
      yield* seesEverything() ? watchAll(range, signal) : watchOwn(range, signal);
    },
  };
}

function expired(after: number, oldest: number): DomainError {
  return new DomainError(
    'failed_precondition',
    `Cannot list events after ${after}: the journal begins at ${oldest} now; list what you keep again, then go on after ${oldest - 1}`,
    {reason: 'POSITION_EXPIRED'},
  );
}
