import {announce} from './announcements.ts';
import type {Sql} from './db.ts';

export const auditOutcomes = ['ok', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** JSON values as their text; undefined where there is none. */
export type NewAuditEntry = {
  readonly id: string;
  readonly time: Date;
  readonly callId: string | undefined;
  readonly actor: string;
  readonly address: string;
  readonly method: string;
  readonly resource: string;
  readonly action: string;
  readonly request: string | undefined;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly outcome: AuditOutcome;
  readonly code: string;
  readonly error: string;
  readonly count: number;
  readonly durationMs: number;
};

export type AuditEntry = NewAuditEntry & {readonly position: number; readonly hash: Buffer};

type Row = {readonly [K in keyof AuditEntry]: AuditEntry[K] | null} & {readonly position: string};

/** A call that changed nothing that a change has not told about already: `unless` is the id of such a change. */
export async function insertAuditEntry(
  sql: Sql,
  entry: NewAuditEntry,
  unless: string | undefined,
): Promise<void> {
  const {id, time, callId, actor, address, method, resource, action, request} = entry;
  const {outcome, code, error, count, durationMs} = entry;
  const inserted = await sql`
    insert into audit_entries (
      id, time, call_id, actor, address, method, resource, action, request, outcome, code, error, count, duration_ms
    )
    select
      ${id}::uuid, ${time}::timestamptz, ${callId ?? null}::uuid, ${actor}::text, ${address}::text, ${method}::text,
      ${resource}::text, ${action}::text, ${request ?? null}::text::jsonb, ${outcome}::text, ${code}::text,
      ${error}::text, ${count}::int, ${durationMs}::int
    where not exists (select from audit_entries where id = ${unless ?? null}::uuid)
  `;
  if (inserted.count > 0) await announce(sql, 'events');
}

/** Committed rows without a position, in the order in which they were written. */
export async function listUnplacedAudit(
  sql: Sql,
  limit: number,
): Promise<readonly NewAuditEntry[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from audit_entries where position is null order by sequence limit ${limit}
  `;
  return rows.map(toEntry);
}

export type AuditHead = {readonly position: number; readonly hash: Buffer};

export async function findAuditHead(sql: Sql): Promise<AuditHead | undefined> {
  const [row] = await sql<{position: string; hash: Buffer}[]>`
    select position, hash from audit_entries where position is not null order by position desc limit 1
  `;
  return row && {position: Number(row.position), hash: row.hash};
}

/** Who looks for what; undefined is everything. */
export type AuditFilter = {
  readonly actor?: string | undefined;
  /** One, or all of a kind when it ends with "/". */
  readonly resource?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
};

/** Newest first when it goes back from `before`, else oldest first after `after`. */
export async function listAudit(
  sql: Sql,
  page: AuditFilter & {
    readonly after?: number;
    readonly before?: number | undefined;
    readonly upTo?: number;
    readonly limit: number;
  },
): Promise<readonly AuditEntry[]> {
  const {actor, resource, outcome, since, until, after, before, upTo, limit} = page;
  const kind = resource?.endsWith('/') ?? false;
  const order = after === undefined ? sql`position desc` : sql`position`;
  const rows = await sql<Row[]>`
    select ${columns(sql)} from audit_entries
    where position is not null
      and ${after === undefined ? sql`true` : sql`position > ${after}`}
      and ${before === undefined ? sql`true` : sql`position < ${before}`}
      and ${upTo === undefined ? sql`true` : sql`position <= ${upTo}`}
      and ${actor === undefined ? sql`true` : sql`actor = ${actor}`}
      and ${resource === undefined ? sql`true` : kind ? sql`starts_with(resource, ${resource})` : sql`resource = ${resource}`}
      and ${outcome === undefined ? sql`true` : sql`outcome = ${outcome}`}
      and ${since ? sql`time >= ${since}` : sql`true`}
      and ${until ? sql`time < ${until}` : sql`true`}
    order by ${order} limit ${limit}
  `;
  return rows.map(row => ({
    ...toEntry(row),
    position: Number(row.position),
    hash: row.hash ?? none,
  }));
}

const none = Buffer.alloc(0);

/** The last position before which everything is older than this; 0 when nothing is. */
export async function findPositionBefore(sql: Sql, time: Date): Promise<number> {
  const [row] = await sql<{position: string | null}[]>`
    select coalesce(
      (select min(position) - 1 from audit_entries where position is not null and time >= ${time}),
      (select max(position) from audit_entries where position is not null)
    ) as position
  `;
  return Number(row?.position ?? 0);
}

export async function deleteAuditUpTo(sql: Sql, position: number): Promise<number> {
  const {count} = await sql`delete from audit_entries where position <= ${position}`;
  return count;
}

const columns = (sql: Sql) => sql`
  id, time, call_id, actor, address, method, resource, action, request::text as request, before::text as before,
  after::text as after, outcome, code, error, count, duration_ms, position, hash
`;

function toEntry(row: Row): NewAuditEntry {
  const known = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
  );
  return known as NewAuditEntry;
}
