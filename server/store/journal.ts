import postgres from 'postgres';
import type {Database, Sql} from './db.ts';
import {placeInChain} from './hash-chain.ts';
import {listMerged} from './merge-machines.ts';
import {seesEverything, sinceAssigned, workspaceSubjects} from './scope.ts';

// Any constant that nobody else locks.
const relayLockKey = 0x6d_75_73_75;

/** A journal entry as it is hashed and published. `data` is PostgreSQL's own text of the jsonb value: the same value has one text. */
export type JournalEntry = {
  readonly id: string;
  readonly position: number;
  readonly time: Date;
  readonly type: string;
  readonly actor: string;
  readonly machineId: string | undefined;
  readonly subject: string;
  readonly data: string;
};

export type UnplacedEntry = Omit<JournalEntry, 'position'>;

/** The end of the chain. */
export type JournalHead = {readonly position: number; readonly hash: Buffer};

type Row = Omit<JournalEntry, 'position' | 'machineId'> & {
  readonly position: string;
  readonly machineId: string | null;
};

/**
 * One connection of its own for the relay: a session lock lives as long as its connection. Not `sql.reserve()`: a reserved connection that is
 * lost while idle throws outside of any promise when it is used again. And a new client after each failure: one that is given a query between
 * the loss of its connection and the close event never sends its next start-up message (both postgres.js 3.4.9).
 */
export function createRelaySession(sql: Database) {
  let client: Database | undefined;
  const end = async (timeoutSeconds: number) => {
    const ended = client;
    client = undefined;
    // Whatever it was about to do has failed already, and its caller was told.
    await ended?.end({timeout: timeoutSeconds}).catch(() => undefined);
  };
  return {
    async run<T>(work: (session: Database) => Promise<T>): Promise<T> {
      client ??= postgres({
        ...sql.options,
        max: 1,
        idle_timeout: null,
        max_lifetime: null,
      } as never);
      try {
        return await work(client);
      } catch (error) {
        void end(0);
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => end(5),
  };
}

export type RelaySession = ReturnType<typeof createRelaySession>;

/** Whether this session is the relay. Asked before each step: a lost connection has lost the lock, and the next one has to win it again. */
export async function holdRelayLock(session: Sql): Promise<boolean> {
  const [row] = await session<{held: boolean}[]>`
    select case
      when exists (
        select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted and objid = ${relayLockKey}
      ) then true
      else pg_try_advisory_lock(0, ${relayLockKey})
    end as held
  `;
  return row?.held ?? false;
}

export async function findJournalHead(sql: Sql): Promise<JournalHead | undefined> {
  const [row] = await sql<{position: string; hash: Buffer}[]>`
    select position, hash from events where position is not null order by position desc limit 1
  `;
  return row && {position: Number(row.position), hash: row.hash};
}

/** Before it the journal has been cut off; undefined while it is empty. */
export async function findOldestPosition(sql: Sql): Promise<number | undefined> {
  const [row] = await sql<
    {position: string | null}[]
  >`select min(position) as position from events`;
  return row?.position == null ? undefined : Number(row.position);
}

/** Committed rows without a position, in the order in which they were written. */
export async function listUnplaced(sql: Sql, limit: number): Promise<readonly UnplacedEntry[]> {
  const rows = await sql<Omit<Row, 'position'>[]>`
    select id, time, type, actor, machine_id, subject, data::text as data from events
    where position is null order by sequence limit ${limit}
  `;
  return rows.map(row => ({...row, machineId: row.machineId ?? undefined}));
}

/** Wakes whoever follows the journal when the transaction commits. */
export async function placeEntries(
  sql: Sql,
  entries: readonly {readonly id: string; readonly position: number; readonly hash: Buffer}[],
): Promise<void> {
  await placeInChain(sql, 'events', entries);
  await sql`select pg_notify('positions', '')`;
}

export async function listUnpublished(sql: Sql, limit: number): Promise<readonly JournalEntry[]> {
  const rows = await sql<Row[]>`
    select id, position, time, type, actor, machine_id, subject, data::text as data from events
    where not published and position is not null order by position limit ${limit}
  `;
  return rows.map(toEntry);
}

/** Everything up to and including this position. */
export async function markPublished(sql: Sql, position: number): Promise<void> {
  await sql`update events set published = true where not published and position <= ${position}`;
}

/** Oldest first. `upTo` is inclusive. */
export async function listEntries(
  sql: Sql,
  range: {
    readonly after: number;
    readonly upTo?: number;
    readonly machineId?: string | undefined;
    readonly typePrefix?: string | undefined;
    readonly limit: number;
  },
): Promise<readonly JournalEntry[]> {
  const {after, upTo, machineId, typePrefix, limit} = range;
  // What records told that went into this machine's is its history, too.
  const machineIds =
    machineId === undefined ? [] : [machineId, ...(await listMerged(sql, machineId))];
  const rows = await sql<Row[]>`
    select id, position, time, type, actor, machine_id, subject, data::text as data from events
    where position > ${after}
      and ${upTo === undefined ? sql`true` : sql`position <= ${upTo}`}
      and ${machineId === undefined ? sql`true` : sql`machine_id = any(${machineIds}::uuid[])`}
      and ${typePrefix === undefined ? sql`true` : sql`starts_with(type, ${typePrefix})`}
      and ${inScope(sql)}
    order by position limit ${limit}
  `;
  return rows.map(toEntry);
}

/** What happened to the caller's machines while they were theirs, and to their workspaces; groups are the whole site's. */
const inScope = (sql: Sql) =>
  seesEverything()
    ? sql`true`
    : sql`case
        when starts_with(subject, 'workspaces/') then subject = any(${workspaceSubjects()}::text[])
        when starts_with(subject, 'groups/') then false
        else ${sinceAssigned(sql, sql`events.machine_id`, sql`events.time`)}
      end`;

/** For the audit of the chain: hashes from a position on, oldest first. */
export async function listHashes(
  sql: Sql,
  after: number,
  limit: number,
): Promise<readonly {readonly position: number; readonly hash: Buffer}[]> {
  const rows = await sql<{position: string; hash: Buffer}[]>`
    select position, hash from events where position > ${after} order by position limit ${limit}
  `;
  return rows.map(row => ({position: Number(row.position), hash: row.hash}));
}

function toEntry(row: Row): JournalEntry {
  return {...row, position: Number(row.position), machineId: row.machineId ?? undefined};
}
