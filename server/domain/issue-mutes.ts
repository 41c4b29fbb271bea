import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/issue-mutes.ts';
import type {MuteTarget, StoredMute} from '../store/issue-mutes.ts';
import {findIssue, findIssueForUpdate, type Issue} from '../store/issues.ts';
import {concealIssue} from './concealed-issues.ts';
import type {Deps} from './deps.ts';
import {createIssueEvents} from './issue-events.ts';
import {findRule} from './issue-rules.ts';
import {parseDurationMs} from './moments.ts';

const muteMsMax = 366 * 86_400_000;
const expiredAtOnceMax = 100;

export type MuteWish = {
  readonly actor: string;
  /** A duration: "8h". */
  readonly lasting: string;
  readonly reason: string;
};

export type IssueMutes = ReturnType<typeof createIssueMutes>;

/** For a while an issue, or all of a kind, is shown as muted and counted nowhere. */
export function createIssueMutes({sql, now, newId}: Deps) {
  const append = createIssueEvents({now, newId});

  async function lock(tx: Sql, id: string): Promise<Issue> {
    const issue = await findIssueForUpdate(tx, id, now());
    if (!issue) throw new DomainError('not_found', `Cannot find issue "${id}"`);
    return issue;
  }

  async function save(tx: Sql, target: MuteTarget, wish: MuteWish): Promise<StoredMute> {
    const time = now();
    const mute = {
      ...target,
      id: newId(),
      expireTime: new Date(time.getTime() + muteMs(wish.lasting)),
      reason: wish.reason,
      mutedBy: wish.actor,
    };
    await store.saveMute(tx, {...mute, createTime: time});
    return mute;
  }

  /** What is not about one issue. */
  async function tell(
    tx: Sql,
    type: 'issue.muted' | 'issue.unmuted',
    {
      target: {kind, machineId},
      actor,
      data,
    }: {
      readonly target: MuteTarget;
      readonly actor: string;
      readonly data: Readonly<Record<string, unknown>>;
    },
  ): Promise<void> {
    const subject = machineId === undefined ? `issue-rules/${kind}` : `machines/${machineId}`;
    const scope = machineId === undefined ? 'rule' : 'machine';
    const event = {id: newId(), time: now(), type, actor, machineId, subject};
    await appendEvent(tx, {...event, data: {kind, scope, ...data}});
  }

  return {
    /** Throws not_found, failed_precondition for one that is over, invalid_argument. */
    async mute(id: string, scope: 'issue' | 'machine', wish: MuteWish): Promise<Issue> {
      const issue = await sql.begin(async tx => {
        const issue = await lock(tx, id);
        if (issue.clearTime)
          throw new DomainError(
            'failed_precondition',
            `Cannot mute issue "${id}": it was cleared at ${issue.clearTime.toISOString()}`,
          );
        const {kind, machineId} = issue;
        const issueId = scope === 'issue' ? id : undefined;
        const {expireTime, reason} = await save(tx, {kind, machineId, issueId}, wish);
        const muted = await lock(tx, id);
        const data = {scope, reason, expireTime: expireTime.toISOString()};
        await append(tx, 'issue.muted', {issue: muted, actor: wish.actor, data});
        return muted;
      });
      return concealIssue(sql, issue);
    },

    /** Throws not_found, and failed_precondition while the whole rule is muted. */
    async unmute(actor: string, id: string): Promise<Issue> {
      const unmuted = await sql.begin(async tx => {
        const {kind, machineId} = await lock(tx, id);
        const ofIssue = await store.deleteMute(tx, {kind, machineId, issueId: id});
        const ofMachine = await store.deleteMute(tx, {kind, machineId, issueId: undefined});
        const issue = await lock(tx, id);
        if (issue.mute)
          throw new DomainError(
            'failed_precondition',
            `Cannot unmute issue "${id}": the whole rule "${kind}" is muted; unmute the rule`,
          );
        if (ofIssue || ofMachine) await append(tx, 'issue.unmuted', {issue, actor, data: {}});
        return issue;
      });
      return concealIssue(sql, unmuted);
    },

    /** Throws not_found, invalid_argument. */
    muteRule: (kind: string, wish: MuteWish): Promise<void> =>
      sql.begin(async tx => {
        const target = ruleTarget(kind);
        const {expireTime, reason} = await save(tx, target, wish);
        const data = {reason, expireTime: expireTime.toISOString()};
        await tell(tx, 'issue.muted', {target, actor: wish.actor, data});
      }),

    unmuteRule: (actor: string, kind: string): Promise<void> =>
      sql.begin(async tx => {
        const target = ruleTarget(kind);
        if (await store.deleteMute(tx, target))
          await tell(tx, 'issue.unmuted', {target, actor, data: {}});
      }),

    /** Ends those whose time is over, a hundred at once; true when there may be more. Any number of servers may do it. */
    expire: (): Promise<boolean> =>
      sql.begin(async tx => {
        const expired = await store.takeExpiredMutes(tx, now(), expiredAtOnceMax);
        const data = {reason: 'Its time is over'};
        for (const target of expired) {
          const {issueId} = target;
          const issue = issueId && (await findIssue(tx, issueId, now()));
          if (issue) await append(tx, 'issue.unmuted', {issue, actor: 'system', data});
          else if (!issueId) await tell(tx, 'issue.unmuted', {target, actor: 'system', data});
        }
        return expired.length === expiredAtOnceMax;
      }),
  };
}

function muteMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > 0 && ms <= muteMsMax) return ms;
  throw new DomainError(
    'invalid_argument',
    `Cannot mute for "${text}": say more than nothing and at most 366 days, for example "8h" or "7d"`,
  );
}

function ruleTarget(kind: string): MuteTarget {
  if (findRule(kind)) return {kind, machineId: undefined, issueId: undefined};
  throw unknownRule(kind);
}

export function unknownRule(kind: string): DomainError {
  return new DomainError(
    'not_found',
    `Cannot find rule "${kind}" for issues: "muster issues rules" lists them`,
  );
}
