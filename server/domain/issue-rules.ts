import type {RuleOverride} from '../store/issue-rules.ts';
import {always, type IssueRule, type JudgedRule, type RuleLimits} from './issue-rule.ts';
import {machineRules} from './issue-rules-machine.ts';
import {presenceRules} from './issue-rules-presence.ts';
import {softwareRules} from './issue-rules-software.ts';

/** Judged with each inventory (hardware-issues.ts): what they compare lies in the report. */
const hardwareRule = {
  ...always,
  source: 'hardware',
  raiseAfterSeconds: 0,
  clearAfterSeconds: 0,
} as const;

const hardwareRules: readonly IssueRule[] = [
  {
    ...hardwareRule,
    kind: 'disk_failing',
    title: 'A disk fails, or wears out',
    severity: 'critical',
    thresholds: {
      // Reallocated, pending and unreadable ones together. A few are normal in a disk's life.
      bad_sectors: {unit: 'sectors', raiseAt: 50, clearAt: 50, min: 1, max: 1_000_000},
      wear: {unit: '% of its endurance', raiseAt: 95, clearAt: 95, min: 1, max: 255},
    },
  },
  {
    ...hardwareRule,
    kind: 'component_lost',
    title: 'A part is in no slot any more',
    severity: 'critical',
  },
  {
    ...hardwareRule,
    kind: 'component_swapped',
    title: 'Another part is in the slot',
    severity: 'warning',
  },
  {
    ...hardwareRule,
    kind: 'link_degraded',
    title: 'A link is slower than it can be',
    severity: 'warning',
  },
];

export const judgedRules: readonly JudgedRule[] = [
  ...presenceRules,
  ...machineRules,
  ...softwareRules,
];

/** The one table of what is looked for (docs/issues.md). */
export const issueRules: readonly IssueRule[] = [...judgedRules, ...hardwareRules];

const byKind = new Map(issueRules.map(rule => [rule.kind, rule]));

export const findRule = (kind: string): IssueRule | undefined => byKind.get(kind);

export type RuleSettings = (kind: string) => RuleLimits | undefined;

/** Of a rule, with what operators set of it. */
export function limitsOf(
  {enabled, severity, raiseAfterSeconds, clearAfterSeconds, windowSeconds, thresholds}: IssueRule,
  override?: RuleOverride,
): RuleLimits {
  return {
    enabled: override?.enabled ?? enabled,
    severity: override?.severity ?? severity,
    setSeverity: override?.severity,
    raiseAfterSeconds: override?.raiseAfterSeconds ?? raiseAfterSeconds,
    clearAfterSeconds: override?.clearAfterSeconds ?? clearAfterSeconds,
    windowSeconds: override?.windowSeconds ?? windowSeconds,
    thresholds: Object.fromEntries(
      Object.entries(thresholds).map(([name, threshold]) => [
        name,
        {...threshold, ...override?.thresholds[name]},
      ]),
    ),
  };
}

/** Undefined for kinds without a rule. */
export const settingsOf = (overrides: ReadonlyMap<string, RuleOverride>): RuleSettings => {
  const known = new Map(
    issueRules.map(rule => [rule.kind, limitsOf(rule, overrides.get(rule.kind))]),
  );
  return kind => known.get(kind);
};

/** Every rule as it comes. */
export const defaultSettings: RuleSettings = settingsOf(new Map());
