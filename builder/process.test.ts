import {readFile} from 'node:fs/promises';
import test from 'ava';
import {ProgramError, runProgram} from './process.ts';

const quiet = () => new AbortController().signal;

test('output is returned, lines are passed on, and the environment is only what was given', async t => {
  const lines: string[] = [];
  const output = await runProgram('sh', ['-c', 'echo "$SECRET-$GIVEN"; echo aside >&2'], {
    signal: quiet(),
    env: {GIVEN: 'x'},
    onLine: line => lines.push(line),
  });
  t.is(output, '-x\n');
  t.deepEqual(lines.sort(), ['-x', 'aside']);
});

test('a failure carries the status and the last lines', async t => {
  const error = await t.throwsAsync(
    runProgram('sh', ['-c', 'echo one >&2; echo two >&2; exit 3'], {signal: quiet()}),
    {instanceOf: ProgramError},
  );
  t.is(error?.message, '"sh" ended with status 3: one | two');
});

test('a program that does not exist is an error', async t => {
  await t.throwsAsync(runProgram('no-such-program', [], {signal: quiet()}), {
    message: /no-such-program/,
  });
});

test('an abort ends the whole group, also one that ignores interrupts', async t => {
  const stop = new AbortController();
  const pids: number[] = [];
  const running = runProgram(
    'sh',
    ['-c', 'trap "" INT; sh -c \'trap "" INT; echo $$; sleep 600\' & echo $$; wait'],
    {
      signal: stop.signal,
      onLine: line => {
        pids.push(Number(line));
        if (pids.length === 2) stop.abort(new Error('enough'));
      },
    },
  );
  await t.throwsAsync(running, {message: 'enough'});
  for (const pid of pids) t.false(await isRunning(pid));
});

test('an endless line does not fill the memory', async t => {
  let longest = 0;
  await runProgram('sh', ['-c', 'head -c 1000000 /dev/zero | tr "\\0" x >&2'], {
    signal: quiet(),
    onLine: line => {
      longest = Math.max(longest, line.length);
    },
  });
  t.is(longest, 4000);
});

test('a contained program sees only its own processes', async t => {
  const output = await runProgram('sh', ['-c', 'ls -d /proc/[0-9]* | wc -l'], {
    signal: quiet(),
    contained: true,
  });
  t.true(Number(output) <= 4, output);
});

/** A zombie whose new parent has not looked yet runs no more. */
const isRunning = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    stat => !stat.includes(') Z '),
    () => false,
  );
