import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {listRuleOverrides} from '../store/issue-rules.ts';
import * as store from '../store/issues.ts';
import type {Issue, IssueFilter, IssueTally, Severity} from '../store/issues.ts';
import {concealIssue, concealIssues} from './concealed-issues.ts';
import type {Deps} from './deps.ts';
import {parsePageToken} from './ids.ts';
import {createIssueEvents} from './issue-events.ts';
import {type RuleSettings, settingsOf} from './issue-rules.ts';

export type {Issue, IssueFilter, IssueTally, Severity} from '../store/issues.ts';

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
  /** When it began; now when nobody knows. */
  readonly since?: Date;
};

export type OpenIssue = Pick<Issue, 'id' | 'kind' | 'component' | 'evidence'>;

/** A source's word on a machine: what is wrong, and which of its open issues are over. */
export type Judgement = {
  readonly raise: readonly Finding[];
  readonly clear: readonly {readonly id: string; readonly reason: string}[];
};

/** Something that happened, not something that goes on: whoever acknowledges it has dealt with it. */
const occurrences: ReadonlySet<string> = new Set(['component_swapped']);
/** Found anew at each look: ended by hand they would be there again within a minute. */
const lookedAt: ReadonlySet<string> = new Set(['rules']);

export type Issues = ReturnType<typeof createIssues>;

/** What is wrong with machines. Sources hand in judgements; one issue is open for each machine, source, kind and component. */
export function createIssues({sql, now, newId}: Deps) {
  const append = createIssueEvents({now, newId});

  async function lock(tx: Sql, id: string): Promise<Issue> {
    const issue = await store.findIssueForUpdate(tx, id, now());
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

  async function raise(
    tx: Sql,
    {since, ...finding}: Finding,
    about: {readonly machineId: string; readonly source: string; readonly actor: string},
  ): Promise<void> {
    const {actor, ...place} = about;
    const id = newId();
    const time = now();
    const found = {...finding, ...place, id, sinceTime: since ?? time, raiseTime: time};
    if (!(await store.insertIssue(tx, found))) return;
    const issue = await lock(tx, id);
    await append(tx, 'issue.raised', {issue, actor, data: wordsOf(issue)});
  }

  /** The same issue with another severity is worse or better than it was. */
  async function change(tx: Sql, known: Issue, finding: Finding, actor: string): Promise<void> {
    if (known.severity === finding.severity) return;
    const {severity, summary, nextStep, evidence} = finding;
    const issue = {...known, severity, summary, nextStep, evidence};
    await store.updateFinding(tx, issue);
    const data = {...wordsOf(issue), severityBefore: known.severity};
    await append(tx, 'issue.changed', {issue, actor, data});
  }

  return {
    /**
     * In the transaction of the report; the caller holds the machine's row. `judge` gets the open issues of this source, and what operators set of
     * the rules. Clearing comes first, so that the same component may be raised anew.
     */
    async review(
      tx: Sql,
      about: {readonly machineId: string; readonly source: string; readonly actor: string},
      judge: (open: readonly Issue[], settings: RuleSettings) => Judgement,
    ): Promise<void> {
      const {machineId, source, actor} = about;
      const [open, overrides] = await Promise.all([
        store.listOpenIssues(tx, {machineIds: [machineId], source, now: now()}),
        listRuleOverrides(tx),
      ]);
      const settings = settingsOf(overrides);
      const judgement = judge(open, settings);
      const reasons = new Map(judgement.clear.map(({id, reason}) => [id, reason]));
      for (const {id, kind} of open)
        if (settings(kind)?.enabled === false) reasons.set(id, 'The rule is switched off');
      for (const issue of open) {
        const reason = reasons.get(issue.id);
        if (reason) await end(tx, issue, {actor, reason});
      }
      const kept = new Map(
        open.filter(({id}) => !reasons.has(id)).map(issue => [keyOf(issue), issue]),
      );
      let room = Math.max(0, openOfMachineMax - kept.size);
      for (const finding of judgement.raise) {
        const limits = settings(finding.kind);
        if (limits?.enabled === false) continue;
        const set = {...finding, severity: limits?.setSeverity ?? finding.severity};
        const known = kept.get(keyOf(finding));
        if (known) await change(tx, known, set, actor);
        else if (room-- > 0) await raise(tx, set, about);
      }
    },

    /** Newest first. `pageSize` 0 is 50. */
    async list({
      pageSize,
      pageToken,
      ...filter
    }: IssueFilter & {readonly pageSize: number; readonly pageToken: string}) {
      const limit = pageSize || pageSizeDefault;
      const before = parsePageToken(pageToken);
      const page = {...filter, before, limit: limit + 1, now: now()};
      const issues = await store.listIssues(sql, page);
      const nextPageToken = issues.length > limit ? (issues[limit - 1]?.id ?? '') : '';
      return {issues: await concealIssues(sql, issues.slice(0, limit)), nextPageToken};
    },

    /** Of open issues. */
    count: (): Promise<readonly IssueTally[]> => store.countOpenIssues(sql, now()),

    /** Throws not_found. */
    async get(id: string): Promise<Issue> {
      const issue = await store.findIssue(sql, id, now());
      if (!issue) throw notFound(id);
      return concealIssue(sql, issue);
    },

    /** The first who does is kept. One that is over stays what it is. */
    acknowledge: async (actor: string, id: string, note: string): Promise<Issue> => {
      const known = await sql.begin(async tx => {
        const issue = await lock(tx, id);
        if (issue.clearTime || issue.acknowledgeTime) return issue;
        const change = {acknowledgeTime: now(), acknowledgedBy: actor, note};
        await store.updateIssue(tx, id, change);
        const known = {...issue, ...change};
        await append(tx, 'issue.acknowledged', {issue: known, actor, data: {note}});
        if (!occurrences.has(issue.kind)) return known;
        return end(tx, known, {actor, reason: `Acknowledged by ${actor}`});
      });
      return concealIssue(sql, known);
    },

    /** One that is over stays what it is. Throws failed_precondition for one that would come again at once. */
    clear: async (actor: string, id: string, reason: string): Promise<Issue> => {
      const cleared = await sql.begin(async tx => {
        const issue = await lock(tx, id);
        if (issue.clearTime) return issue;
        if (lookedAt.has(issue.source))
          throw new DomainError(
            'failed_precondition',
            `Cannot clear issue "${id}": it is looked at all the time and clears by itself when it is over; acknowledge it, or mute it for a while`,
          );
        return end(tx, issue, {actor, reason: reason || `Cleared by ${actor}`});
      });
      return concealIssue(sql, cleared);
    },
  };
}

const wordsOf = ({nextStep, evidence, sinceTime}: Issue) => ({
  nextStep,
  evidence,
  since: sinceTime.toISOString(),
});

const keyOf = ({kind, component}: Pick<Issue, 'kind' | 'component'>): string =>
  `${kind}\n${component}`;

function notFound(id: string): DomainError {
  return new DomainError('not_found', `Cannot find issue "${id}"`);
}
