import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync} from 'node:fs';
import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {type ProcessDefinition, supervise} from './supervisor.ts';

const signal = new AbortController().signal;

const define = (script: string, options: Partial<ProcessDefinition> = {}): ProcessDefinition => ({
  name: 'stand-in',
  command: ['sh', '-c', script],
  stopSignal: 'SIGTERM',
  deathSignal: 'KILL',
  startLimitMs: 10_000,
  stopLimitMs: 5000,
  ready: async () => true,
  ...options,
});

const quiet = {log: silentLogger, onLine: () => undefined, backOffMinMs: 10, backOffMaxMs: 40};

test('a process that dies is started again', async t => {
  const lines: string[] = [];
  let heard = () => {};
  const onLine = (_name: string, text: string) => {
    lines.push(text);
    heard();
  };
  const third = new Promise<void>(resolve => {
    heard = () => lines.length >= 3 && resolve();
  });
  await using child = await supervise(define('echo run; exit 3'), {...quiet, onLine}, signal);

  await third;
  t.true(lines.length >= 3);
  t.truthy(child);
});

test('a first run that ends before it is ready fails with its last words', async t => {
  const definition = define('echo no such file >&2; exit 7', {ready: async () => false});
  await t.throwsAsync(supervise(definition, quiet, signal), {
    message: /Cannot start stand-in: it ended with status 7.*no such file/s,
  });
});

test('a first run that is never ready fails at its limit and is stopped', async t => {
  const definition = define('exec sleep 60', {ready: async () => false, startLimitMs: 300});
  await t.throwsAsync(supervise(definition, quiet, signal), {message: /not ready after 0.3 s/});
});

test('stopping asks first, then kills the group with everything in it', async t => {
  const pids: number[] = [];
  const onLine = (_name: string, text: string) => void pids.push(Number(text));
  const stubborn = define('trap "" TERM; sleep 61 & echo $!; wait; sleep 61', {
    stopLimitMs: 200,
    ready: async () => pids.length > 0,
  });
  {
    await using child = await supervise(stubborn, {...quiet, onLine}, signal);
    pids.push(child.pid ?? 0);
  }
  t.is(pids.length, 2);
  await allGone(pids);
  t.pass();
});

test('kill -9 of the supervisor takes the whole tree, PostgreSQL included, and it starts again on the same data', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-up-'));
  await chmod(folder, 0o755);
  try {
    for (const round of ['first', 'second']) {
      const fixture = join(import.meta.dirname, 'supervised-tree.fixture.ts');
      const parent = spawn(process.execPath, [fixture, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({input: parent.stdout});
      const [line] = (await once(lines, 'line', {signal: AbortSignal.timeout(60_000)})) as [string];
      const pids = JSON.parse(line) as number[];
      t.is(pids.length, 2, round);
      t.true(pids.every(pid => existsSync(`/proc/${pid}`)));

      parent.kill('SIGKILL');
      await allGone(pids);
    }
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
});

async function allGone(pids: readonly number[]): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  while (pids.some(isAlive)) await delay(20, undefined, {signal: deadline});
}

/** A zombie nobody has waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
