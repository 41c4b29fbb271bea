import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {findGroup, insertMember} from '../store/groups.ts';
import {findHardwareRecord} from '../store/hardware.ts';
import {findMachineRules, type MachineRules, saveMachineRules} from '../store/machine-rules.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import {hasDecidingRule, listRules, type NamedRule} from '../store/rules.ts';
import type {Acceptance} from './acceptance.ts';
import type {AgentKeys} from './agent-keys.ts';
import type {Deps} from './deps.ts';
import type {MachineSearch} from './machine-search.ts';
import {contractName, labelsToSet, mergeRules, type Verdict} from './rule-verdict.ts';
import type {Transitions} from './transitions.ts';

export const rulesMax = 200;
const labelsMax = 64;

/** What came of it: of a machine that does not wait nothing is decided. */
export type Applied = 'accepted' | 'rejected' | 'held' | 'given';

export type RuleApplication = ReturnType<typeof createRuleApplication>;

/** When and how discovery rules count (docs/discovery.md). */
export function createRuleApplication({
  now,
  newId,
  search,
  transitions,
  agentKeys,
}: Omit<Deps, 'sql'> & {
  readonly search: MachineSearch;
  readonly transitions: Transitions;
  readonly agentKeys: AgentKeys;
}) {
  /** Those that match; a condition that means nothing any more matches nothing. */
  async function matching(tx: Sql, machineId: string): Promise<readonly NamedRule[]> {
    const rules = (await listRules(tx, rulesMax)).filter(({disabled}) => !disabled);
    const conditions = rules.map(({condition}) => condition);
    const met = await search.judge(tx, machineId, conditions);
    return rules.filter((_, index) => met[index] === true);
  }

  async function tell(
    tx: Sql,
    machine: Machine,
    {rule, gave}: {readonly rule: NamedRule; readonly gave: Readonly<Record<string, unknown>>},
  ): Promise<void> {
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'machine.rule_applied',
      actor: `rule:${rule.name}`,
      machineId: machine.id,
      subject: `rules/${rule.id}`,
      data: {rule: rule.name, ...gave},
      change: {after: gave},
    });
  }

  /** Gives what is new, and tells by which rule. */
  async function give(
    tx: Sql,
    machine: Machine,
    context: {
      readonly rules: readonly NamedRule[];
      readonly verdict: Verdict;
      readonly before: MachineRules;
    },
  ): Promise<MachineRules> {
    const {rules, verdict, before} = context;
    const labels = labelsToSet(verdict.labels, {has: machine.labels, given: before.labels});
    const merged = {...machine.labels, ...labels};
    const fits = Object.keys(merged).length <= labelsMax;
    if (Object.keys(labels).length > 0 && fits)
      await updateMachine(tx, machine.id, {labels: merged, updateTime: now()});
    const joined: string[] = [];
    for (const {id, rule} of verdict.groups) {
      if (before.groupIds.includes(id)) continue;
      const group = await findGroup(tx, {id}, 'share');
      if (group?.filter !== '' || !(await insertMember(tx, id, machine.id))) continue;
      joined.push(id);
      await appendEvent(tx, {
        id: newId(),
        time: now(),
        type: 'group.machine_added',
        actor: `rule:${rule}`,
        machineId: machine.id,
        subject: `groups/${id}`,
        data: {name: group.name},
      });
    }
    for (const rule of rules) {
      const gave = giftsOf(rule, {verdict, labels: fits ? labels : {}, joined});
      if (Object.keys(gave).length > 0) await tell(tx, machine, {rule, gave});
    }
    return {
      ...before,
      applyTime: now(),
      decision: verdict.decision,
      decisionRule: verdict.decisionRule,
      labels: {...before.labels, ...(fits ? labels : {})},
      groupIds: [...new Set([...before.groupIds, ...verdict.groups.map(({id}) => id)])],
      templates: verdict.templates ? [verdict.templates] : [],
      bootProfile: verdict.bootProfile,
    };
  }

  /** Of a machine that waits. */
  async function decide(tx: Sql, machine: Machine, rules: MachineRules): Promise<Applied> {
    const {decision, decisionRule, policyAccepts} = rules;
    const machineId = machine.id;
    const move = (to: 'enrolled' | 'rejected', actor: string, reason: string) =>
      transitions.transition(tx, {machineId, to, actor, reason});
    if (decision === 'reject') {
      await move('rejected', `rule:${decisionRule}`, `Rule "${decisionRule}" rejects it`);
      await agentKeys.revokeCurrent(tx, machineId);
      return 'rejected';
    }
    if (decision === 'accept')
      await move('enrolled', `rule:${decisionRule}`, `Rule "${decisionRule}" accepts it`);
    else if (decision === 'none' && policyAccepts)
      await move('enrolled', 'system', 'No rule decides about it, and the policy lets it in');
    else {
      const stateReason =
        decision === 'hold' ? `Rule "${decisionRule}" holds it` : 'It waits: no rule accepts it';
      if (stateReason !== machine.stateReason)
        await updateMachine(tx, machineId, {stateReason, updateTime: now()});
      return 'held';
    }
    await transitions.startWithImage(tx, machineId);
    return 'accepted';
  }

  async function apply(
    tx: Sql,
    machine: Machine,
    before: MachineRules = nothing,
  ): Promise<Applied> {
    const rules = await matching(tx, machine.id);
    const verdict = mergeRules(rules);
    const after = await give(tx, machine, {rules, verdict, before});
    await saveMachineRules(tx, machine.id, after);
    return isWaiting(machine) ? decide(tx, machine, after) : 'given';
  }

  return {
    /** What enrolment makes of the policy's word: a machine that would be let in waits for its inventory while there are rules that decide. */
    async defer(tx: Sql, machine: Machine | undefined, acceptance: Acceptance) {
      if (acceptance !== 'enrolled' || machine?.expected || !(await hasDecidingRule(tx)))
        return acceptance;
      if (!machine) return 'pending';
      const before = (await findMachineRules(tx, machine.id)) ?? nothing;
      await saveMachineRules(tx, machine.id, {...before, policyAccepts: true});
      return machine.state === 'pending' ? 'keep' : 'pending';
    },

    /** In the transaction of its report: at the first inventory, and at each while the machine waits. */
    async inventoryCame(tx: Sql, machineId: string): Promise<void> {
      const [machine, known] = await Promise.all([
        findMachineForUpdate(tx, machineId),
        findMachineRules(tx, machineId),
      ]);
      if (!machine || !mayBeGiven(machine)) return;
      if (isWaiting(machine) || !known?.applyTime) await apply(tx, machine, known);
    },

    /** In the transaction of an enrolment: a machine that waits and is known is asked about at once. */
    async enrolled(tx: Sql, machine: Machine): Promise<Machine> {
      if (!isWaiting(machine) || !(await findHardwareRecord(tx, machine.id))) return machine;
      await apply(tx, machine, await findMachineRules(tx, machine.id));
      return (await findMachineForUpdate(tx, machine.id)) ?? machine;
    },

    /** Because an operator asks. Undefined when the machine is none to apply rules to. */
    async again(tx: Sql, machineId: string): Promise<Applied | undefined> {
      const machine = await findMachineForUpdate(tx, machineId);
      if (!machine || !mayBeGiven(machine)) return undefined;
      return apply(tx, machine, await findMachineRules(tx, machineId));
    },
  };
}

const nothing: MachineRules = {
  applyTime: undefined,
  decision: 'none',
  decisionRule: '',
  policyAccepts: false,
  labels: {},
  groupIds: [],
  templates: [],
  bootProfile: [],
};

export const isWaiting = ({state, quarantineReason}: Machine): boolean =>
  state === 'pending' && quarantineReason === '';

/** Of a machine in doubt, and of one that was turned away, nothing is to be said by what it reports. */
export const mayBeGiven = ({state, quarantineReason}: Machine): boolean =>
  quarantineReason === '' && !['rejected', 'retired', 'retiring'].includes(state);

/** What a rule has given in this application, for the machine's history. */
function giftsOf(
  rule: NamedRule,
  given: {
    readonly verdict: Verdict;
    readonly labels: Readonly<Record<string, string>>;
    readonly joined: readonly string[];
  },
): Readonly<Record<string, unknown>> {
  const {verdict, joined} = given;
  const labels = Object.entries(given.labels).filter(
    ([key]) => verdict.labels.get(key)?.rule === rule.name,
  );
  const group = verdict.groups.find(
    ({id, rule: name}) => name === rule.name && joined.includes(id),
  );
  const boot = verdict.bootProfile.filter(({rule: name}) => name === rule.name);
  return {
    ...(rule.decision === 'none' ? {} : {decision: rule.decision}),
    ...(rule.decision !== 'none' && verdict.decisionRule !== rule.name
      ? {overruledBy: verdict.decisionRule}
      : {}),
    ...(labels.length > 0 ? {labels: Object.fromEntries(labels)} : {}),
    ...(group ? {group: group.name} : {}),
    ...(verdict.templates?.rule === rule.name
      ? {templates: rule.templates.map(({name}) => name)}
      : {}),
    ...(boot.length > 0
      ? {
          bootProfile: Object.fromEntries(
            boot.map(({field, value}) => [contractName(field), value]),
          ),
        }
      : {}),
  };
}
