import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import process, {execPath, stdout} from 'node:process';
import {createInterface} from 'node:readline';
import {serverMemory} from '@muster/cli/up/processes.ts';
import {Image_Kind, ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {FleetReport} from '@muster/simulator/fleet.ts';
import type {Verdict} from '@muster/simulator/verify.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';

const enrolmentMsMax = 60 * 60_000;
/** Beside the machines' own connections. */
const otherFilesMax = 500;
/** As `muster up` starts PostgreSQL: it waits for the disk. */
const postgresSettings = ['max_connections=100', 'shared_buffers=64MB'];

export type Told = FleetReport & {readonly enrolled: number; readonly verdict: Verdict};

export type Fleet = AsyncDisposable & {
  readonly pid: number | undefined;
  /** Lets the outboxes run empty and compares; what it told, and whether it was content. */
  end(): Promise<{readonly status: number; readonly told: Told}>;
};

export function assertFilesFor(machines: number): void {
  const files = Number(
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
  );
  if (files < machines + otherFilesMax)
    throw new Error(
      `Cannot open ${machines} connections: a process may have ${files} files open; raise it with "ulimit -n"`,
    );
}

/** A whole Muster that so many machines may come to, with registration images for them. */
export async function startFleetMuster(machines: number, nodeOptions = ''): Promise<Muster> {
  await using stack = new AsyncDisposableStack();
  const muster = stack.use(
    await startMuster({
      serverEnv: {
        NEW_MACHINES_PER_HOUR_MAX: String(Math.max(100, 2 * machines)),
        NODE_OPTIONS: `${serverMemory.NODE_OPTIONS} ${nodeOptions}`,
      },
      edgeEnv: {NODE_OPTIONS: nodeOptions},
      postgresSettings,
    }),
  );
  const builder = await startContractBuilder(muster, 'b1');
  muster.defer(async () => builder[Symbol.asyncDispose]());
  await until('the registration images', async () => {
    const kind = Image_Kind.REGISTRATION;
    return (await muster.client(ImageService).listImages({kind})).images.length > 1;
  });
  stack.move();
  return muster;
}

/** `muster simulate` as a person runs it, until `end`. */
export function startSimulator(
  muster: Muster,
  options: {
    readonly machines: number;
    readonly everySeconds: number;
    /** Machines turned on in a second. */
    readonly rate: number;
    readonly nodeOptions?: string;
  },
): Fleet {
  const {machines, everySeconds, rate, nodeOptions = ''} = options;
  const args = ['--machines', machines, '--every', `${everySeconds}s`, '--rate', rate].map(String);
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
export const allTakenIn = ({postgres: {sql}}: Muster, machines: number) =>
  until(
    'every machine to be taken in',
    async () => {
      const [row] = await sql<
        {count: number}[]
      >`select count(*)::int as count from machine_hardware`;
      return (row?.count ?? 0) >= machines;
    },
    enrolmentMsMax,
  );
