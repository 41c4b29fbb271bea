import {EventEmitter, once} from 'node:events';
import test from 'ava';
import pino from 'pino';
import {repeat} from './repeat.ts';

const hourMs = 3_600_000;

/** Nothing here waits for the interval: what runs again was woken or tried again. */
function createSubject({failures}: {failures: number}) {
  const runs = new EventEmitter<{run: [number]}>();
  const lines: {level: number; msg: string}[] = [];
  const log = pino(
    {level: 'info', base: null},
    {write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number])},
  );
  let count = 0;
  const start = () =>
    repeat({
      name: 'a task',
      intervalMs: hourMs,
      log,
      step: () => {
        count += 1;
        runs.emit('run', count);
        return count <= failures ? Promise.reject(new Error('not yet')) : Promise.resolve();
      },
    });
  return {runs, lines, start, count: () => count};
}

test('what failed is tried again long before the next interval, and told once', async t => {
  const {runs, lines, start, count} = createSubject({failures: 2});
  const succeeded = new Promise<void>(resolve => {
    runs.on('run', number => {
      if (number === 3) resolve();
    });
  });
  const repeated = start();
  await succeeded;
  await repeated[Symbol.asyncDispose]();
  t.is(count(), 3);
  t.deepEqual(
    lines.map(({msg}) => msg),
    ['task failed, will try again', 'task works again'],
  );
});

test('a wake during a run leads to one more', async t => {
  const {runs, start, count} = createSubject({failures: 0});
  const repeated = start();
  t.is(count(), 1, 'it runs at once');
  const second = once(runs, 'run');
  repeated.wake();
  repeated.wake();
  await second;
  await repeated[Symbol.asyncDispose]();
  t.is(count(), 2);
});
