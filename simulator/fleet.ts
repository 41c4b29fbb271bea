import {setMaxListeners} from 'node:events';
import {pause} from '@muster/agent/waits.ts';
import type {FaultKind, FaultShares} from './faults.ts';
import {faultKinds} from './faults.ts';
import {countOf, type MachineRecord} from './ledger.ts';
import {
  createMachine,
  type ImageFacts,
  type MachineState,
  type SimulatedMachine,
} from './machine.ts';
import {createStartGate} from './start-gate.ts';
import {createStatistics, type Stage, type Timing} from './statistics.ts';

/** All machines are sampled by one timer; each has its place in the interval. */
const tickMs = 100;
const lookMs = 200;

export type FleetOptions = {
  readonly seed: string;
  readonly machines: number;
  readonly faults: FaultShares;
  readonly everyMs: number;
  /** From when the last machine was started; undefined: until the signal aborts. */
  readonly forMs: number | undefined;
  readonly edgeUrl: string;
  readonly bootsPerSecondMax: number;
  /** TLS logins at NATS, those after an outage included. */
  readonly loginsPerSecondMax: number;
  /** How long the end waits for receipts of what was sent. */
  readonly drainMs: number;
  readonly describeImage: (imageId: string) => Promise<ImageFacts>;
};

export type Phase = 'starting' | 'streaming' | 'draining' | 'over';

export type FleetStatus = {
  readonly phase: Phase;
  readonly machines: number;
  readonly states: Readonly<Record<MachineState, number>>;
  readonly active: number;
  readonly samplesMade: number;
  readonly samplesSent: number;
  readonly samplesReceipted: number;
  readonly seconds: number;
};

export type FleetReport = FleetStatus & {
  readonly streamingSeconds: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly timings: Readonly<Record<Stage, Timing>>;
  readonly failures: Readonly<Record<string, number>>;
  readonly records: readonly MachineRecord[];
};

/** Runs the whole fleet in this process until its time is over or the signal aborts, then waits for the last receipts. */
export async function runFleet(
  options: FleetOptions,
  {
    onStatus,
    statusEveryMs,
    signal,
  }: {
    readonly onStatus: (status: FleetStatus) => void;
    readonly statusEveryMs: number;
    readonly signal: AbortSignal;
  },
): Promise<FleetReport> {
  const statistics = createStatistics();
  const bootGate = createStartGate(options.bootsPerSecondMax);
  const connectGate = createStartGate(options.loginsPerSecondMax);
  const stop = new AbortController();
  const calm = new AbortController();
  // Each machine listens to them.
  setMaxListeners(0, stop.signal, calm.signal);
  const surroundings = {
    ...options,
    shares: options.faults,
    bootGate,
    connectGate,
    statistics,
    calm: calm.signal,
  };
  const machines = Array.from({length: options.machines}, (_, index) =>
    createMachine(index, surroundings),
  );
  const startedMs = performance.now();
  let phase: Phase = 'starting';
  let streamingMs = 0;
  let last: FleetStatus | undefined;
  const status = () => summarize(machines, phase, (performance.now() - startedMs) / 1000);

  const lives = machines.map(machine => machine.live(stop.signal));
  const sampling = setInterval(createSampler(machines, options.everyMs), tickMs);
  const telling = setInterval(() => onStatus(status()), statusEveryMs);
  try {
    await until(() => machines.every(({isStarted}) => isStarted), signal);
    phase = 'streaming';
    const streamingFromMs = performance.now();
    if (options.forMs === undefined) await until(() => false, signal);
    else await pause(options.forMs, signal);
    streamingMs = performance.now() - streamingFromMs;
  } finally {
    clearInterval(sampling);
    phase = 'draining';
    calm.abort();
    await drained(machines, options.drainMs);
    // While everybody is still there.
    last = status();
    stop.abort();
    await Promise.all(lives);
    clearInterval(telling);
    phase = 'over';
  }
  return {
    ...(last ?? status()),
    phase,
    streamingSeconds: streamingMs / 1000,
    faults: countFaults(machines),
    counts: statistics.counts,
    timings: statistics.timings(),
    failures: statistics.failures(),
    records: machines.map(({record}) => record).filter(({machineId}) => machineId !== ''),
  };
}

/** One tick after the other, and after a pause of the event loop all those that it missed: no machine goes without its sample. */
function createSampler(machines: readonly SimulatedMachine[], everyMs: number): () => void {
  const slotCount = Math.max(1, Math.round(everyMs / tickMs));
  const startedMs = performance.now();
  let done = 0;
  return () => {
    const due = Math.floor((performance.now() - startedMs) / tickMs);
    for (; done < due; done++)
      for (let at = done % slotCount; at < machines.length; at += slotCount) machines[at]?.sample();
  };
}

async function until(holds: () => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !holds()) await pause(lookMs, signal);
}

/** Machines that are away have nobody to get a receipt from: what they hold is neither sent nor lost. */
async function drained(machines: readonly SimulatedMachine[], drainMs: number): Promise<void> {
  await until(
    () => machines.every(({waitingCount}) => waitingCount === 0),
    AbortSignal.timeout(drainMs),
  );
}

function summarize(
  machines: readonly SimulatedMachine[],
  phase: Phase,
  seconds: number,
): FleetStatus {
  const states = {off: 0, booting: 0, enrolling: 0, running: 0, 'local disk': 0};
  const sums = {active: 0, samplesMade: 0, samplesSent: 0, samplesReceipted: 0};
  for (const machine of machines) {
    states[machine.state]++;
    if (machine.isActive) sums.active++;
    for (const session of machine.record.sessions) {
      sums.samplesMade += session.made;
      sums.samplesSent += session.sentThrough;
      sums.samplesReceipted += countOf(session.receipted);
    }
  }
  return {phase, machines: machines.length, states, ...sums, seconds};
}

function countFaults(machines: readonly SimulatedMachine[]): Record<FaultKind, number> {
  const counts = faultKinds.map(kind => [
    kind,
    machines.filter(({faults}) => faults.has(kind)).length,
  ]);
  return Object.fromEntries(counts) as Record<FaultKind, number>;
}
