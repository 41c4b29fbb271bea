import type {Sql} from '../store/db.ts';
import {findJournalHead, type JournalEntry, listEntries} from '../store/journal.ts';
import type {WakeUps} from '../wake-ups.ts';
import {concealIn} from './concealed.ts';

const pageSizeDefault = 100;
const readMax = 200;

export type EventFilter = {
  readonly machineId?: string | undefined;
  readonly typePrefix?: string | undefined;
};

export type Events = ReturnType<typeof createEvents>;

export function createEvents({sql, positions}: {readonly sql: Sql; readonly positions: WakeUps}) {
  return {
    /** Oldest first, after a position. `pageSize` 0 is 100. */
    list: (range: EventFilter & {readonly after: number; readonly pageSize: number}) =>
      read({...range, limit: range.pageSize || pageSizeDefault}),

    /**
     * Replays from the table and then follows; undefined `after` is "only new ones". Ends with the signal. Each reader reads the table at its own
     * pace, so a slow one holds nobody back and nothing is kept for it.
     */
    async *watch(
      {after, ...filter}: EventFilter & {readonly after: number | undefined},
      signal: AbortSignal,
    ): AsyncGenerator<JournalEntry> {
      let last = after ?? (await headPosition());
      while (!signal.aborted) {
        const seen = positions.version;
        const upTo = await headPosition();
        const entries = await read({...filter, after: last, upTo, limit: readMax});
        for (const entry of entries) {
          last = entry.position;
          yield entry;
        }
        if (entries.length === readMax) continue;
        // Nothing else up to here passes the filter: it is not read again.
        last = Math.max(last, upTo);
        await positions.after(seen, signal);
      }
    },
  };

  async function read(range: Parameters<typeof listEntries>[1]): Promise<readonly JournalEntry[]> {
    return concealIn(sql, await listEntries(sql, range), ['data', 'actor']);
  }

  async function headPosition(): Promise<number> {
    return (await findJournalHead(sql))?.position ?? 0;
  }
}
