import type {Sql} from './db.ts';
import type {Severity} from './issues.ts';

export type Limits = {readonly raiseAt: number; readonly clearAt: number};

/** What operators set of a rule; undefined: as it comes. */
export type RuleOverride = {
  readonly kind: string;
  readonly enabled?: boolean | undefined;
  readonly severity?: Severity | undefined;
  readonly raiseAfterSeconds?: number | undefined;
  readonly clearAfterSeconds?: number | undefined;
  readonly windowSeconds?: number | undefined;
  readonly thresholds: Readonly<Record<string, Limits>>;
  readonly updateTime: Date;
  readonly updatedBy: string;
};

type Row = {readonly [K in keyof Required<RuleOverride>]: RuleOverride[K] | null} & {
  readonly kind: string;
  readonly thresholdsText: string;
};

/** By kind. */
export async function listRuleOverrides(sql: Sql): Promise<ReadonlyMap<string, RuleOverride>> {
  const rows = await sql<Row[]>`
    select kind, enabled, severity, raise_after_seconds, clear_after_seconds, window_seconds,
      thresholds::text as thresholds_text, update_time, updated_by
    from issue_rules
  `;
  return new Map(
    rows.map(({thresholdsText, ...row}) => {
      const known = Object.entries(row).filter(([, value]) => value !== null);
      const thresholds = JSON.parse(thresholdsText) as RuleOverride['thresholds'];
      return [row.kind, {...(Object.fromEntries(known) as RuleOverride), thresholds}];
    }),
  );
}

/** Whoever changes a rule does it alone. */
export async function lockRuleOverrides(sql: Sql): Promise<void> {
  await sql`lock table issue_rules in share row exclusive mode`;
}

export async function saveRuleOverride(sql: Sql, rule: RuleOverride): Promise<void> {
  await sql`
    insert into issue_rules (
      kind, enabled, severity, raise_after_seconds, clear_after_seconds, window_seconds, thresholds, update_time, updated_by
    )
    values (
      ${rule.kind}, ${rule.enabled ?? null}, ${rule.severity ?? null}, ${rule.raiseAfterSeconds ?? null},
      ${rule.clearAfterSeconds ?? null}, ${rule.windowSeconds ?? null}, ${JSON.stringify(rule.thresholds)}::text::jsonb,
      ${rule.updateTime}, ${rule.updatedBy}
    )
    on conflict (kind) do update
    set enabled = excluded.enabled, severity = excluded.severity, raise_after_seconds = excluded.raise_after_seconds,
      clear_after_seconds = excluded.clear_after_seconds, window_seconds = excluded.window_seconds,
      thresholds = excluded.thresholds, update_time = excluded.update_time, updated_by = excluded.updated_by
  `;
}

export async function deleteRuleOverride(sql: Sql, kind: string): Promise<void> {
  await sql`delete from issue_rules where kind = ${kind}`;
}

export type ConditionKey = {
  readonly machineId: string;
  readonly kind: string;
  readonly component: string;
};
export type StoredCondition = ConditionKey & {readonly sinceTime: Date};

/** What holds on these machines, but not yet for long enough. */
export async function listConditions(
  sql: Sql,
  machineIds: readonly string[],
): Promise<readonly StoredCondition[]> {
  return sql<StoredCondition[]>`
    select machine_id, kind, component, since_time from issue_conditions
    where machine_id = any(${[...machineIds]}::text[]::uuid[])
  `;
}

/** The first who notices is kept; machines that are gone are skipped. */
export async function addConditions(
  sql: Sql,
  conditions: readonly StoredCondition[],
): Promise<void> {
  if (conditions.length === 0) return;
  await sql`
    insert into issue_conditions (machine_id, kind, component, since_time)
    select "machineId", kind, component, "sinceTime"
    from json_to_recordset(${JSON.stringify(conditions)}::text::json)
      as found ("machineId" uuid, kind text, component text, "sinceTime" timestamptz)
    where exists (select from machines where id = "machineId")
    order by 1, 2, 3
    on conflict do nothing
  `;
}

export async function deleteConditions(sql: Sql, keys: readonly ConditionKey[]): Promise<void> {
  if (keys.length === 0) return;
  const gone = keys.map(({machineId, kind, component}) => ({
    machineId,
    goneKind: kind,
    goneComponent: component,
  }));
  await sql`
    delete from issue_conditions where (machine_id, kind, component) in (
      select machine_id, kind, component from issue_conditions
      join json_to_recordset(${JSON.stringify(gone)}::text::json) as gone ("machineId" uuid, "goneKind" text, "goneComponent" text)
        on machine_id = "machineId" and kind = "goneKind" and component = "goneComponent"
      order by 1, 2, 3 for update of issue_conditions
    )
  `;
}
