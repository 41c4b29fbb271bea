import type {IssueRule} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {severityOf} from './issue-words.ts';

export type ThresholdDraft = {
  readonly name: string;
  readonly raiseAt: string;
  readonly clearAt: string;
};
/** What the form holds; numbers as they are typed, times in seconds. */
export type RuleDraft = {
  readonly enabled: boolean;
  readonly severity: string;
  readonly raiseAfter: string;
  readonly clearAfter: string;
  readonly window: string;
  readonly thresholds: readonly ThresholdDraft[];
};

export const draftOf = (rule: IssueRule): RuleDraft => ({
  enabled: rule.enabled,
  severity: String(rule.severity),
  raiseAfter: String(rule.raiseAfterSeconds),
  clearAfter: String(rule.clearAfterSeconds),
  window: String(rule.windowSeconds),
  thresholds: rule.thresholds.map(({name, raiseAt, clearAt}) => ({
    name,
    raiseAt: String(raiseAt),
    clearAt: String(clearAt),
  })),
});

export const requestOf = (rule: IssueRule, draft: RuleDraft) => ({
  kind: rule.kind,
  enabled: draft.enabled,
  severity: severityOf(draft.severity),
  raiseAfterSeconds: Number(draft.raiseAfter),
  clearAfterSeconds: Number(draft.clearAfter),
  ...(rule.windowSeconds > 0 && {windowSeconds: Number(draft.window)}),
  thresholds: draft.thresholds.map(({name, raiseAt, clearAt}) => ({
    name,
    raiseAt: Number(raiseAt),
    clearAt: Number(clearAt),
  })),
});
