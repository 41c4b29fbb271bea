import type {Logger} from '@muster/runtime/log.ts';
import type {Boot} from '../domain/boot.ts';
import type {BootSessions} from '../domain/boot-sessions.ts';
import type {Trials} from '../domain/trials.ts';
import {repeat} from '../repeat.ts';
import {deleteOldAgentRecords} from '../store/agents.ts';
import {
  deleteBootSessionsBefore,
  deleteSurplusBootSessions,
  takeSilentBootSessions,
} from '../store/boot-sessions.ts';
import {deleteCommandsBefore} from '../store/commands.ts';
import type {Database} from '../store/db.ts';

const checkEveryMs = 5000;
const cleanEveryMs = 10 * 60_000;
/** Silence that ends a boot session (DESIGN §4). */
const silenceMs = 120_000;
const batchMax = 100;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const sessionsKeptMs = 30 * dayMs;
const sessionsOfMachineKept = 500;
const commandsKeptMs = 30 * dayMs;
/** Longer than the REPORTS stream keeps a report: until then it may come again. */
const reportsKeptMs = 3 * dayMs;
const keysKeptMs = 90 * dayMs;

/** What happens to machines because time passes. Any number of servers may run it: each row is taken by one. */
export function startMachineReconciler({
  sql,
  now,
  bootSessions,
  boot,
  trials,
  log,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly bootSessions: BootSessions;
  readonly boot: Boot;
  readonly trials: Trials;
  readonly log: Logger;
}): AsyncDisposable {
  const ago = (ms: number) => new Date(now().getTime() - ms);

  /** A transaction each: machines that come back meanwhile wait for one session, not for a hundred. False when there is none. */
  const stallOne = (): Promise<boolean> =>
    sql.begin(async tx => {
      const [session] = await takeSilentBootSessions(tx, ago(silenceMs), 1);
      if (session) await bootSessions.stall(tx, session);
      return session !== undefined;
    });

  async function check(): Promise<void> {
    for (let count = 0; count < batchMax && (await stallOne()); count++);
    await trials.judgeAll();
    await boot.expireOverrides();
  }

  async function clean(): Promise<void> {
    await deleteBootSessionsBefore(sql, ago(sessionsKeptMs));
    await deleteSurplusBootSessions(sql, sessionsOfMachineKept);
    await deleteCommandsBefore(sql, ago(commandsKeptMs));
    const before = {tokens: ago(hourMs), reports: ago(reportsKeptMs), keys: ago(keysKeptMs)};
    await deleteOldAgentRecords(sql, before);
  }

  const stack = new AsyncDisposableStack();
  stack.use(repeat({name: 'machines', intervalMs: checkEveryMs, step: check, log}));
  stack.use(repeat({name: 'machine records', intervalMs: cleanEveryMs, step: clean, log}));
  return stack;
}
