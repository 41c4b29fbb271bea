import {readFile} from 'node:fs/promises';
import test from 'ava';
import {ProgramError, runProgram, runToEnd} from './process.ts';

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

test('an offline program has no way out', async t => {
  const output = await runProgram('cat', ['/proc/net/dev'], {signal: quiet(), offline: true});
  // Two lines of titles, and the loopback.
  t.is(output.trim().split('\n').length, 3);
});

test('a program cannot take more address space than it was given', async t => {
  const bytes = 64 * 1024 * 1024;
  const output = await runProgram('sh', ['-c', 'ulimit -v'], {
    signal: quiet(),
    addressSpaceBytesMax: bytes,
  });
  t.is(Number(output) * 1024, bytes);
});

test('how a program ended is told without an error', async t => {
  const killed = await runToEnd('sh', ['-c', 'kill -SEGV $$'], {signal: quiet()});
  t.like(killed, {status: undefined, signalName: 'SIGSEGV'});
  const failed = await runToEnd('sh', ['-c', 'echo out; exit 7'], {signal: quiet()});
  t.like(failed, {status: 7, signalName: undefined, output: 'out\n'});
});

test('what a killed program had started in a session of its own is killed with it', async t => {
  const stop = new AbortController();
  const pids: number[] = [];
  const script =
    'trap "" INT TERM; setsid sh -c \'trap "" INT TERM; echo $$; while :; do sleep 1; done\' & echo $$; while :; do sleep 1; done';
  const running = runProgram('sh', ['-c', script], {
    signal: stop.signal,
    killStepMs: 100,
    onLine: line => {
      pids.push(Number(line));
      if (pids.length === 2) stop.abort(new Error('enough'));
    },
  });
  await t.throwsAsync(running, {message: 'enough'});
  for (const pid of pids) t.false(await isRunning(pid));
});

test('of a line without an end only the beginning is kept, where it is asked for', async t => {
  const lines: string[] = [];
  await runToEnd('sh', ['-c', '(head -c 3000000 /dev/zero | tr "\\0" x; echo; echo next) >&2'], {
    signal: quiet(),
    onErrorLine: line => lines.push(line),
  });
  t.deepEqual(
    lines.map(({length}) => length),
    [1024 * 1024, 4],
  );
});
