import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {execPath} from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

export type Command = {
  /** Script below the checkout, run by this Node; or a program with its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

const stopTimeoutMs = 15_000;
const pollMs = 100;

/** A child that can be killed and started again, and that never outlives the test. Output goes to `<log>`. */
export function createProcess(name: string, {command, env}: Command, log: string) {
  let child: ChildProcess | undefined;
  const root = new URL('../..', import.meta.url).pathname;

  const alive = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  return {
    name,
    get pid() {
      return child?.pid;
    },
    alive,
    start() {
      if (alive()) return;
      const [program = '', ...args] = command[0]?.endsWith('.ts')
        ? [execPath, ...command]
        : command;
      child = spawn('setpriv', ['--pdeathsig=KILL', '--', program, ...args], {
        cwd: root,
        env: {PATH: process.env.PATH, HOME: process.env.HOME, ...env},
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const file = createWriteStream(log, {flags: 'a'});
      child.stdout?.pipe(file, {end: false});
      child.stderr?.pipe(file, {end: false});
      child.once('close', () => file.end());
    },
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      if (!child || !alive()) return;
      const exit = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child?.kill('SIGKILL'), stopTimeoutMs);
      await exit;
      clearTimeout(timer);
    },
  };
}

export type ManagedProcess = ReturnType<typeof createProcess>;

/**
 * Asks until it holds; the error names what was waited for. Undefined and false mean "not yet", and so does a failure. The limit is for what will
 * never hold: a dozen control planes that start at once on two cores take most of a minute.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await delay(pollMs);
  }
  const why = last instanceof Error ? `: ${last.message}` : '';
  throw new Error(`Waited ${timeoutMs} ms for ${what}${why}`, {cause: last});
}

export const ready = (url: string, timeoutMs?: number) =>
  until(url, async () => (await fetch(url)).ok, timeoutMs);
