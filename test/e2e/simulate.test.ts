import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {execPath} from 'node:process';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind, ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {FleetReport} from '@muster/simulator/fleet.ts';
import type {Verdict} from '@muster/simulator/verify.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';

const count = 100;
/** Everything at once on two cores, after an outage. */
const recoveryMs = 180_000;
/** Long enough for agents to notice, for buffers to fill, and for flapping machines to flap meanwhile. */
const outageMs = 4000;

type Told = FleetReport & {readonly enrolled: number; readonly verdict: Verdict};

/** `muster simulate` as a person runs it. */
function simulate(muster: Muster, args: readonly string[]) {
  const child = spawn(execPath, ['cli/main.ts', 'simulate', ...args], {
    env: {
      PATH: process.env.PATH,
      SERVER_URL: muster.serverUrl,
      EDGE_HTTP_PORT: new URL(muster.edgeUrl).port,
      // Of the local token, which is new at each start of the server.
      MUSTER_DATA_DIR: muster.folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = {out: '', err: ''};
  child.stdout.on('data', (data: Buffer) => (said.out += String(data)));
  child.stderr.on('data', (data: Buffer) => (said.err += String(data)));
  const ended = once(child, 'close').then(([status]) => ({status: status as number, ...said}));
  muster.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {child, said, ended};
}

test.serial(
  'a hundred machines with every fault: nothing is lost or doubled when server, NATS and PostgreSQL are killed',
  async t => {
    t.timeout(600_000);
    await using muster = await startMuster();
    await using builder = await startContractBuilder(muster, 'b1');
    void builder;
    const machines = muster.client(MachineService);
    const images = muster.client(ImageService);
    await until('a registration image', async () => {
      const {images: found} = await images.listImages({kind: Image_Kind.REGISTRATION});
      return found.length > 1;
    });
    const run = simulate(muster, [
      ...['--json', '--machines', String(count), '--faults', 'all=10%', '--rate', '25'],
      ...['--every', '1s', '--verify'],
    ]);

    const listed = async (filter: string) =>
      (await machines.listMachines({filter, pageSize: 1000})).machines;
    const enrolled = await until('the enrolments', async () => {
      const found = await listed('state = ENROLLED');
      return found.length >= count * 0.9 && found;
    });
    t.true(enrolled.every(({serviceTag}) => serviceTag.startsWith('SIM-')));
    const firstId = enrolled[0]?.id ?? '';
    await machines.updateMachine({
      machine: {id: firstId, imageConfig: {hostName: 'sim1'}},
      updateMask: {paths: ['image_config']},
    });
    await muster.client(BuildService).createBuild({machineId: firstId});

    await Promise.all([muster.server.stop('SIGKILL'), muster.nats.stop('SIGKILL')]);
    await sleep(outageMs);
    muster.nats.start();
    muster.server.start();
    const active = await until(
      'a machine that booted the image that was built for it',
      async () => (await listed('state = ACTIVE'))[0],
      recoveryMs,
    );
    t.is(active.id, firstId);
    t.is(active.state, Machine_State.ACTIVE);
    await muster.postgres.stop('SIGKILL');
    await sleep(outageMs);
    await muster.postgres.start();
    const backMs = Date.now();
    await until(
      'samples of after the outages',
      async () => {
        const client = muster.client(MetricsService);
        const {metrics} = await client.getLatestMetrics({machineId: firstId});
        return Number(metrics?.time?.seconds) * 1000 > backMs;
      },
      recoveryMs,
    );
    run.child.kill('SIGINT');

    const {status, out, err} = await run.ended;
    t.is(status, 0, err);
    const told = JSON.parse(out) as Told;
    t.is(told.enrolled, count);
    t.like(told.verdict, {machines: count, lost: 0, twice: 0, invented: 0});
    t.true(told.verdict.receipted > count * 10, JSON.stringify(told.verdict));
    t.true(told.active >= 1);
    t.true(
      Object.values(told.faults).every(hit => hit > 0),
      JSON.stringify(told.faults),
    );
    t.true(told.failures['no NATS connection: connection refused'] !== 0);

    // Duplicated UUIDs, lies and skewed clocks made nobody somebody else.
    t.is((await listed('')).length, count);
    const cleaned = await simulate(muster, ['--clean']).ended;
    t.is(cleaned.out, `Removed ${count} simulated machines\n`, cleaned.err);
    t.is((await listed('')).length, 0);
  },
);

test.serial('a server with machines of its own is asked for a word first', async t => {
  await using muster = await startMuster();
  const machines = muster.client(MachineService);
  await machines.createMachine({machine: {serviceTag: 'REAL-7XK2MQ2'}});
  const refused = await simulate(muster, ['--machines', '1']).ended;
  t.is(refused.status, 2);
  t.regex(refused.err, /it has 1 machines that are not simulated. --yes does it nevertheless/);

  await simulate(muster, ['--clean']).ended;
  t.is((await machines.listMachines({})).machines.length, 1);
});

test.serial('Ctrl-C ends a run with its summary', async t => {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const run = simulate(muster, ['--machines', '5', '--every', '1s', '--verify']);
  await until('samples', async () => {
    const {machines} = await muster
      .client(MachineService)
      .listMachines({filter: 'presence = ONLINE'});
    return machines.length === 5;
  });
  run.child.kill('SIGINT');
  const {status, out} = await run.ended;
  t.is(status, 0, out);
  t.regex(out, /machines +5, of which 5 enrolled/);
  t.regex(out, /lost +0\n/);
});
