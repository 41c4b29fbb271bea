import type {Logger} from '@muster/runtime/log.ts';
import type {BulkWork} from '../domain/bulk-work.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {listenFor} from '../store/notifications.ts';

/** Builds wake it; machines that come back from a boot are looked for. */
const intervalMs = 1000;
const forgetEveryMs = 3_600_000;
const bulksKeptMs = 90 * 24 * 3_600_000;

/** Carries out operations over many machines, turn by turn. Any number of servers may run it. */
export async function startBulkWorker({
  sql,
  now,
  work,
  log,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly work: BulkWork;
  readonly log: Logger;
}): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const turns = stack.use(
    repeat({
      name: 'bulks',
      intervalMs,
      log,
      step: async signal => {
        for (const {id} of await work.live()) {
          if (signal.aborted) return;
          if (await work.drive(id, signal)) turns.wake();
        }
      },
    }),
  );
  const forget = () => work.forget(new Date(now().getTime() - bulksKeptMs));
  stack.use(repeat({name: 'old bulks', intervalMs: forgetEveryMs, step: forget, log}));
  stack.use(await listenFor(sql, 'bulks', () => turns.wake()));
  stack.use(await listenFor(sql, 'builds', () => turns.wake()));
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}
