import type {Limits} from '../store/issue-rules.ts';
import type {StoredFacts} from '../store/issue-facts.ts';
import type {Severity} from '../store/issues.ts';
import type {MachineState} from '../store/machines.ts';
import type {Sample} from '../store/metrics.ts';
import {accepted} from './lifecycle.ts';
import type {Presence} from './presence.ts';

/** Everything that rules are asked about one machine, at one moment. */
export type MachineFacts = StoredFacts & {
  readonly presence: Presence;
  /** Since when this server hears: silence before says nothing. */
  readonly listeningSince: Date;
  /** Undefined when there is none of the last minutes. */
  readonly sample: Sample | undefined;
};

/** A number that makes an issue. Two limits, so that a value that trembles about one of them does not raise and clear. */
export type Threshold = Limits & {
  readonly unit: string;
  /** Low values are bad. */
  readonly below?: boolean;
  /** What may be set. */
  readonly min: number;
  readonly max: number;
};

/** Something that holds now. */
export type Condition = {
  readonly component: string;
  readonly summary: string;
  /** One sentence that a person at the rack can act on. */
  readonly nextStep: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  /** When it began; undefined where no fact tells: then when it was noticed. */
  readonly since?: Date | undefined;
  /** From when its lasting counts, when that is later: nobody looked before. */
  readonly countedSince?: Date;
  /** In place of the rule's. */
  readonly severity?: Severity;
};

export type JudgeContext = {
  readonly now: Date;
  /** The server's own, which agents should have. */
  readonly version: string;
  readonly windowSeconds: number;
  /** Whether a value is bad: from `raiseAt` on, and down to `clearAt` for a component that has an issue. */
  readonly isBad: (threshold: string, value: number, component: string) => boolean;
};

/** What holds; `unknown` when the facts do not tell, and everything stays as it is. */
export type Judge = (
  facts: MachineFacts,
  context: JudgeContext,
) => readonly Condition[] | 'unknown';

export type RuleLimits = {
  readonly enabled: boolean;
  readonly severity: Severity;
  /** What an operator set, also where a finding would have another. */
  readonly setSeverity?: Severity | undefined;
  /** How long it has to last before it is an issue. */
  readonly raiseAfterSeconds: number;
  /** How long it has to be over before the issue is cleared. */
  readonly clearAfterSeconds: number;
  /** In which time things are counted; 0 where none are. */
  readonly windowSeconds: number;
  readonly thresholds: Readonly<Record<string, Threshold>>;
};

export type IssueRule = RuleLimits & {
  readonly kind: string;
  /** "hardware": judged with each inventory, in hardware-issues.ts. "rules": judged by the sweep. */
  readonly source: 'rules' | 'hardware';
  readonly title: string;
};

export type JudgedRule = IssueRule & {
  readonly source: 'rules';
  readonly judge: Judge;
  /** Why an issue is cleared when it does not hold any more. */
  readonly over: string;
  /** In others nothing holds, at once. */
  readonly states: ReadonlySet<MachineState>;
};

export const always = {enabled: true, windowSeconds: 0, thresholds: {}} as const;

/** In service, or on its way there. */
export const inService: ReadonlySet<MachineState> = new Set([...accepted, 'discovered', 'pending']);

export function isBad(
  {raiseAt, clearAt, below = false}: Threshold,
  value: number,
  isOpen: boolean,
): boolean {
  const limit = isOpen ? clearAt : raiseAt;
  return below ? value <= limit : value >= limit;
}

/** "90 seconds", "5 minutes", "3 hours", "2 days" */
export function lasting(seconds: number): string {
  for (const [unitSeconds, name] of [
    [86_400, 'days'],
    [3600, 'hours'],
    [60, 'minutes'],
  ] as const)
    if (seconds >= 2 * unitSeconds) return `${Math.floor(seconds / unitSeconds)} ${name}`;
  return `${Math.floor(seconds)} seconds`;
}
