import {parseFilter} from '../filter/parser.ts';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import {findGroup, type Group} from '../store/groups.ts';
import {findMachineRules, listWaiting, type MachineRules} from '../store/machine-rules.ts';
import {findMachine, type Machine} from '../store/machines.ts';
import * as store from '../store/rules.ts';
import type {NamedRule, Rule} from '../store/rules.ts';
import {created, deleted, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {badPageToken, isUuid} from './ids.ts';
import type {MachineSearch} from './machine-search.ts';
import {
  type Applied,
  isWaiting,
  mayBeGiven,
  type RuleApplication,
  rulesMax,
} from './rule-application.ts';
import {
  decidingLeaves,
  explain,
  type ExplainedPart,
  leavesOf,
  shownLeaf,
  textOf,
} from './rule-explanation.ts';
import {mergeRules, type Verdict} from './rule-verdict.ts';
import {assertTemplatesFit} from './template-use.ts';

const pageSizeDefault = 50;
const sampleDefault = 10;
const appliedMax = 1000;
/** As in the contract; an id has this form, too. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_. -]{0,62}$/;

/** `group` is an id or a name; empty for none. */
export type RuleContent = Omit<Rule, 'id' | 'groupId' | 'createTime' | 'updateTime'> & {
  readonly group: string;
};

export type RuleExplanation = {
  readonly rule: NamedRule;
  readonly matched: boolean;
  readonly parts: readonly ExplainedPart[];
  readonly reason: string;
};

export type Rules = ReturnType<typeof createRules>;

/** Discovery rules as people keep them; rule-application.ts is when they count. */
export function createRules({
  sql,
  now,
  newId,
  search,
  application,
}: Deps & {readonly search: MachineSearch; readonly application: RuleApplication}) {
  async function append(
    tx: Sql,
    type: string,
    {actor, rule, change}: {readonly actor: string; readonly rule: Rule; readonly change: Change},
  ): Promise<void> {
    const {id, name, condition, decision, priority} = rule;
    const subject = `rules/${id}`;
    const data = {name, condition, decision, priority};
    await appendEvent(tx, {id: newId(), time: now(), type, actor, subject, data, change});
  }

  /** By id or name. Throws not_found. */
  async function get(key: string, tx: Sql = sql, lock = false): Promise<NamedRule> {
    const by = isUuid(key) ? {id: key} : {name: key};
    const rule = namePattern.test(key) ? await store.findRule(tx, by, lock) : undefined;
    if (rule) return rule;
    throw new DomainError(
      'not_found',
      `Cannot find rule "${key}": "muster rules list" shows what there is`,
    );
  }

  async function groupOf(tx: Sql, key: string): Promise<Group | undefined> {
    if (key === '') return undefined;
    const by = isUuid(key) ? {id: key} : {name: key};
    const group = namePattern.test(key) ? await findGroup(tx, by, 'share') : undefined;
    if (!group)
      throw new DomainError(
        'not_found',
        `Cannot find group "${key}": "muster groups list" shows what there is`,
      );
    if (group.filter !== '')
      throw new DomainError(
        'failed_precondition',
        `Cannot put machines into group "${group.name}" by a rule: its filter says which they are`,
      );
    return group;
  }

  function assertSaysSomething(rule: Rule): void {
    const {decision, groupId, labels, templates, bootProfile} = rule;
    const gives =
      groupId !== undefined ||
      Object.keys(labels).length > 0 ||
      templates.length > 0 ||
      bootProfile !== undefined;
    if (decision === 'none' && !gives)
      throw new DomainError(
        'invalid_argument',
        `Cannot keep rule "${rule.name}": it does nothing; give it a decision, a group, labels, templates or a boot profile`,
      );
  }

  async function explainOne(rule: NamedRule, machineId: string): Promise<RuleExplanation> {
    const filter = parseFilter(rule.condition);
    const leaves = leavesOf(filter);
    const texts = [rule.condition, ...leaves.map(textOf)];
    const [whole, ...met] = await search.judge(sql, machineId, texts);
    const broken = [whole, ...met].find(answer => typeof answer === 'string');
    if (broken !== undefined) return {rule, matched: false, parts: [], reason: broken};

    const isLeafMet = new Map(leaves.map((leaf, index) => [leaf, met[index] === true]));
    const deciding = decidingLeaves(filter, leaf => isLeafMet.get(leaf) === true);
    const paths = deciding.map(leaf => (leaf.kind === 'compare' ? leaf.path : []));
    const values = await search.values(machineId, paths);
    const parts = deciding.map((leaf, index) => ({
      text: shownLeaf(leaf),
      met: isLeafMet.get(leaf) === true,
      actual: values[index] ?? '',
    }));
    const matched = whole === true;
    return {rule, matched, parts, reason: explain(matched, parts)};
  }

  return {
    get: (key: string): Promise<NamedRule> => get(key),

    /** In their order; the page token is how many came before. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      if (!/^\d{0,4}$/.test(pageToken)) throw badPageToken(pageToken);
      const all = await store.listRules(sql, rulesMax);
      const from = Number(pageToken);
      const end = from + (pageSize || pageSizeDefault);
      return {rules: all.slice(from, end), nextPageToken: end < all.length ? String(end) : ''};
    },

    async create(actor: string, {group, ...content}: RuleContent): Promise<NamedRule> {
      await search.check(content.condition);
      return sql.begin(async tx => {
        const joined = await groupOf(tx, group);
        const times = {createTime: now(), updateTime: now()};
        const rule = {...content, id: newId(), groupId: joined?.id, ...times};
        assertSaysSomething(rule);
        await assertTemplatesFit(tx, rule.templates);
        if ((await store.countRules(tx)) >= rulesMax)
          throw new DomainError(
            'resource_exhausted',
            `Cannot keep more than ${rulesMax} rules: delete one that is not needed`,
          );
        if (!(await store.insertRule(tx, rule))) throw taken('create', rule.name);
        await append(tx, 'rule.created', {actor, rule, change: created(rule)});
        return {...rule, groupName: joined?.name ?? ''};
      });
    },

    async update(actor: string, key: string, change: Partial<RuleContent>): Promise<NamedRule> {
      if (change.condition !== undefined) await search.check(change.condition);
      return sql.begin(async tx => {
        const {groupName, ...before} = await get(key, tx, true);
        const {group, ...fields} = change;
        const joined = group === undefined ? undefined : await groupOf(tx, group);
        const groupId = group === undefined ? before.groupId : joined?.id;
        const rule = {...before, ...fields, groupId, updateTime: now()};
        assertSaysSomething(rule);
        if (fields.templates) await assertTemplatesFit(tx, fields.templates);
        if (!(await store.updateRule(tx, rule))) throw taken('rename', rule.name);
        await append(tx, 'rule.updated', {actor, rule, change: updated(before, rule)});
        return {...rule, groupName: group === undefined ? groupName : (joined?.name ?? '')};
      });
    },

    delete: (actor: string, key: string): Promise<void> =>
      sql.begin(async tx => {
        const rule = await get(key, tx, true);
        await store.deleteRule(tx, rule.id);
        await append(tx, 'rule.deleted', {actor, rule, change: deleted(rule)});
      }),

    /** How many machines meet the condition, and some of them, those that wait first. Throws invalid_argument or not_found. */
    async test(request: {ruleId: string; condition: string; sampleSize: number}) {
      const {condition: filter} = request.ruleId === '' ? request : await get(request.ruleId);
      const limit = request.sampleSize || sampleDefault;
      const shared = {filter, orderBy: '', pageToken: '', countTotal: true, columns: undefined};
      const waiting = await search.list({...shared, states: ['pending'], pageSize: limit});
      const all = await search.list({...shared, states: [], pageSize: limit});
      const none = {count: 0, estimated: false};
      const first = all.similar ? [] : all.machines;
      const others = first.filter(({id}) => !waiting.machines.some(other => other.id === id));
      const sample = waiting.similar ? others : [...waiting.machines, ...others];
      return {
        matching: all.similar ? none : (all.total ?? none),
        waiting: waiting.similar ? 0 : (waiting.total?.count ?? 0),
        sample: sample.slice(0, limit),
      };
    },

    /** Throws not_found. */
    async explain(machineId: string): Promise<{
      readonly rules: readonly RuleExplanation[];
      readonly verdict: Verdict;
      readonly reason: string;
      readonly applied: MachineRules | undefined;
    }> {
      const machine = await findMachine(sql, machineId);
      if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
      const rules: RuleExplanation[] = [];
      for (const rule of await store.listRules(sql, rulesMax))
        rules.push(await explainOne(rule, machine.id));
      const counting = rules.filter(({matched, rule}) => matched && !rule.disabled);
      const applied = await findMachineRules(sql, machine.id);
      return {
        rules,
        verdict: mergeRules(counting.map(({rule}) => rule)),
        reason: whenOf(machine, applied),
        applied,
      };
    },

    /** Asks again. Each machine is a transaction. Throws not_found or failed_precondition. */
    async apply(machineId: string): Promise<readonly Applied[]> {
      const wanted = machineId === '' ? await listWaiting(sql, appliedMax) : [machineId];
      const applied: Applied[] = [];
      for (const id of wanted) {
        const done = await sql.begin(tx => application.again(tx, id));
        if (done) applied.push(done);
        else if (machineId !== '') throw await notNow(sql, machineId);
      }
      return applied;
    },
  };
}

function whenOf(machine: Machine, applied: MachineRules | undefined): string {
  if (machine.quarantineReason) return 'It is quarantined: no rule counts until it is accepted';
  if (isWaiting(machine))
    return 'It waits: rules count at each inventory, and with "muster rules apply"';
  if (!mayBeGiven(machine)) return `It is ${machine.state}: no rule counts`;
  if (!applied?.applyTime) return 'It has reported no inventory yet: rules count at the first';
  return `It is ${machine.state}: rules have given what they give, and decide nothing any more`;
}

async function notNow(sql: Sql, machineId: string): Promise<DomainError> {
  const machine = await findMachine(sql, machineId);
  if (!machine) return new DomainError('not_found', `Cannot find machine "${machineId}"`);
  const why = machine.quarantineReason ? 'quarantined' : machine.state;
  return new DomainError(
    'failed_precondition',
    `Cannot apply rules to machine "${machineId}": it is ${why}; accept it first`,
  );
}

function taken(verb: string, name: string): DomainError {
  return new DomainError(
    'already_exists',
    `Cannot ${verb} rule "${name}": the name is taken; choose another`,
  );
}
