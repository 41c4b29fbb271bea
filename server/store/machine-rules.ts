import type {Sql} from './db.ts';
import type {Labels} from './machines.ts';
import type {RuleDecision} from './rules.ts';
import type {MachineTemplate} from './templates.ts';

/** What rules said about a machine last, and what they gave it. */
export type MachineRules = {
  /** Undefined: not yet. */
  readonly applyTime: Date | undefined;
  readonly decision: RuleDecision;
  /** The name of the rule that decided; empty without one. */
  readonly decisionRule: string;
  /** The acceptance policy lets the machine in when no rule decides. */
  readonly policyAccepts: boolean;
  readonly labels: Labels;
  readonly groupIds: readonly string[];
  /** The first counts. */
  readonly templates: readonly RuleTemplates[];
  readonly bootProfile: readonly RuleBootValue[];
};

export type RuleTemplates = {
  readonly rule: string;
  readonly templates: readonly MachineTemplate[];
};
export type RuleBootValue = {
  readonly rule: string;
  readonly field: string;
  readonly value: string | readonly string[];
};

type Row = Omit<MachineRules, 'applyTime' | 'labels' | 'templates' | 'bootProfile'> & {
  readonly applyTime: Date | null;
  readonly labelsText: string;
  readonly templatesText: string;
  readonly bootProfileText: string;
};

export async function findMachineRules(
  sql: Sql,
  machineId: string,
): Promise<MachineRules | undefined> {
  const [row] = await sql<Row[]>`
    select ${columnsOf(sql)} from machine_rules where machine_id = ${machineId}
  `;
  return row && toRules(row);
}

/** Of several machines, by id; without those that rules never saw. */
export async function findRulesOfMachines(
  sql: Sql,
  machineIds: readonly string[],
): Promise<ReadonlyMap<string, MachineRules>> {
  const rows = await sql<(Row & {machineId: string})[]>`
    select wanted.machine_id, applied.*
    from unnest(${[...machineIds]}::text[]::uuid[]) as wanted (machine_id)
    cross join lateral (
      select ${columnsOf(sql)} from machine_rules where machine_id = wanted.machine_id limit 1
    ) as applied
  `;
  return new Map(rows.map(({machineId, ...row}) => [machineId, toRules(row)]));
}

const columnsOf = (sql: Sql) => sql`
  apply_time, decision, decision_rule, policy_accepts, group_ids, labels::text as labels_text,
  templates::text as templates_text, boot_profile::text as boot_profile_text
`;

function toRules(row: Row): MachineRules {
  const {applyTime, labelsText, templatesText, bootProfileText, ...same} = row;
  return {
    ...same,
    applyTime: applyTime ?? undefined,
    labels: JSON.parse(labelsText) as Labels,
    templates: JSON.parse(templatesText) as readonly RuleTemplates[],
    bootProfile: JSON.parse(bootProfileText) as readonly RuleBootValue[],
  };
}

export async function saveMachineRules(
  sql: Sql,
  machineId: string,
  rules: MachineRules,
): Promise<void> {
  const json = (value: unknown) => sql.json(structuredClone(value) as never);
  const {decision, decisionRule, policyAccepts} = rules;
  const columns = {
    decision,
    decisionRule,
    policyAccepts,
    applyTime: rules.applyTime ?? null,
    groupIds: [...rules.groupIds],
    labels: json(rules.labels),
    templates: json(rules.templates),
    bootProfile: json(rules.bootProfile),
  };
  await sql`
    insert into machine_rules ${sql({machineId, ...columns})}
    on conflict (machine_id) do update set ${sql(columns)}
  `;
}

/** Machines that wait for somebody to accept them and have reported their hardware; the longest first. */
export async function listWaiting(sql: Sql, limit: number): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`
    select id from machines
    where state = 'pending' and quarantine_reason = '' and exists (select 1 from machine_hardware where machine_id = id)
    order by create_time, id limit ${limit}
  `;
  return rows.map(({id}) => id);
}
