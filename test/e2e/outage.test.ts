import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {jetstreamManager} from '@nats-io/jetstream';
import {BootAction, BootHop_Kind, BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {ready, until} from '../helpers/processes.ts';
import {connectAsServer, createStranger, enrolStranger} from '../helpers/stranger.ts';

/** Long enough for several samples and for the first reconnects to fail. */
const outageMs = 4000;

const fetchText = async (url: string) => (await fetch(url)).text();

const scriptOf = ({edgeUrl}: Muster, tag: string) =>
  fetchText(`${edgeUrl}/nixos/machines/${tag}.ipxe`);

async function stopAllButTheEdge({server, nats, postgres}: Muster): Promise<void> {
  await Promise.all([server, nats, postgres].map(one => one.stop('SIGKILL')));
}

async function startAllButTheEdge(muster: Muster): Promise<void> {
  await muster.postgres.start();
  muster.nats.start();
  muster.server.start();
  await ready(`${muster.serverUrl}/readyz`, 60_000);
}

/** An image of its own, as an operator orders it. */
async function build(muster: Muster, machineId: string, hostName: string): Promise<string> {
  await muster.client(MachineService).updateMachine({
    machine: {id: machineId, imageConfig: {hostName}},
    updateMask: {paths: ['image_config']},
  });
  await muster.client(BuildService).createBuild({machineId});
  return until('its image', async () => {
    const {machine} = await muster.client(MachineService).getMachine({id: machineId});
    return machine?.desiredImageId || undefined;
  });
}

/** Every file that the script names, with its size. */
async function fetchFiles(
  muster: Muster,
  script: string,
  mac = '52-54-00-00-00-99',
): Promise<readonly number[]> {
  const urls = [...script.matchAll(/^(?:kernel|initrd(?: --name \S+)?) (\S+)/gm)]
    .map(([, url = '']) => url)
    .filter(url => url.startsWith('/images/'));
  if (urls.length < 2) throw new Error(`No image in this script:\n${script}`);
  return Promise.all(
    urls.map(async url => {
      const response = await fetch(
        new URL(url.replaceAll('${netX/mac:hexhyp}', mac), muster.edgeUrl),
      );
      if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
      return (await response.arrayBuffer()).byteLength;
    }),
  );
}

test('with everything else dead the edge boots whom it knows, also after its own death', async t => {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const boot = muster.client(BootService);
  const known = createStranger(muster, {mac: '52:54:00:00:00:01', serial: 'KNOWN-1'});
  const asked = createStranger(muster, {mac: '52:54:00:00:00:02', serial: 'ASKED-1'});
  const {machineId} = await enrolStranger(known);
  const imageId = await build(muster, machineId, 'known');
  const other = await enrolStranger(asked);
  await boot.setBootOverride({machineId: other.machineId, action: BootAction.LOCAL_DISK});
  const script = await until('its script', async () => {
    const text = await scriptOf(muster, 'KNOWN-1');
    return text.includes(imageId) && text;
  });
  const sizes = await fetchFiles(muster, script, '52-54-00-00-00-01');
  const unknownUrl = `${muster.edgeUrl}/boot.ipxe?mac=52-54-00-00-00-99`;
  const registration = await until('the registration image', async () => {
    const text = await fetchText(unknownUrl);
    return text.includes('/boot/token.cpio') && text;
  });
  // Answers come in their order: with the last one, the override is known and on disk.
  const last = createStranger(muster, {mac: '52:54:00:00:00:03', serial: 'LAST-1'});
  await enrolStranger(last);
  await until('the snapshot', async () =>
    (await readFile(join(muster.folder, 'edge', 'boot-answers'), 'latin1')).includes('LAST-1'),
  );
  await until('the registration image on the edge', () => fetchFiles(muster, registration));

  await stopAllButTheEdge(muster);
  for (const when of ['after their death', 'after its own death']) {
    t.is(await scriptOf(muster, 'KNOWN-1'), script, when);
    t.deepEqual(await fetchFiles(muster, script, '52-54-00-00-00-01'), sizes, when);
    const file = await known.fetchBootJson();
    t.is(file.token.split('.').length, 3);
    const archive = await fetch(`${muster.edgeUrl}/boot/token.cpio?mac=52-54-00-00-00-01`);
    t.is(archive.status, 200);

    const standing = await scriptOf(muster, 'ASKED-1');
    t.regex(standing, /the server did not answer/, when);
    t.regex(standing, /\/boot\/token\.cpio/, when);
    const stranger = await fetchText(unknownUrl);
    t.regex(stranger, /\/boot\/token\.cpio/, when);
    t.true((await fetchFiles(muster, stranger)).length >= 2, when);
    if (when === 'after its own death') break;

    await muster.edge.stop('SIGKILL');
    muster.edge.start();
    await ready(`${muster.edgeUrl}/readyz`);
  }

  const {session, token} = await known.fetchBootJson();
  await startAllButTheEdge(muster);
  // A token of the outage lets its machine in.
  const enrolled = await until('the enrolment', async () => {
    const rebooted = createStranger(muster, {mac: known.mac, serial: 'KNOWN-1'});
    const answer = await rebooted.enrol(token, {evidence: known.evidence});
    return answer.status === 200 && answer;
  });
  t.is(enrolled.body.machineId, machineId);
  const hops = await until(
    'the hops of the outage',
    async () => {
      const {bootSessions} = await boot.listBootSessions({machineId});
      const found = bootSessions.find(one => one.hops.some(hop => hop.session === session));
      const kinds = new Set(found?.hops.map(({kind}) => kind));
      return kinds.has(BootHop_Kind.KERNEL) && kinds.has(BootHop_Kind.ENROLLED) && kinds;
    },
    60_000,
  );
  for (const kind of ['SCRIPT', 'INITRD', 'TOKEN'] as const)
    t.true(hops.has(BootHop_Kind[kind]), kind);
  // The override was never used up.
  const {decision} = await boot.explainBoot({machine: 'ASKED-1'});
  t.is(decision?.action, BootAction.LOCAL_DISK);
});

test('an agent outlives NATS and server, and what it gathered arrives once', async t => {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  const machine = await createProcessMachine(muster, 'm1', {
    mac: '52:54:00:00:00:04',
    serial: 'OUTAGE-1',
  });
  await until('a registration image', async () =>
    (await machine.fetchScript()).includes('/boot/token.cpio'),
  );
  await builder[Symbol.asyncDispose]();
  // It enrols while NATS is away: hello, inventory and the first samples have to wait.
  await muster.nats.stop('SIGKILL');
  await machine.boot();
  const {id} = await until('the enrolment', async () => {
    const found = await muster.client(MachineService).getMachine({id: machine.mac});
    return found.machine;
  });
  const {pid} = machine.agent;
  await muster.server.stop('SIGKILL');
  await sleep(outageMs);
  t.true(machine.agent.alive());
  muster.nats.start();
  muster.server.start();

  await until(
    'the inventory',
    async () => {
      const {hardware} = await muster.client(HardwareService).getHardware({machineId: id});
      return hardware?.memory?.totalBytes;
    },
    60_000,
  );
  await countSamples(muster, id, 4);

  // Once more, with a connection that breaks in the middle of its life.
  await Promise.all([muster.nats, muster.server].map(one => one.stop('SIGKILL')));
  const atOutage = await storedSamples(muster, id);
  await sleep(outageMs);
  t.true(machine.agent.alive());
  muster.nats.start();
  muster.server.start();
  const stored = await countSamples(muster, id, atOutage.count + 4);

  t.is(stored.ranges.length, 1, 'one run of the agent without a gap');
  t.is(machine.agent.pid, pid);
  await machine.agent.stop();
  await using server = await connectAsServer(muster);
  const manager = await jetstreamManager(server.nats);
  await until('the last sample', async () => {
    const {num_pending, num_ack_pending} = await manager.consumers.info('METRICS', 'metrics');
    return num_pending + num_ack_pending === 0;
  });
  const settled = await storedSamples(muster, id);
  t.is(settled.count, settled.numbered, 'each number is stored once');
  const {metrics} = await muster.client(MetricsService).listMetrics({machineId: id});
  t.is(new Set(metrics.map(({uptime}) => uptime)).size, metrics.length, 'no sample twice');
  t.is(metrics.length, settled.count);
});

/** Rows, and the sequence numbers that are noted as stored. */
async function storedSamples({postgres: {sql}}: Muster, machineId: string) {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from metrics where machine_id = ${machineId}
  `;
  const sessions = await sql<{received: readonly (readonly [number, number])[]}[]>`
    select received from metrics_sessions where machine_id = ${machineId}
  `;
  const ranges = sessions.flatMap(({received}) => received);
  return {
    count: row?.count ?? 0,
    ranges,
    numbered: ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0),
  };
}

const countSamples = (muster: Muster, machineId: string, countMin: number) =>
  until(
    `${countMin} samples`,
    async () => {
      const stored = await storedSamples(muster, machineId);
      return stored.count >= countMin && stored;
    },
    90_000,
  );
