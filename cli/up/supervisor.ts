import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import process from 'node:process';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import type {Logger} from '@muster/runtime/log.ts';

/** One process of the tree. */
export type ProcessDefinition = {
  /** Also the name of its log. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly owner?: {readonly uid: number; readonly gid: number};
  /** Asks it to stop in order. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** What the kernel sends it when this process dies, however it dies. */
  readonly deathSignal: 'KILL' | 'TERM' | 'INT';
  readonly startLimitMs: number;
  readonly stopLimitMs: number;
  /** The line by which it says that it can do its work; or a question, asked until it is true (a rejection is a no). */
  readonly ready: RegExp | ((signal: AbortSignal) => Promise<boolean>);
  /** Lines that matter only to the log file. */
  readonly detail?: RegExp;
  /** Before each start: for what a killed predecessor left behind. */
  readonly prepare?: () => Promise<void>;
};

export type Supervised = AsyncDisposable & {
  /** Of the running process; undefined between two runs. */
  readonly pid: number | undefined;
};

export type SupervisorOptions = {
  readonly log: Logger;
  /** `detail`: for the log file only. */
  readonly onLine: (name: string, text: string, detail: boolean) => void;
  readonly backOffMinMs?: number;
  readonly backOffMaxMs?: number;
};

const readyPollMs = 150;
const readyAnswerLimitMs = 2000;
const steadyAfterMs = 60_000;
const tailLinesMax = 15;

/**
 * Starts a process, waits until it is ready, and starts it again with growing pauses whenever it ends. Throws when its first run
 * ends before it is ready or is not ready in time. Disposing stops it: the stop signal, then SIGKILL for its whole group.
 */
export async function supervise(
  definition: ProcessDefinition,
  options: SupervisorOptions,
  signal: AbortSignal,
): Promise<Supervised> {
  const {name} = definition;
  const {log, backOffMinMs = 500, backOffMaxMs = 30_000} = options;
  const stopping = new AbortController();
  let current = await launch(definition, options);
  const first = current;
  try {
    await waitUntilReady(definition, first, AbortSignal.any([signal, stopping.signal]));
  } catch (error) {
    await stop(definition, first);
    throw error;
  }

  const restarts = (async () => {
    let pauseMs = backOffMinMs;
    for (;;) {
      const startedMs = performance.now();
      const status = await current.ended;
      if (stopping.signal.aborted) return;
      if (performance.now() - startedMs > steadyAfterMs) pauseMs = backOffMinMs;
      log.warn({name, status, pauseMs}, 'ended; starting it again');
      await delay(pauseMs, undefined, {signal: stopping.signal}).catch(() => undefined);
      if (stopping.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, backOffMaxMs);
      current = await launch(definition, options).catch((error: unknown) => notLaunched(error));
    }
  })();

  return {
    get pid() {
      return isRunning(current.child) ? current.child.pid : undefined;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await stop(definition, current);
      await restarts;
      // A restart may have been under way when the stop came.
      await stop(definition, current);
    },
  };
}

type Run = {
  readonly child: ChildProcess | undefined;
  /** "status 1" or "signal SIGKILL". */
  readonly ended: Promise<string>;
  readonly tail: string[];
  saidReady: boolean;
};

async function launch(definition: ProcessDefinition, options: SupervisorOptions): Promise<Run> {
  const {name, command, env, owner, deathSignal} = definition;
  await definition.prepare?.();
  // setpriv runs after uid and gid are set, because the kernel forgets the death signal when they change (prctl(2)).
  // detached: a group of its own, so that Ctrl-C reaches only this process, which then stops the others in order.
  const child = spawn('setpriv', [`--pdeathsig=${deathSignal}`, '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(env ? {env} : {}),
    ...owner,
  });

  const run: Run = {child, ended: endOf(child), tail: [], saidReady: false};
  const read = (stream: Readable | null) => {
    if (!stream) return;
    createInterface({input: stream}).on('line', text => {
      run.tail.push(text);
      if (run.tail.length > tailLinesMax) run.tail.shift();
      if (definition.ready instanceof RegExp) run.saidReady ||= definition.ready.test(text);
      options.onLine(name, text, definition.detail?.test(text) ?? false);
    });
  };
  read(child.stdout);
  read(child.stderr);
  return run;
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ? `signal ${signal}` : `status ${code}`));
  });
}

/** A run that never began, so that the loop of restarts has something to wait for. */
function notLaunched(error: unknown): Run {
  return {child: undefined, ended: Promise.resolve(String(error)), tail: [], saidReady: false};
}

async function waitUntilReady(
  definition: ProcessDefinition,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  const {name, startLimitMs, ready} = definition;
  const deadlineMs = performance.now() + startLimitMs;
  let ended: string | undefined;
  void run.ended.then(status => (ended = status));

  while (performance.now() < deadlineMs) {
    signal.throwIfAborted();
    if (ended) throw new Error(`Cannot start ${name}: it ended with ${ended}${quote(run.tail)}`);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(readyAnswerLimitMs)]);
    const isReady = ready instanceof RegExp ? run.saidReady : await ready(limit).catch(() => false);
    if (isReady) return;
    await delay(readyPollMs, undefined, {signal});
  }
  throw new Error(
    `Cannot start ${name}: not ready after ${startLimitMs / 1000} s${quote(run.tail)}`,
  );
}

const quote = (tail: readonly string[]): string =>
  tail.length === 0 ? '' : `. Its last words:\n  ${tail.join('\n  ')}`;

async function stop({stopSignal, stopLimitMs}: ProcessDefinition, run: Run): Promise<void> {
  const {child} = run;
  if (!isRunning(child)) return;
  const ended = once(child, 'exit');
  child.kill(stopSignal);
  const kill = setTimeout(() => killGroup(child.pid), stopLimitMs);
  await ended;
  clearTimeout(kill);
  // What the process itself started and left behind.
  killGroup(child.pid);
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function killGroup(pid: number | undefined): void {
  if (!pid) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nobody left in the group.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
