import type {Database, Sql} from '../store/db.ts';
import {listIssueFacts, type StoredFacts} from '../store/issue-facts.ts';
import * as conditions from '../store/issue-rules.ts';
import {listMachinesWithOpen, listOpenIssues, updateGoneTimes} from '../store/issues.ts';
import {findMachineForUpdate} from '../store/machines.ts';
import {type Moment, settleIssues, type Settlement, type Subject} from './issue-hysteresis.ts';
import type {JudgedRule, MachineFacts} from './issue-rule.ts';
import {issueRules, judgedRules, settingsOf} from './issue-rules.ts';
import type {Issues} from './issues.ts';
import type {MetricsStore, Sample} from './metrics.ts';
import {type BusStatus, presenceOf} from './presence.ts';

const source = 'rules';
const actor = 'system';
/** What a machine measured before is no longer told as if it were so now. */
const sampleAgeMsMax = 300_000;
const switchedOffMax = 500;

export type IssueEvaluation = ReturnType<typeof createIssueEvaluation>;

/**
 * Asks the rules about machines, and keeps what follows. A machine of which nothing changes costs its share of a few statements; only one that gets
 * or loses an issue costs a transaction.
 */
export function createIssueEvaluation({
  sql,
  now,
  issues,
  metrics,
  busStatus,
  version,
  rules = judgedRules,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly issues: Pick<Issues, 'review'>;
  readonly metrics: Pick<MetricsStore, 'latestOf'>;
  readonly busStatus: () => BusStatus;
  /** The server's own. */
  readonly version: string;
  readonly rules?: readonly JudgedRule[];
}) {
  async function openMoment(tx: Sql): Promise<Moment> {
    const settings = settingsOf(await conditions.listRuleOverrides(tx));
    return {now: now(), version, settings};
  }

  async function load(
    tx: Sql,
    machineIds: readonly string[],
    moment: Moment,
    knownSamples?: ReadonlyMap<string, Sample>,
  ): Promise<ReadonlyMap<string, Subject>> {
    const windowSeconds = moment.settings('crash_loop')?.windowSeconds ?? 0;
    const bootsSince = new Date(moment.now.getTime() - windowSeconds * 1000);
    const [stored, open, waiting] = await Promise.all([
      listIssueFacts(tx, machineIds, {bootsSince}),
      listOpenIssues(tx, {machineIds, source, now: moment.now}),
      conditions.listConditions(tx, machineIds),
    ]);
    const samples = knownSamples ?? (await samplesOf(stored, moment.now));
    const openOf = Map.groupBy(open, ({machineId}) => machineId);
    const waitingOf = Map.groupBy(waiting, ({machineId}) => machineId);
    return new Map(
      stored.map(facts => [
        facts.id,
        {
          facts: complete(facts, samples.get(facts.id), moment.now),
          open: openOf.get(facts.id) ?? [],
          waiting: waitingOf.get(facts.id) ?? [],
        },
      ]),
    );
  }

  /** Only those that are heard have measured something of late. */
  async function samplesOf(stored: readonly StoredFacts[], time: Date) {
    const since = new Date(time.getTime() - sampleAgeMsMax);
    const heard = stored.filter(({lastSeenTime}) => lastSeenTime && lastSeenTime >= since);
    const samples = await metrics.latestOf(
      heard.map(({id}) => id),
      since,
    );
    return new Map([...samples].filter(([, sample]) => sample.time >= since));
  }

  function complete(facts: StoredFacts, sample: Sample | undefined, time: Date): MachineFacts {
    const status = busStatus();
    const presence = presenceOf(facts.lastSeenTime, time, status);
    return {...facts, sample, presence, listeningSince: status.since};
  }

  /** What is only noted: nobody is told, and the first who notes it is kept. */
  async function note(tx: Sql, settled: readonly (readonly [string, Settlement])[], time: Date) {
    const all = <T>(pick: (settlement: Settlement) => readonly T[]) =>
      settled.flatMap(([machineId, settlement]) =>
        pick(settlement).map(item => ({machineId, ...item})),
      );
    const ids = (pick: (settlement: Settlement) => readonly string[]) =>
      settled.flatMap(([, settlement]) => pick(settlement));
    await updateGoneTimes(
      tx,
      ids(({gone}) => gone),
      time,
    );
    await updateGoneTimes(
      tx,
      ids(({back}) => back),
      undefined,
    );
    await conditions.deleteConditions(
      tx,
      all(({forget}) => forget),
    );
    await conditions.addConditions(
      tx,
      all(({wait}) => wait),
    );
  }

  /**
   * Judged once more with the machine's row held: another server may have been faster, or the machine have changed. By the sample from before: what
   * is in a transaction does not ask for a second connection.
   */
  const change = (machineId: string, sample: Sample | undefined): Promise<void> =>
    sql.begin(async tx => {
      if (!(await findMachineForUpdate(tx, machineId))) return;
      const moment = await openMoment(tx);
      const samples = new Map(sample ? [[machineId, sample]] : []);
      const subject = (await load(tx, [machineId], moment, samples)).get(machineId);
      if (!subject) return;
      const settlement = settleIssues(rules, subject, moment);
      await note(tx, [[machineId, settlement]], moment.now);
      await issues.review(tx, {machineId, source, actor}, () => settlement);
    });

  return {
    /** Gives how many machines got or lost an issue. */
    async evaluate(machineIds: readonly string[], signal?: AbortSignal): Promise<number> {
      if (machineIds.length === 0) return 0;
      const moment = await openMoment(sql);
      const subjects = await load(sql, machineIds, moment);
      const settled = [...subjects].map(
        ([machineId, subject]) => [machineId, settleIssues(rules, subject, moment)] as const,
      );
      const isQuiet = ([, {raise, clear}]: (typeof settled)[number]) =>
        raise.length === 0 && clear.length === 0;
      await note(sql, settled.filter(isQuiet), moment.now);
      const changing = settled.filter(one => !isQuiet(one));
      for (const [machineId] of changing) {
        if (signal?.aborted) break;
        await change(machineId, subjects.get(machineId)?.facts.sample);
      }
      return changing.length;
    },

    /** Ends issues of rules that are switched off, of whatever source: at most 500 machines at once. */
    async clearSwitchedOff(): Promise<void> {
      const {settings} = await openMoment(sql);
      const off = issueRules.filter(({kind}) => settings(kind)?.enabled === false);
      const found = await listMachinesWithOpen(
        sql,
        off.map(({kind}) => kind),
        switchedOffMax,
      );
      for (const about of found)
        await sql.begin(async tx => {
          if (await findMachineForUpdate(tx, about.machineId))
            await issues.review(tx, {...about, actor}, () => ({raise: [], clear: []}));
        });
    },
  };
}
