import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {performance} from 'node:perf_hooks';
import process, {stdout} from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

const ticksPerSecond = 100;
const pageBytes = 4096;

/** User and system CPU time of a process and its threads so far, in seconds (proc(5), stat fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const ticks = statOf(pid);
  return (Number(ticks[11]) + Number(ticks[12])) / ticksPerSecond;
}

/** With its children, those that ended included (fields 16 and 17): PostgreSQL is a process a connection. */
export function cpuSecondsOfTree(pid: number): number {
  const ticks = statOf(pid);
  const ended = (Number(ticks[13]) + Number(ticks[14])) / ticksPerSecond;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children.filter(Boolean).reduce(
    (sum, child) => {
      try {
        return sum + cpuSeconds(Number(child));
      } catch {
        return sum; // It ended a moment ago.
      }
    },
    cpuSeconds(pid) + ended,
  );
}

const statOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];

export function residentMib(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return (pages * pageBytes) / 1024 ** 2;
}

/** Of no other process, as the kernel counts it. */
export function privateMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)];
  return kib.reduce((sum, [, count]) => sum + Number(count), 0) / 1024;
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export const percentile = (values: readonly number[], percent: number): number =>
  [...values].sort((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1] ?? Number.NaN;

/** Time, and CPU of this process. */
export async function timed(work: () => Promise<unknown>): Promise<{ms: number; cpuUs: number}> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  await work();
  const ms = performance.now() - since;
  const {user, system} = process.cpuUsage(cpu);
  return {ms, cpuUs: user + system};
}

/** Bare Node, idle: the base of every footprint. */
export async function bareNode(node: string): Promise<{
  readonly residentMib: number;
  readonly privateMib: number;
  readonly startMs: number;
}> {
  const since = performance.now();
  const child = spawn(node, ['-e', 'process.stdout.write("x"); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const startMs = performance.now() - since;
  await delay(1000);
  const pid = child.pid ?? 0;
  const result = {residentMib: residentMib(pid), privateMib: privateMib(pid), startMs};
  child.kill();
  await once(child, 'exit');
  return result;
}

export type Row = {
  readonly what: string;
  readonly value: string;
  /** The named base in the same run, and the ratio to it. */
  readonly base?: string;
  readonly limit: string;
  readonly met: boolean;
};

/** Also the status of the process: 1 once a limit was not met. */
export function print(row: Row): void {
  if (!row.met) process.exitCode = 1;
  const columns = [row.what.padEnd(44), row.value.padStart(14), (row.base ?? '').padEnd(44)];
  stdout.write(`${row.met ? '✔' : '✘'} ${columns.join('  ')}  ${row.limit}\n`);
}
