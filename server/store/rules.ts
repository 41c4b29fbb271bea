import type {Sql} from './db.ts';
import type {BootProfile} from './groups.ts';
import type {Labels} from './machines.ts';
import type {MachineTemplate} from './templates.ts';

export type RuleDecision = 'none' | 'accept' | 'hold' | 'reject';

export type Rule = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly priority: number;
  readonly disabled: boolean;
  /** A filter; empty meets every machine. */
  readonly condition: string;
  readonly decision: RuleDecision;
  readonly groupId: string | undefined;
  readonly labels: Labels;
  readonly templates: readonly MachineTemplate[];
  readonly bootProfile: BootProfile | undefined;
  readonly createTime: Date;
  readonly updateTime: Date;
};

/** With the group's name for people; empty without one. */
export type NamedRule = Rule & {readonly groupName: string};

type Row = Omit<NamedRule, 'groupId' | 'labels' | 'templates' | 'bootProfile'> & {
  readonly groupId: string | null;
  /** Texts: postgres.js puts the keys of JSON into camel case. */
  readonly labelsText: string;
  readonly templatesText: string;
  readonly bootProfileText: string | null;
};

const uniqueViolation = '23505';

/** In the order in which rules are asked. */
const order = (sql: Sql) => sql`rules.priority desc, lower(rules.name)`;

const selected = (sql: Sql) => sql`
  select rules.id, rules.name, rules.description, rules.priority, disabled, condition, decision, group_id,
    coalesce(groups.name, '') as group_name, labels::text as labels_text, rules.templates::text as templates_text,
    rules.boot_profile::text as boot_profile_text, rules.create_time, rules.update_time
  from rules left join groups on groups.id = group_id
`;

/** False when the name is taken; names differ by more than case. */
export async function insertRule(sql: Sql, rule: Rule): Promise<boolean> {
  const {id, createTime} = rule;
  const result = await sql`
    insert into rules ${sql({id, createTime, ...toColumns(sql, rule)})} on conflict do nothing
  `;
  return result.count === 1;
}

/** False when the name is taken: the transaction is over then. */
export async function updateRule(sql: Sql, rule: Rule): Promise<boolean> {
  try {
    await sql`update rules set ${sql(toColumns(sql, rule))} where id = ${rule.id}`;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) return false;
    throw error;
  }
}

export async function deleteRule(sql: Sql, id: string): Promise<void> {
  await sql`delete from rules where id = ${id}`;
}

/** By id, or by name without regard to case. */
export async function findRule(
  sql: Sql,
  key: {readonly id: string} | {readonly name: string},
  lock = false,
): Promise<NamedRule | undefined> {
  const where =
    'id' in key ? sql`rules.id = ${key.id}` : sql`lower(rules.name) = lower(${key.name})`;
  const [row] = await sql<Row[]>`
    ${selected(sql)} where ${where} ${lock ? sql`for update of rules` : sql``}
  `;
  return row && toRule(row);
}

/** In their order, after the first `skip`: there are few. */
export async function listRules(sql: Sql, limit: number): Promise<readonly NamedRule[]> {
  const rows = await sql<Row[]>`${selected(sql)} order by ${order(sql)} limit ${limit}`;
  return rows.map(toRule);
}

export async function countRules(sql: Sql): Promise<number> {
  const [row] = await sql<{count: number}[]>`select count(*)::int as count from rules`;
  return row?.count ?? 0;
}

/** Whether there is a rule that may let machines in, hold or turn them away. */
export async function hasDecidingRule(sql: Sql): Promise<boolean> {
  const rows = await sql`
    select 1 from rules where not disabled and decision <> 'none' limit 1
  `;
  return rows.length > 0;
}

function toColumns(sql: Sql, rule: Rule) {
  const {name, description, priority, disabled, condition, decision, updateTime} = rule;
  const json = (value: unknown) => sql.json(structuredClone(value) as never);
  return {
    name,
    description,
    priority,
    disabled,
    condition,
    decision,
    updateTime,
    groupId: rule.groupId ?? null,
    labels: json(rule.labels),
    templates: json(rule.templates),
    bootProfile: rule.bootProfile ? json(rule.bootProfile) : null,
  };
}

function toRule(row: Row): NamedRule {
  const {groupId, labelsText, templatesText, bootProfileText, ...same} = row;
  return {
    ...same,
    groupId: groupId ?? undefined,
    labels: JSON.parse(labelsText) as Labels,
    templates: JSON.parse(templatesText) as readonly MachineTemplate[],
    bootProfile: bootProfileText ? (JSON.parse(bootProfileText) as BootProfile) : undefined,
  };
}
