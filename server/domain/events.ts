import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {findOldestPosition, listEntries} from '../store/journal.ts';
import type {Deps} from './deps.ts';
import type {EventFeed, FeedBatch} from './event-feed.ts';
import {compileEventFilter, type EventFilter} from './event-filter.ts';

const pageSizeDefault = 100;

export type Events = ReturnType<typeof createEvents>;

export function createEvents({
  sql,
  now,
  feed,
}: Pick<Deps, 'now'> & {readonly sql: Sql; readonly feed: EventFeed}) {
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
      return listEntries(sql, {after, machineId, limit: pageSize || pageSizeDefault});
    },

    /** Replays, then follows; undefined `after` is "only new ones". Ends with the signal. Throws invalid_argument at once. */
    watch(
      {after, ...wanted}: EventFilter & {readonly after: number | undefined},
      signal: AbortSignal,
    ): AsyncGenerator<FeedBatch> {
      const test = compileEventFilter(wanted, now());
      const {machineId, typePrefix} = wanted;
      return feed.read({after, machineId, typePrefix, test}, signal);
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
