import type {Severity} from '../store/issues.ts';
import {
  type Condition,
  isBad,
  type JudgeContext,
  type JudgedRule,
  lasting,
  type MachineFacts,
  type RuleLimits,
} from './issue-rule.ts';
import type {RuleSettings} from './issue-rules.ts';
import type {Finding} from './issues.ts';

export type KnownIssue = {
  readonly id: string;
  readonly kind: string;
  readonly component: string;
  readonly severity: Severity;
  readonly goneTime: Date | undefined;
};

export type Waiting = {
  readonly kind: string;
  readonly component: string;
  readonly sinceTime: Date;
};

/** What becomes of one machine's issues. */
export type Settlement = {
  readonly raise: readonly Finding[];
  readonly clear: readonly {readonly id: string; readonly reason: string}[];
  /** Over from now on, but not yet for long enough. */
  readonly gone: readonly string[];
  /** Not over after all. */
  readonly back: readonly string[];
  /** Hold, but not yet for long enough; their beginning has to be kept. */
  readonly wait: readonly Waiting[];
  readonly forget: readonly Waiting[];
};

export type Subject = {
  readonly facts: MachineFacts;
  /** Those that rules raised. */
  readonly open: readonly KnownIssue[];
  readonly waiting: readonly Waiting[];
};

/** What rules are asked with. */
export type Moment = {
  readonly now: Date;
  readonly version: string;
  readonly settings: RuleSettings;
};

/**
 * What the rules find on a machine against what is known of it. A condition has to last before it is an issue, and to be over for a while before
 * the issue is cleared, so that what comes and goes is one issue.
 */
export function settleIssues(
  rules: readonly JudgedRule[],
  subject: Subject,
  moment: Moment,
): Settlement {
  const parts = rules.map(rule => settleRule(rule, subject, moment));
  return {
    raise: parts.flatMap(({raise = []}) => raise),
    clear: parts.flatMap(({clear = []}) => clear),
    gone: parts.flatMap(({gone = []}) => gone),
    back: parts.flatMap(({back = []}) => back),
    wait: parts.flatMap(({wait = []}) => wait),
    forget: parts.flatMap(({forget = []}) => forget),
  };
}

function settleRule(
  rule: JudgedRule,
  {facts, ...known}: Subject,
  moment: Moment,
): Partial<Settlement> {
  const open = known.open.filter(({kind}) => kind === rule.kind);
  const waiting = known.waiting.filter(({kind}) => kind === rule.kind);
  const limits = moment.settings(rule.kind) ?? rule;
  const end = (reason: string) => ({clear: open.map(({id}) => ({id, reason})), forget: waiting});
  if (!limits.enabled) return end('The rule is switched off');
  if (!rule.states.has(facts.state)) return end(`The machine is ${facts.state.toUpperCase()} now`);

  const conditions = rule.judge(facts, contextOf(limits, open, moment));
  // Nobody knows whether it goes on: what waited begins anew.
  if (conditions === 'unknown') return {forget: waiting};
  const found = new Set(conditions.map(({component}) => component));
  const judged = conditions.map(condition =>
    settleCondition({rule, limits, condition}, {open, waiting}, moment.now),
  );
  const over = open.filter(({component}) => !found.has(component));
  return {
    ...settleOver(over, {rule, limits, now: moment.now}),
    raise: judged.flatMap(({raise}) => raise ?? []),
    back: judged.flatMap(({back}) => back ?? []),
    wait: judged.flatMap(({wait}) => wait ?? []),
    forget: [
      ...waiting.filter(({component}) => !found.has(component)),
      ...judged.flatMap(({forget}) => forget ?? []),
    ],
  };
}

function contextOf(
  {thresholds, windowSeconds}: RuleLimits,
  open: readonly KnownIssue[],
  {now, version}: Moment,
): JudgeContext {
  const components = new Set(open.map(({component}) => component));
  return {
    now,
    version,
    windowSeconds,
    isBad(name, value, component) {
      const threshold = thresholds[name];
      return threshold !== undefined && isBad(threshold, value, components.has(component));
    },
  };
}

/** One that holds: it goes on, is raised, or waits. */
function settleCondition(
  {
    rule,
    limits,
    condition,
  }: {
    readonly rule: JudgedRule;
    readonly limits: RuleLimits;
    readonly condition: Condition;
  },
  {open, waiting}: Pick<Subject, 'open' | 'waiting'>,
  now: Date,
): Partial<Settlement> {
  const {kind} = rule;
  const {component, since, countedSince, ...words} = condition;
  const issue = open.find(own => own.component === component);
  const waits = waiting.find(own => own.component === component);
  const forget = waits ? [waits] : [];
  const severity = limits.setSeverity ?? condition.severity ?? limits.severity;
  const began = since ?? waits?.sinceTime ?? now;
  const raise = [{...words, kind, component, severity, since: began}];
  if (issue) {
    const back = issue.goneTime ? [issue.id] : [];
    return {back, forget, ...(issue.severity === severity ? {} : {raise})};
  }
  const counted = Math.max(began.getTime(), countedSince?.getTime() ?? 0);
  if (now.getTime() - counted >= limits.raiseAfterSeconds * 1000) return {raise, forget};
  return since || waits ? {} : {wait: [{kind, component, sinceTime: now}]};
}

/** Those that hold no more. */
function settleOver(
  over: readonly KnownIssue[],
  {
    rule,
    limits: {clearAfterSeconds},
    now,
  }: {readonly rule: JudgedRule; readonly limits: RuleLimits; readonly now: Date},
): Partial<Settlement> {
  const isDue = ({goneTime}: KnownIssue) =>
    clearAfterSeconds === 0 ||
    (goneTime !== undefined && now.getTime() - goneTime.getTime() >= clearAfterSeconds * 1000);
  const reason =
    clearAfterSeconds === 0 ? rule.over : `${rule.over}, for ${lasting(clearAfterSeconds)}`;
  return {
    clear: over.filter(isDue).map(({id}) => ({id, reason})),
    gone: over.filter(issue => !isDue(issue) && !issue.goneTime).map(({id}) => id),
  };
}
