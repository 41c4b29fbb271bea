import type {Sql} from './db.ts';
import {type Mute, muteColumns, type MuteRow, muteOf, withMute} from './issue-mutes.ts';
import {sinceAssigned} from './scope.ts';

export type Severity = 'info' | 'warning' | 'critical';

export type Issue = {
  readonly id: string;
  readonly machineId: string;
  /** Who found it: "hardware" or "rules". */
  readonly source: string;
  readonly kind: string;
  /** What of the machine it is about. */
  readonly component: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly nextStep: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** When what it tells of began. */
  readonly sinceTime: Date;
  readonly raiseTime: Date;
  /** Since when that is over, while it has to last before the issue is cleared. */
  readonly goneTime: Date | undefined;
  readonly acknowledgeTime: Date | undefined;
  readonly acknowledgedBy: string;
  readonly note: string;
  readonly clearTime: Date | undefined;
  readonly clearReason: string;
  /** Undefined while nobody muted it. */
  readonly mute: Mute | undefined;
};

export type NewIssue = Omit<
  Issue,
  'goneTime' | 'acknowledgeTime' | 'acknowledgedBy' | 'note' | 'clearTime' | 'clearReason' | 'mute'
>;

type Row = Omit<Issue, 'goneTime' | 'acknowledgeTime' | 'clearTime' | 'evidence' | 'mute'> &
  MuteRow & {
    readonly evidence: string;
    readonly goneTime: Date | null;
    readonly acknowledgeTime: Date | null;
    readonly clearTime: Date | null;
  };

/** As text: `postgres.camel` would rename the keys inside. */
const columns = (sql: Sql) => sql`
  issues.id, issues.machine_id, source, issues.kind, component, severity, summary, next_step, evidence::text as evidence,
  since_time, raise_time, gone_time, acknowledge_time, acknowledged_by, note, clear_time, clear_reason, ${muteColumns(sql)}
`;

/** Those that were still open when the machine was assigned, too. */
const inScope = (sql: Sql) =>
  sinceAssigned(sql, sql`issues.machine_id`, sql`coalesce(issues.clear_time, 'infinity')`);

/** False when one is open already. */
export async function insertIssue(sql: Sql, issue: NewIssue): Promise<boolean> {
  const inserted = await sql`
    insert into issues
      (id, machine_id, source, kind, component, severity, summary, next_step, evidence, since_time, raise_time)
    values (
      ${issue.id}, ${issue.machineId}, ${issue.source}, ${issue.kind}, ${issue.component},
      ${issue.severity}, ${issue.summary}, ${issue.nextStep},
      ${JSON.stringify(issue.evidence)}::text::jsonb, ${issue.sinceTime}, ${issue.raiseTime}
    )
    on conflict (machine_id, source, kind, component) where clear_time is null do nothing
    returning id
  `;
  return inserted.length > 0;
}

/** Oldest first. */
export async function listOpenIssues(
  sql: Sql,
  {machineIds, source, now}: {machineIds: readonly string[]; source: string; now: Date},
): Promise<readonly Issue[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from issues ${withMute(sql, now)}
    where issues.machine_id = any(${[...machineIds]}::text[]::uuid[]) and source = ${source} and clear_time is null
    order by issues.id
  `;
  return rows.map(toIssue);
}

export async function findIssue(sql: Sql, id: string, now: Date): Promise<Issue | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from issues ${withMute(sql, now)} where issues.id = ${id} and ${inScope(sql)}
  `;
  return row && toIssue(row);
}

export async function findIssueForUpdate(
  sql: Sql,
  id: string,
  now: Date,
): Promise<Issue | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from issues ${withMute(sql, now)} where issues.id = ${id} and ${inScope(sql)}
    for update of issues
  `;
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

/** The same issue, worse or better than it was. */
export async function updateFinding(
  sql: Sql,
  {
    id,
    severity,
    summary,
    nextStep,
    evidence,
  }: Pick<Issue, 'id' | 'severity' | 'summary' | 'nextStep' | 'evidence'>,
): Promise<void> {
  await sql`
    update issues set severity = ${severity}, summary = ${summary}, next_step = ${nextStep},
      evidence = ${JSON.stringify(evidence)}::text::jsonb
    where id = ${id}
  `;
}

/** Whether what these tell of is over, and since when. */
export async function updateGoneTimes(
  sql: Sql,
  ids: readonly string[],
  goneTime: Date | undefined,
): Promise<void> {
  if (ids.length === 0) return;
  // In one order: two servers wait for each other, not in a circle.
  await sql`
    update issues set gone_time = ${goneTime ?? null} where id in (
      select id from issues where id = any(${[...ids]}::text[]::uuid[]) and clear_time is null order by id for update
    )
  `;
}

export type IssueFilter = {
  readonly machineId: string | undefined;
  readonly source: string;
  readonly kind: string;
  /** Empty: all. */
  readonly severities: readonly Severity[];
  readonly state: 'any' | 'not_cleared' | 'open' | 'acknowledged' | 'cleared';
  /** Undefined: all. */
  readonly muted: boolean | undefined;
};

/** Newest first; `before` is the last id of the page before. */
export async function listIssues(
  sql: Sql,
  {
    before,
    limit,
    now,
    ...filter
  }: IssueFilter & {
    readonly before: string | undefined;
    readonly limit: number;
    readonly now: Date;
  },
): Promise<readonly Issue[]> {
  const {machineId, source, kind, severities, state, muted} = filter;
  const states = {
    any: sql`true`,
    not_cleared: sql`clear_time is null`,
    open: sql`clear_time is null and acknowledge_time is null`,
    acknowledged: sql`clear_time is null and acknowledge_time is not null`,
    cleared: sql`clear_time is not null`,
  };
  const rows = await sql<Row[]>`
    select ${columns(sql)} from issues ${withMute(sql, now)}
    where ${machineId === undefined ? sql`true` : sql`issues.machine_id = ${machineId}`}
      and ${source === '' ? sql`true` : sql`source = ${source}`}
      and ${kind === '' ? sql`true` : sql`issues.kind = ${kind}`}
      and ${severities.length === 0 ? sql`true` : sql`severity = any(${[...severities]}::text[])`}
      and ${states[state]}
      and ${muted === undefined ? sql`true` : sql`(mute.id is not null) = ${muted}`}
      and ${before === undefined ? sql`true` : sql`issues.id < ${before}`}
      and ${inScope(sql)}
    order by issues.id desc limit ${limit}
  `;
  return rows.map(toIssue);
}

export type IssueTally = {
  readonly kind: string;
  readonly severity: Severity;
  readonly acknowledged: boolean;
  readonly muted: boolean;
  readonly count: number;
};

/** Of open issues. */
export async function countOpenIssues(sql: Sql, now: Date): Promise<readonly IssueTally[]> {
  return sql<IssueTally[]>`
    select issues.kind, severity, acknowledge_time is not null as acknowledged, mute.id is not null as muted,
      count(*)::int as count
    from issues ${withMute(sql, now)}
    where clear_time is null and ${inScope(sql)} group by 1, 2, 3, 4 order by 1, 2, 3, 4
  `;
}

/** Machines with open issues of these kinds. */
export async function listMachinesWithOpen(
  sql: Sql,
  kinds: readonly string[],
  limit: number,
): Promise<readonly {readonly machineId: string; readonly source: string}[]> {
  if (kinds.length === 0) return [];
  return sql<{machineId: string; source: string}[]>`
    select distinct machine_id, source from issues
    where clear_time is null and kind = any(${[...kinds]}::text[]) limit ${limit}
  `;
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
  const {muteId, muteScope, muteExpireTime, muteReason, mutedBy, ...own} = row;
  return {
    ...own,
    evidence: JSON.parse(row.evidence) as Readonly<Record<string, unknown>>,
    goneTime: row.goneTime ?? undefined,
    acknowledgeTime: row.acknowledgeTime ?? undefined,
    clearTime: row.clearTime ?? undefined,
    mute: muteOf({muteId, muteScope, muteExpireTime, muteReason, mutedBy}),
  };
}
