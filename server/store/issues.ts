import type {Sql} from './db.ts';
import {sinceAssigned} from './scope.ts';

export type Severity = 'info' | 'warning' | 'critical';

export type Issue = {
  readonly id: string;
  readonly machineId: string;
  /** Who found it: "hardware". */
  readonly source: string;
  readonly kind: string;
  /** What of the machine it is about. */
  readonly component: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly nextStep: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly raiseTime: Date;
  readonly acknowledgeTime: Date | undefined;
  readonly acknowledgedBy: string;
  readonly note: string;
  readonly clearTime: Date | undefined;
  readonly clearReason: string;
};

type Row = Omit<Issue, 'acknowledgeTime' | 'clearTime' | 'evidence'> & {
  readonly evidence: string;
  readonly acknowledgeTime: Date | null;
  readonly clearTime: Date | null;
};

/** As text: `postgres.camel` would rename the keys inside. */
const columns = (sql: Sql) => sql`
  id, machine_id, source, kind, component, severity, summary, next_step, evidence::text as evidence,
  raise_time, acknowledge_time, acknowledged_by, note, clear_time, clear_reason
`;

/** Those that were still open when the machine was assigned, too. */
const inScope = (sql: Sql) =>
  sinceAssigned(sql, sql`issues.machine_id`, sql`coalesce(issues.clear_time, 'infinity')`);

/** False when one is open already. */
export async function insertIssue(
  sql: Sql,
  issue: Pick<
    Issue,
    | 'id'
    | 'machineId'
    | 'source'
    | 'kind'
    | 'component'
    | 'severity'
    | 'summary'
    | 'nextStep'
    | 'evidence'
    | 'raiseTime'
  >,
): Promise<boolean> {
  const inserted = await sql`
    insert into issues
      (id, machine_id, source, kind, component, severity, summary, next_step, evidence, raise_time)
    values (
      ${issue.id}, ${issue.machineId}, ${issue.source}, ${issue.kind}, ${issue.component},
      ${issue.severity}, ${issue.summary}, ${issue.nextStep},
      ${JSON.stringify(issue.evidence)}::text::jsonb, ${issue.raiseTime}
    )
    on conflict (machine_id, source, kind, component) where clear_time is null do nothing
    returning id
  `;
  return inserted.length > 0;
}

/** Oldest first. */
export async function listOpenIssues(
  sql: Sql,
  machineId: string,
  source: string,
): Promise<readonly Issue[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from issues
    where machine_id = ${machineId} and source = ${source} and clear_time is null order by id
  `;
  return rows.map(toIssue);
}

export async function findIssue(sql: Sql, id: string): Promise<Issue | undefined> {
  const [row] = await sql<
    Row[]
  >`select ${columns(sql)} from issues where id = ${id} and ${inScope(sql)}`;
  return row && toIssue(row);
}

export async function findIssueForUpdate(sql: Sql, id: string): Promise<Issue | undefined> {
  const [row] = await sql<
    Row[]
  >`select ${columns(sql)} from issues where id = ${id} and ${inScope(sql)} for update`;
  return row && toIssue(row);
}

export async function updateIssue(
  sql: Sql,
  id: string,
  change: Partial<
    Pick<Issue, 'acknowledgeTime' | 'acknowledgedBy' | 'note' | 'clearTime' | 'clearReason'>
  >,
): Promise<void> {
  await sql`update issues set ${sql(change as Record<string, never>)} where id = ${id}`;
}

/** Newest first; `before` is the last id of the page before. */
export async function listIssues(
  sql: Sql,
  page: {
    readonly machineId: string | undefined;
    readonly source: string;
    readonly kind: string;
    readonly includeCleared: boolean;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<readonly Issue[]> {
  const {machineId, source, kind, includeCleared, before, limit} = page;
  const rows = await sql<Row[]>`
    select ${columns(sql)} from issues
    where ${machineId === undefined ? sql`true` : sql`machine_id = ${machineId}`}
      and ${source === '' ? sql`true` : sql`source = ${source}`}
      and ${kind === '' ? sql`true` : sql`kind = ${kind}`}
      and ${includeCleared ? sql`true` : sql`clear_time is null`}
      and ${before === undefined ? sql`true` : sql`id < ${before}`}
      and ${inScope(sql)}
    order by id desc limit ${limit}
  `;
  return rows.map(toIssue);
}

/** Those that are over: before a time, and beyond so many of one machine. */
export async function deleteClearedIssues(
  sql: Sql,
  {before, ofMachineKept}: {readonly before: Date; readonly ofMachineKept: number},
): Promise<void> {
  await sql`delete from issues where clear_time < ${before}`;
  await sql`
    delete from issues using (
      select id, row_number() over (partition by machine_id order by id desc) as place
      from issues where clear_time is not null
    ) as ranked
    where issues.id = ranked.id and place > ${ofMachineKept}
  `;
}

function toIssue(row: Row): Issue {
  return {
    ...row,
    evidence: JSON.parse(row.evidence) as Readonly<Record<string, unknown>>,
    acknowledgeTime: row.acknowledgeTime ?? undefined,
    clearTime: row.clearTime ?? undefined,
  };
}
