import {loadavg} from 'node:os';
import {stdout} from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import type {ParseArgsOptionsConfig} from 'node:util';
import type {Muster} from '../helpers/muster.ts';
import {type Readings, startReadings} from './fleet-readings.ts';
import {print} from './measure.ts';
import {
  allTakenIn,
  assertFilesFor,
  startFleetMuster,
  startSimulator,
  type Told,
} from './simulated-fleet.ts';

/** What the project promises: 5,000 machines, a sample every 10 s, 10 minutes, in a server of 400 MiB. */
export const fleetOptions = {
  machines: {type: 'string'},
  minutes: {type: 'string', default: '10'},
  'every-seconds': {type: 'string', default: '10'},
  /** Machines turned on in a second. */
  rate: {type: 'string'},
  /** Nobody is killed. */
  calm: {type: 'boolean', default: false},
  /** A folder for CPU profiles of server, edge and simulator: with `calm` only, because who is killed writes none. */
  profile: {type: 'string', default: ''},
} as const satisfies ParseArgsOptionsConfig;

export type FleetOptions = {
  readonly machines?: string;
  readonly minutes: string;
  readonly 'every-seconds': string;
  readonly rate?: string;
  readonly calm: boolean;
  readonly profile: string;
};

const serverMibMax = 400;
/** Long enough for agents to notice and for buffers to fill. */
const outageMs = 5000;
const machinesDefault = 5000;
const rateDefault = 50;

type Name = 'server' | 'postgres' | 'nats' | 'edge' | 'simulator';
/** A whole fleet against real processes, each of which is killed once; counts every sample at the end. */
export async function benchFleet(options: FleetOptions): Promise<void> {
  const plan = readPlan(options);
  const {machines, streamingMs, everySeconds, nodeOptions} = plan;
  await using muster = await startFleetMuster(machines, nodeOptions);
  await using fleet = startSimulator(muster, plan);
  using readings = startReadings<Name>({
    server: () => muster.server.pid,
    postgres: () => muster.postgres.pid,
    nats: () => muster.nats.pid,
    edge: () => muster.edge.pid,
    simulator: () => fleet.pid,
  });
  const watch = startWatch(readings);

  await allTakenIn(muster, machines);
  const streamingSinceMs = performance.now();
  watch.tell('enrolment, with the samples meanwhile', machines);
  await delay(streamingMs / 4);
  watch.tell('sample', (machines * streamingMs) / 4000 / everySeconds);
  await killEach(muster, {everyMs: streamingMs / 4, calm: options.calm});
  watch.tell('sample, with the outages', (machines * 3 * streamingMs) / 4000 / everySeconds);
  const {status, told} = await fleet.end();
  judge(told, {status, machines, samplesMin: machines * (streamingMs / 1000 / everySeconds - 2)});
  judgeMemory(readings, streamingSinceMs);
}

function readPlan(options: FleetOptions) {
  const [machines, rate, minutes, everySeconds] = [
    Number(options.machines ?? machinesDefault),
    Number(options.rate ?? rateDefault),
    Number(options.minutes),
    Number(options['every-seconds']),
  ];
  if (!(machines >= 1 && minutes > 0 && everySeconds >= 1))
    throw new Error('Cannot run this fleet: say for example --machines 500 --minutes 2');
  assertFilesFor(machines);
  const {profile} = options;
  const nodeOptions = profile === '' ? '' : `--cpu-prof --cpu-prof-dir=${profile}`;
  return {machines, rate, everySeconds, streamingMs: minutes * 60_000, nodeOptions};
}

async function killEach(
  muster: Muster,
  {everyMs, calm}: {readonly everyMs: number; readonly calm: boolean},
): Promise<void> {
  const {server, nats, postgres} = muster;
  const victims = {server, nats, postgres};
  for (const [name, victim] of Object.entries(victims)) {
    if (!calm) {
      stdout.write(`  kill -9 of ${name}\n`);
      await victim.stop('SIGKILL');
      await delay(outageMs);
      await victim.start();
    }
    await delay(everyMs - (calm ? 0 : outageMs));
  }
}

/** Tells what each process has used since it was asked last. */
function startWatch(readings: Readings<Name>) {
  let before = readings.cpu();
  let sinceMs = performance.now();
  return {
    tell(what: string, count: number): void {
      const now = readings.cpu();
      const nowMs = performance.now();
      const seconds = (nowMs - sinceMs) / 1000;
      const each = (Object.keys(now) as Name[]).map(name => {
        const ms = ((now[name] - before[name]) * 1000) / count;
        return `${name} ${ms < 1 ? `${(ms * 1000).toFixed(0)} µs` : `${ms.toFixed(1)} ms`}`;
      });
      print({
        what: `CPU of each process a ${what}`,
        value: `${seconds.toFixed(0)} s`,
        base: each.join(', '),
        limit: `reported, at load ${loadavg()[0]?.toFixed(1)}`,
        met: true,
      });
      [before, sinceMs] = [now, nowMs];
    },
  };
}

function judge(
  told: Told,
  {
    status,
    machines,
    samplesMin,
  }: {readonly status: number; readonly machines: number; readonly samplesMin: number},
): void {
  const {enrolled, samplesMade, verdict} = told;
  const {stored, lost, twice, invented, problems} = verdict;
  for (const problem of problems) stdout.write(`  ${problem}\n`);
  for (const [what, count] of Object.entries(told.failures)) stdout.write(`  ${count} × ${what}\n`);
  print({
    what: 'machines enrolled',
    value: String(enrolled),
    limit: `all ${machines}`,
    met: enrolled === machines,
  });
  print({
    what: 'samples stored, each machine and number once',
    value: String(stored),
    base: `${samplesMade} taken; ${lost} lost, ${twice} twice, ${invented} never sent`,
    limit: 'all that were taken',
    met:
      status === 0 &&
      stored === samplesMade &&
      stored >= samplesMin &&
      lost + twice + invented === 0,
  });
}

function judgeMemory(readings: Readings<Name>, sinceMs: number): void {
  const peak = readings.peakMib('server');
  print({
    what: 'resident memory of the server, peak',
    value: `${peak.toFixed(0)} MiB`,
    base: `${readings.steadyMib('server', sinceMs).toFixed(0)} MiB while all stream`,
    limit: `≤ ${serverMibMax} MiB`,
    met: peak <= serverMibMax,
  });
  const others = ['simulator', 'nats', 'edge'] as const;
  print({
    what: 'resident memory of the others, peak',
    value: '',
    base: others.map(name => `${name} ${readings.peakMib(name).toFixed(0)} MiB`).join(', '),
    limit: 'reported',
    met: true,
  });
}
