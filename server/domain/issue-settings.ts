import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import {listRuleMutes, type Mute} from '../store/issue-mutes.ts';
import {
  deleteRuleOverride,
  type Limits,
  listRuleOverrides,
  lockRuleOverrides,
  type RuleOverride,
  saveRuleOverride,
} from '../store/issue-rules.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {unknownRule} from './issue-mutes.ts';
import type {IssueRule, RuleLimits, Threshold} from './issue-rule.ts';
import {findRule, issueRules, limitsOf} from './issue-rules.ts';

export type ShownRule = IssueRule & {
  /** Undefined: all as it comes. */
  readonly override: RuleOverride | undefined;
  readonly mute: Mute | undefined;
};

/** What is undefined stays as it is. */
export type RuleChange = Partial<
  Pick<
    RuleOverride,
    'enabled' | 'severity' | 'raiseAfterSeconds' | 'clearAfterSeconds' | 'windowSeconds'
  >
> & {
  /** By name; empty where the rule has one only. */
  readonly thresholds: ReadonlyMap<string, Partial<Limits>>;
  /** First everything back to how it comes. */
  readonly reset: boolean;
};

export type IssueSettings = ReturnType<typeof createIssueSettings>;

/** What operators set of the rules for issues. The sweep reads it at each look. */
export function createIssueSettings({sql, now, newId}: Deps) {
  async function list(): Promise<readonly ShownRule[]> {
    const [overrides, mutes] = await Promise.all([
      listRuleOverrides(sql),
      listRuleMutes(sql, now()),
    ]);
    return issueRules.map(rule => {
      const override = overrides.get(rule.kind);
      return {...rule, ...limitsOf(rule, override), override, mute: mutes.get(rule.kind)};
    });
  }

  async function get(kind: string): Promise<ShownRule> {
    const found = (await list()).find(rule => rule.kind === kind);
    if (!found) throw unknownRule(kind);
    return found;
  }

  return {
    list,
    /** Throws not_found. */
    get,

    /** Throws not_found, invalid_argument. */
    async update(actor: string, kind: string, {reset, ...change}: RuleChange): Promise<ShownRule> {
      const rule = findRule(kind);
      if (!rule) throw unknownRule(kind);
      await sql.begin(async tx => {
        await lockRuleOverrides(tx);
        const before = (await listRuleOverrides(tx)).get(kind);
        const own = applyChange(rule, reset ? undefined : before, change);
        if (own) await saveRuleOverride(tx, {...own, kind, updateTime: now(), updatedBy: actor});
        else await deleteRuleOverride(tx, kind);
        const shown = (limits: RuleLimits) => ({
          ...limits,
          setSeverity: undefined,
          thresholds: limitsIn(limits.thresholds),
        });
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'issue_rule.updated',
          actor,
          subject: `issue-rules/${kind}`,
          data: {kind},
          change: updated(
            shown(limitsOf(rule, before)),
            shown(limitsOf(rule, own && {...own, kind, updateTime: now(), updatedBy: actor})),
          ),
        });
      });
      return get(kind);
    },
  };
}

type OwnLimits = Omit<RuleOverride, 'kind' | 'updateTime' | 'updatedBy'>;

/** What is set after the change; undefined when nothing is. Throws invalid_argument. */
export function applyChange(
  rule: IssueRule,
  before: OwnLimits | undefined,
  {thresholds, ...change}: Omit<RuleChange, 'reset'>,
): OwnLimits | undefined {
  if (change.windowSeconds !== undefined && rule.windowSeconds === 0)
    throw refused(rule, 'it counts nothing within a time');
  if (
    rule.source === 'hardware' &&
    (change.raiseAfterSeconds !== undefined || change.clearAfterSeconds !== undefined)
  )
    throw refused(rule, 'it is judged with each inventory, not by how long something lasts');
  const set = new Map(Object.entries(before?.thresholds ?? {}));
  for (const [given, limits] of thresholds) {
    const name = nameOf(rule, given);
    const threshold = rule.thresholds[name];
    if (!threshold) throw refused(rule, `it has no threshold "${given}"`);
    const {raiseAt, clearAt} = {...threshold, ...set.get(name), ...limits};
    assertLimits(rule, threshold, {raiseAt, clearAt});
    set.set(name, {raiseAt, clearAt});
  }
  const known = Object.entries(change).filter(([, value]) => value !== undefined);
  const own = {...before, ...(Object.fromEntries(known) as Partial<OwnLimits>)};
  const after = {...own, thresholds: Object.fromEntries(set)};
  const isEmpty = known.length === 0 && set.size === 0 && before === undefined;
  return isEmpty ? undefined : after;
}

function nameOf({thresholds}: IssueRule, given: string): string {
  const [only, ...others] = Object.keys(thresholds);
  return given === '' && only !== undefined && others.length === 0 ? only : given;
}

function assertLimits(rule: IssueRule, {below, min, max}: Threshold, limits: Limits): void {
  const {raiseAt, clearAt} = limits;
  if ([raiseAt, clearAt].some(value => value < min || value > max))
    throw refused(rule, `its limits lie between ${min} and ${max}`);
  if (below ? clearAt < raiseAt : clearAt > raiseAt)
    throw refused(
      rule,
      `it cannot be cleared at ${clearAt} when it is raised at ${raiseAt}: ${below ? 'low' : 'high'} values are bad`,
    );
}

const limitsIn = (thresholds: RuleLimits['thresholds']): Readonly<Record<string, Limits>> =>
  Object.fromEntries(
    Object.entries(thresholds).map(([name, {raiseAt, clearAt}]) => [name, {raiseAt, clearAt}]),
  );

function refused({kind}: IssueRule, why: string): DomainError {
  return new DomainError('invalid_argument', `Cannot change rule "${kind}": ${why}`);
}
