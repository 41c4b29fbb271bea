import type {Logger} from '@muster/runtime/log.ts';
import {repeat} from '../repeat.ts';
import {isAnswering, type Database} from '../store/db.ts';

const intervalMs = 2000;

/** Whether PostgreSQL answered at the last look, which is at most a few seconds old: `/readyz` must not wait for it. */
export function watchDatabase(sql: Database, log: Logger): AsyncDisposable & {isUp: () => boolean} {
  let up = true;
  const watch = repeat({
    name: 'watch the database',
    intervalMs,
    log,
    step: async () => {
      up = await isAnswering(sql);
    },
  });
  return {isUp: () => up, [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose]()};
}
