import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/issues.ts';
import type {Issue, Severity} from '../store/issues.ts';
import type {Deps} from './deps.ts';
import {parsePageToken} from './ids.ts';

export type {Issue, Severity} from '../store/issues.ts';

const pageSizeDefault = 50;
/** Of one source: a machine that reports nonsense does not fill the table. */
const openOfMachineMax = 256;

/** What a source found wrong. */
export type Finding = {
  readonly kind: string;
  /** Names what it is about, within the machine and the kind. */
  readonly component: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly nextStep: string;
  readonly evidence: Readonly<Record<string, unknown>>;
};

export type OpenIssue = Pick<Issue, 'id' | 'kind' | 'component' | 'evidence'>;

/** A source's word on a machine: what is wrong, and which of its open issues are over. */
export type Judgement = {
  readonly raise: readonly Finding[];
  readonly clear: readonly {readonly id: string; readonly reason: string}[];
};

/** Something that happened, not something that goes on: whoever acknowledges it has dealt with it. */
const occurrences: ReadonlySet<string> = new Set(['component_swapped']);

export type Issues = ReturnType<typeof createIssues>;

/** What is wrong with machines. Sources hand in judgements; one issue is open for each machine, source, kind and component. */
export function createIssues({sql, now, newId}: Deps) {
  async function append(
    tx: Sql,
    type: string,
    {issue, actor, data}: {issue: Issue; actor: string; data: Record<string, unknown>},
  ): Promise<void> {
    const {id, machineId, source, kind, component, severity, summary} = issue;
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor,
      machineId,
      subject: `issues/${id}`,
      data: {source, kind, component, severity, summary, ...data},
    });
  }

  async function lock(tx: Sql, id: string): Promise<Issue> {
    const issue = await store.findIssueForUpdate(tx, id);
    if (!issue) throw notFound(id);
    return issue;
  }

  async function end(
    tx: Sql,
    issue: Issue,
    {actor, reason}: {readonly actor: string; readonly reason: string},
  ): Promise<Issue> {
    const change = {clearTime: now(), clearReason: reason};
    await store.updateIssue(tx, issue.id, change);
    await append(tx, 'issue.cleared', {issue, actor, data: {reason}});
    return {...issue, ...change};
  }

  return {
    /**
     * In the transaction of the report; the caller holds the machine's row. `judge` gets the open issues of this source. Clearing comes first, so
     * that the same component may be raised anew.
     */
    async review(
      tx: Sql,
      about: {readonly machineId: string; readonly source: string; readonly actor: string},
      judge: (open: readonly OpenIssue[]) => Judgement,
    ): Promise<void> {
      const {machineId, source, actor} = about;
      const open = await store.listOpenIssues(tx, machineId, source);
      const {raise, clear} = judge(open);
      const reasons = new Map(clear.map(({id, reason}) => [id, reason]));
      for (const issue of open) {
        const reason = reasons.get(issue.id);
        if (reason) await end(tx, issue, {actor, reason});
      }
      const kept = open.filter(({id}) => !reasons.has(id));
      const known = new Set(kept.map(keyOf));
      const fresh = raise.filter(finding => !known.has(keyOf(finding)));
      for (const finding of fresh.slice(0, Math.max(0, openOfMachineMax - kept.length))) {
        const found = {...finding, id: newId(), machineId, source, raiseTime: now()};
        if (!(await store.insertIssue(tx, found))) continue;
        const {nextStep, evidence} = finding;
        const issue = {...found, ...notYet};
        await append(tx, 'issue.raised', {issue, actor, data: {nextStep, evidence}});
      }
    },

    /** Newest first. `pageSize` 0 is 50. */
    async list(page: {
      readonly machineId: string | undefined;
      readonly source: string;
      readonly kind: string;
      readonly includeCleared: boolean;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const limit = page.pageSize || pageSizeDefault;
      const before = parsePageToken(page.pageToken);
      const issues = await store.listIssues(sql, {...page, before, limit: limit + 1});
      const nextPageToken = issues.length > limit ? (issues[limit - 1]?.id ?? '') : '';
      return {issues: issues.slice(0, limit), nextPageToken};
    },

    /** Throws not_found. */
    async get(id: string): Promise<Issue> {
      const issue = await store.findIssue(sql, id);
      if (!issue) throw notFound(id);
      return issue;
    },

    /** The first who does is kept. One that is over stays what it is. */
    acknowledge: (actor: string, id: string, note: string): Promise<Issue> =>
      sql.begin(async tx => {
        const issue = await lock(tx, id);
        if (issue.clearTime || issue.acknowledgeTime) return issue;
        const change = {acknowledgeTime: now(), acknowledgedBy: actor, note};
        await store.updateIssue(tx, id, change);
        const known = {...issue, ...change};
        await append(tx, 'issue.acknowledged', {issue: known, actor, data: {note}});
        if (!occurrences.has(issue.kind)) return known;
        return end(tx, known, {actor, reason: `Acknowledged by ${actor}`});
      }),

    /** One that is over stays what it is. */
    clear: (actor: string, id: string, reason: string): Promise<Issue> =>
      sql.begin(async tx => {
        const issue = await lock(tx, id);
        if (issue.clearTime) return issue;
        return end(tx, issue, {actor, reason: reason || `Cleared by ${actor}`});
      }),
  };
}

const notYet = {
  acknowledgeTime: undefined,
  acknowledgedBy: '',
  note: '',
  clearTime: undefined,
  clearReason: '',
} as const;

const keyOf = ({kind, component}: Pick<Issue, 'kind' | 'component'>): string =>
  `${kind}\n${component}`;

function notFound(id: string): DomainError {
  return new DomainError('not_found', `Cannot find issue "${id}"`);
}
