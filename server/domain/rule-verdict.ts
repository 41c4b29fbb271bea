import type {BootProfile} from '../store/groups.ts';
import type {RuleBootValue, RuleTemplates} from '../store/machine-rules.ts';
import type {NamedRule, RuleDecision} from '../store/rules.ts';

/** What all rules that match a machine say together. */
export type Verdict = {
  readonly decision: RuleDecision;
  /** The name of the rule that decides; empty without one. */
  readonly decisionRule: string;
  readonly labels: ReadonlyMap<string, {readonly rule: string; readonly value: string}>;
  readonly groups: readonly {readonly rule: string; readonly id: string; readonly name: string}[];
  /** Of the first rule that names some. */
  readonly templates: RuleTemplates | undefined;
  /** One for each field. */
  readonly bootProfile: readonly RuleBootValue[];
  /** Sentences for people. */
  readonly conflicts: readonly string[];
};

export const bootFields = [
  'kernelArguments',
  'serialConsole',
  'packages',
  'sshAuthorizedKeys',
] as const satisfies readonly (keyof BootProfile)[];

/** As the contract names it. */
export const contractName = (field: string): string =>
  field.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** The values of a boot profile that say something. */
export const bootValues = (
  profile: BootProfile | undefined,
): readonly {field: (typeof bootFields)[number]; value: string | readonly string[]}[] =>
  bootFields
    .map(field => ({field, value: profile?.[field] ?? ''}))
    .filter(({value}) => value.length > 0);

/** The highest priority first, then the name: the order in which rules are asked. */
export const byPriority = (
  a: {readonly priority: number; readonly name: string},
  b: {readonly priority: number; readonly name: string},
): number => b.priority - a.priority || compare(a.name.toLowerCase(), b.name.toLowerCase());

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The first rule that accepts, holds or rejects decides. Groups are added up; of a label, of templates and of each value of the boot profile the
 * first rule counts, and whatever says otherwise after it is a conflict.
 */
export function mergeRules(matching: readonly NamedRule[]): Verdict {
  const rules = matching.toSorted(byPriority);
  const decider = rules.find(({decision}) => decision !== 'none');
  const conflicts: string[] = [];
  const lose = (what: string, loser: string, winner: string) =>
    void conflicts.push(`Rule "${loser}" ${what}, but rule "${winner}" comes before it`);

  const labels = new Map<string, {readonly rule: string; readonly value: string}>();
  const groups = new Map<string, {readonly rule: string; id: string; name: string}>();
  const boot = new Map<string, RuleBootValue>();
  let templates: RuleTemplates | undefined;
  for (const rule of rules) {
    const {name, decision, groupId} = rule;
    if (decider && decision !== 'none' && decision !== decider.decision)
      lose(`says ${decision}`, name, decider.name);
    for (const [key, value] of Object.entries(rule.labels)) {
      const first = labels.get(key);
      if (!first) labels.set(key, {rule: name, value});
      else if (first.value !== value) lose(`sets label ${key} to "${value}"`, name, first.rule);
    }
    if (groupId !== undefined && !groups.has(groupId))
      groups.set(groupId, {rule: name, id: groupId, name: rule.groupName});
    if (rule.templates.length > 0) {
      if (!templates) templates = {rule: name, templates: rule.templates};
      else if (!isSame(templates.templates, rule.templates))
        lose('names other templates', name, templates.rule);
    }
    for (const {field, value} of bootValues(rule.bootProfile)) {
      const first = boot.get(field);
      if (!first) boot.set(field, {rule: name, field, value});
      else if (!isSame(first.value, value))
        lose(`has another ${contractName(field)}`, name, first.rule);
    }
  }
  return {
    decision: decider?.decision ?? 'none',
    decisionRule: decider?.name ?? '',
    labels,
    groups: [...groups.values()],
    templates,
    bootProfile: [...boot.values()],
    conflicts,
  };
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What becomes of labels, when rules have given some before: what an operator changed or took away stays so. */
export function labelsToSet(
  wanted: Verdict['labels'],
  {
    has,
    given,
  }: {
    readonly has: Readonly<Record<string, string>>;
    readonly given: Readonly<Record<string, string>>;
  },
): Readonly<Record<string, string>> {
  const free = [...wanted].filter(([key, {value}]) => {
    if (!Object.hasOwn(has, key)) return !Object.hasOwn(given, key);
    return Object.hasOwn(given, key) && has[key] === given[key] && has[key] !== value;
  });
  return Object.fromEntries(free.map(([key, {value}]) => [key, value]));
}
