import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import process, {execPath, stdout} from 'node:process';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import type {ParseArgsOptionsConfig} from 'node:util';
import {serverMemory} from '@muster/cli/up/processes.ts';
import {Image_Kind, ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {FleetReport} from '@muster/simulator/fleet.ts';
import type {Verdict} from '@muster/simulator/verify.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {type Readings, startReadings} from './fleet-readings.ts';
import {print} from './measure.ts';

/** What the project promises: 5,000 machines, a sample every 10 s, 10 minutes, in a server of 400 MiB. */
export const fleetOptions = {
  machines: {type: 'string', default: '5000'},
  minutes: {type: 'string', default: '10'},
  'every-seconds': {type: 'string', default: '10'},
  /** Machines turned on in a second. */
  rate: {type: 'string', default: '50'},
  /** Nobody is killed. */
  calm: {type: 'boolean', default: false},
  /** A folder for CPU profiles of server, edge and simulator: with `calm` only, because who is killed writes none. */
  profile: {type: 'string', default: ''},
} as const satisfies ParseArgsOptionsConfig;

export type FleetOptions = {
  readonly machines: string;
  readonly minutes: string;
  readonly 'every-seconds': string;
  readonly rate: string;
  readonly calm: boolean;
  readonly profile: string;
};

const serverMibMax = 400;
/** Long enough for agents to notice and for buffers to fill. */
const outageMs = 5000;
const enrolmentMsMax = 60 * 60_000;
/** Beside the machines' own connections. */
const otherFilesMax = 500;
/** As `muster up` starts PostgreSQL: it waits for the disk. */
const postgresSettings = ['max_connections=100', 'shared_buffers=64MB'];

type Name = 'server' | 'postgres' | 'nats' | 'edge' | 'simulator';
type Told = FleetReport & {readonly enrolled: number; readonly verdict: Verdict};

type Fleet = AsyncDisposable & {
  readonly pid: number | undefined;
  /** Lets the outboxes run empty and compares; what it told, and whether it was content. */
  end(): Promise<{readonly status: number; readonly told: Told}>;
};

/** A whole fleet against real processes, each of which is killed once; counts every sample at the end. */
export async function benchFleet(options: FleetOptions): Promise<void> {
  const plan = readPlan(options);
  const {machines, streamingMs, everySeconds, nodeOptions} = plan;
  await using muster = await startMuster({
    serverEnv: {
      NEW_MACHINES_PER_HOUR_MAX: String(2 * machines),
      NODE_OPTIONS: `${serverMemory.NODE_OPTIONS} ${nodeOptions}`,
    },
    edgeEnv: {NODE_OPTIONS: nodeOptions},
    postgresSettings,
  });
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  await until('the registration images', async () => {
    const kind = Image_Kind.REGISTRATION;
    return (await muster.client(ImageService).listImages({kind})).images.length > 1;
  });
  await using fleet = startSimulator(muster, options, nodeOptions);
  using readings = startReadings<Name>({
    server: () => muster.server.pid,
    postgres: () => muster.postgres.pid,
    nats: () => muster.nats.pid,
    edge: () => muster.edge.pid,
    simulator: () => fleet.pid,
  });
  const watch = startWatch(readings);

  await until(
    'every machine to be taken in',
    async () => (await countTakenIn(muster)) >= machines,
    enrolmentMsMax,
  );
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
  const [machines, minutes, everySeconds] = [
    Number(options.machines),
    Number(options.minutes),
    Number(options['every-seconds']),
  ];
  if (!(machines >= 1 && minutes > 0 && everySeconds >= 1))
    throw new Error('Cannot run this fleet: say for example --machines 500 --minutes 2');
  const files = Number(
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
  );
  if (files < machines + otherFilesMax)
    throw new Error(
      `Cannot open ${machines} connections: a process may have ${files} files open; raise it with "ulimit -n"`,
    );
  const {profile} = options;
  const nodeOptions = profile === '' ? '' : `--cpu-prof --cpu-prof-dir=${profile}`;
  return {machines, everySeconds, streamingMs: minutes * 60_000, nodeOptions};
}

/** `muster simulate` as a person runs it, until `end`. */
function startSimulator(muster: Muster, options: FleetOptions, nodeOptions: string): Fleet {
  const every = `${options['every-seconds']}s`;
  const args = ['--machines', options.machines, '--every', every, '--rate', options.rate];
  const child = spawn(execPath, ['cli/main.ts', 'simulate', '--json', '--verify', ...args], {
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: nodeOptions,
      SERVER_URL: muster.serverUrl,
      EDGE_HTTP_PORT: new URL(muster.edgeUrl).port,
      MUSTER_DATA_DIR: muster.folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  child.stdout.on('data', (data: Buffer) => (out += String(data)));
  createInterface({input: child.stderr}).on('line', line =>
    stdout.write(`  ${line} (load ${loadavg()[0]?.toFixed(1)})\n`),
  );
  const ended = once(child, 'close').then(([status]) => status as number);
  return {
    get pid() {
      return child.exitCode === null ? child.pid : undefined;
    },
    async end() {
      child.kill('SIGINT');
      const status = await ended;
      if (!out.startsWith('{')) throw new Error(`The simulator ended with status ${status}`);
      return {status, told: JSON.parse(out) as Told};
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The inventory is the last thing that the server takes in of a machine that comes. */
async function countTakenIn({postgres: {sql}}: Muster): Promise<number> {
  const [row] = await sql<{count: number}[]>`select count(*)::int as count from machine_hardware`;
  return row?.count ?? 0;
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
