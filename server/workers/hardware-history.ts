import type {Logger} from '@muster/runtime/log.ts';
import {repeat} from '../repeat.ts';
import {deleteStaysBefore} from '../store/components.ts';
import type {Database} from '../store/db.ts';
import {deleteVersionsBefore} from '../store/hardware-versions.ts';
import {deleteClearedIssues} from '../store/issues.ts';

const cleanEveryMs = 60 * 60_000;
const dayMs = 86_400_000;
const clearedIssuesOfMachineKept = 1000;

/** Forgets what is older than the history goes. Any number of servers may run it. */
export function startHardwareHistory({
  sql,
  now,
  historyDays,
  log,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly historyDays: number;
  readonly log: Logger;
}): AsyncDisposable {
  async function clean(): Promise<void> {
    const before = new Date(now().getTime() - historyDays * dayMs);
    await deleteVersionsBefore(sql, before);
    await deleteStaysBefore(sql, before);
    await deleteClearedIssues(sql, {before, ofMachineKept: clearedIssuesOfMachineKept});
  }

  return repeat({name: 'hardware history', intervalMs: cleanEveryMs, step: clean, log});
}
