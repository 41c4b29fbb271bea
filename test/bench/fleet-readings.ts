import {readFileSync} from 'node:fs';
import {cpuSecondsOfTree, median, residentMib} from './measure.ts';

const readEveryMs = 500;

/** Who costs what, by name; gives the process of this moment, which may be another after a kill. */
type Processes<Name extends string> = Readonly<Record<Name, () => number | undefined>>;

export type Readings<Name extends string> = Disposable & {
  /** CPU seconds of each so far, of all its processes one after the other and of their children. */
  cpu(): Readonly<Record<Name, number>>;
  /** The largest resident set that any process of this name ever had, by the kernel. */
  peakMib(name: Name): number;
  /** The median since then. */
  steadyMib(name: Name, sinceMs: number): number;
};

/** Reads /proc twice a second: what a killed process had used by then is kept. */
export function startReadings<Name extends string>(processes: Processes<Name>): Readings<Name> {
  const names = Object.keys(processes) as Name[];
  const used = new Map(names.map(name => [name, new Map<number, number>()]));
  const peaks = new Map<Name, number>();
  const resident = new Map(names.map(name => [name, [] as {atMs: number; mib: number}[]]));

  const readOne = (name: Name) => {
    const pid = processes[name]();
    if (pid === undefined) return;
    used.get(name)?.set(pid, cpuSecondsOfTree(pid));
    peaks.set(name, Math.max(peaks.get(name) ?? 0, highWaterMib(pid)));
    resident.get(name)?.push({atMs: performance.now(), mib: residentMib(pid)});
  };
  const read = () => {
    for (const name of names) {
      try {
        readOne(name);
      } catch {
        // It ended a moment ago.
      }
    }
  };
  const timer = setInterval(read, readEveryMs);

  return {
    cpu() {
      read();
      const sums = names.map(name => [
        name,
        [...(used.get(name)?.values() ?? [])].reduce((sum, seconds) => sum + seconds, 0),
      ]);
      return Object.fromEntries(sums) as Record<Name, number>;
    },
    peakMib: name => peaks.get(name) ?? Number.NaN,
    steadyMib(name, sinceMs) {
      const later = (resident.get(name) ?? []).filter(({atMs}) => atMs >= sinceMs);
      return median(later.map(({mib}) => mib));
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** 0 for a process that was killed and not waited for yet. */
function highWaterMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}
