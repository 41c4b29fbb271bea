import type {Logger} from '@muster/runtime/log.ts';
import type {IssueEvaluation} from '../domain/issue-evaluation.ts';
import type {IssueMutes} from '../domain/issue-mutes.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {listMachineIds, listTouchedMachines} from '../store/issue-facts.ts';
import {findJournalHead} from '../store/journal.ts';
import type {WakeUps} from '../wake-ups.ts';

const turnMs = 1000;
/** Of a turn: one page of the sweep and one of machines that something happened to. A sweep of 100,000 machines takes 200 s. */
const pageMax = 500;
const sweepEveryMs = 30_000;
/** Machines that wait because something happened to them; the sweep comes to the others. */
const touchedMax = 10_000;
const eventsBehindMax = 20_000;
const upkeepEveryMs = 10_000;

/**
 * Asks the rules for issues about machines: within a second about those that the journal tells of, and in turn about all of them, for what comes
 * with time alone. Any number of servers may run it: each hears agents by itself.
 */
export function startIssueWorker({
  sql,
  evaluation,
  mutes,
  positions,
  log,
}: {
  readonly sql: Database;
  readonly evaluation: IssueEvaluation;
  readonly mutes: Pick<IssueMutes, 'expire'>;
  /** Told when the journal got new positions. */
  readonly positions: Pick<WakeUps, 'version'>;
  readonly log: Logger;
}): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  const touched = followJournal(sql, positions);
  stack.use(
    repeat({
      name: 'issues of machines that changed',
      intervalMs: turnMs,
      log,
      step: async signal => {
        await evaluation.evaluate(await touched.take(), signal);
      },
    }),
  );
  const sweep = createSweep(sql);
  stack.use(
    repeat({
      name: 'issues',
      intervalMs: turnMs,
      log,
      step: async signal => {
        const page = await sweep.page();
        await evaluation.evaluate(page, signal);
        // Only now: a page that failed comes again.
        sweep.done(page);
      },
    }),
  );
  stack.use(
    repeat({
      name: 'upkeep of issues',
      intervalMs: upkeepEveryMs,
      log,
      step: async signal => {
        await evaluation.clearSwitchedOff();
        while (!signal.aborted && (await mutes.expire()));
      },
    }),
  );
  return stack;
}

/** Machines that the journal tells of since the start, each once. */
function followJournal(sql: Database, positions: Pick<WakeUps, 'version'>) {
  const waiting = new Set<string>();
  let after: number | undefined;
  let seen = -1;

  async function look(): Promise<void> {
    const {version} = positions;
    if (version === seen) return;
    const head = (await findJournalHead(sql))?.position ?? 0;
    // What came before the start, and what is too much to read, the sweep finds.
    const from = Math.max(after ?? head, head - eventsBehindMax);
    for (const machineId of await listTouchedMachines(sql, {after: from, upTo: head}))
      if (waiting.size < touchedMax) waiting.add(machineId);
    after = head;
    seen = version;
  }

  return {
    async take(): Promise<readonly string[]> {
      await look();
      const page = [...waiting].slice(0, pageMax);
      for (const machineId of page) waiting.delete(machineId);
      return page;
    },
  };
}

/** All machines, page by page; then nothing until it is time again. */
function createSweep(sql: Database) {
  let after: string | undefined;
  let startMs = -Infinity;
  return {
    async page(): Promise<readonly string[]> {
      if (after === undefined) {
        if (performance.now() - startMs < sweepEveryMs) return [];
        startMs = performance.now();
      }
      return listMachineIds(sql, after, pageMax);
    },
    done(page: readonly string[]): void {
      after = page.length < pageMax ? undefined : page.at(-1);
    },
  };
}
