import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {jetstreamManager} from '@nats-io/jetstream';
import {encodeUser} from '@nats-io/jwt';
import {createUser} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {busOptions, streams, subjects} from '@muster/runtime/bus.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {openFoundation} from '@muster/server/foundation.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {buildInventory} from './inventory.ts';
import {cpuSeconds, cpuSecondsOfTree, median, print} from './measure.ts';

const machinesOfRound = 150;
const rounds = 4;
const unchangedRatioMin = 5;
const insertRatioMin = 0.7;
const insertsAtOnce = 4;
const receiptsMs = 120_000;

type Machine = {readonly id: string; readonly inventory: HardwareJson};
type Cost = {
  readonly wallMs: number;
  /** Of the server. */
  readonly cpuMs: number;
  readonly postgresCpuMs: number;
};

/** Reports through NATS, the server's process and PostgreSQL until their receipts: a first one, one of flapping values, an unchanged one. */
export async function benchHardware(): Promise<void> {
  await using muster = await startMuster();
  await using bus = await connectAsAll(muster);
  const manager = await jetstreamManager(bus.nats);
  await until('the stream of reports', () => manager.streams.info(streams.REPORTS.name));
  const costs: Record<'inserted' | 'first' | 'flapping' | 'unchanged', Cost[]> = {
    inserted: [],
    first: [],
    flapping: [],
    unchanged: [],
  };
  await muster.postgres
    .sql`create table bench_inventories (id uuid primary key, inventory jsonb not null)`;
  // The first round warms up both sides.
  for (let round = 0; round <= rounds; round += 1) {
    const machines = await seedMachines(muster, round);
    const inserted = await insert(muster, machines);
    const first = await report(muster, bus.nats, machines, inventory => inventory);
    const unchanged = await report(muster, bus.nats, machines, inventory => inventory);
    const flapping = await report(muster, bus.nats, machines, unplug);
    if (round === 0) continue;
    costs.inserted.push(inserted);
    costs.first.push(first);
    costs.unchanged.push(unchanged);
    costs.flapping.push(flapping);
  }
  const [versions] = await muster.postgres.sql<{count: number}[]>`
    select count(*)::int as count from hardware_versions
  `;
  const expected = machinesOfRound * (rounds + 1);
  if (versions?.count !== expected)
    throw new Error(`${versions?.count} versions were made, ${expected} expected`);

  const bytes = Buffer.byteLength(JSON.stringify(buildInventory(1)));
  const [inserted, first, unchanged, flapping] = [
    medianOf(costs.inserted),
    medianOf(costs.first),
    medianOf(costs.unchanged),
    medianOf(costs.flapping),
  ];
  const rate = inserted.wallMs / first.wallMs;
  print({
    what: `first inventory, ${(bytes / 1024).toFixed(0)} KiB`,
    value: `${first.wallMs.toFixed(2)} ms`,
    base: `${rate.toFixed(2)} × the rate of a raw jsonb insert on ${insertsAtOnce} connections (${inserted.wallMs.toFixed(2)} ms)`,
    limit: `floor ${insertRatioMin}, goal 1.5`,
    met: rate >= insertRatioMin,
  });
  print({
    what: 'CPU of it',
    value: `${first.cpuMs.toFixed(2)} ms`,
    base: `PostgreSQL ${first.postgresCpuMs.toFixed(2)} ms, ${(first.postgresCpuMs / inserted.postgresCpuMs).toFixed(2)} × that of the insert (${inserted.postgresCpuMs.toFixed(2)} ms)`,
    limit: 'reported',
    met: true,
  });
  printRatio('unchanged inventory', unchanged, first, unchangedRatioMin);
  printRatio('inventory of which only flapping values changed', flapping, first, 0);
}

const medianOf = (costs: readonly Cost[]): Cost => ({
  wallMs: median(costs.map(({wallMs}) => wallMs)),
  cpuMs: median(costs.map(({cpuMs}) => cpuMs)),
  postgresCpuMs: median(costs.map(({postgresCpuMs}) => postgresCpuMs)),
});

function printRatio(what: string, cost: Cost, first: Cost, min: number): void {
  const [wall, cpu] = [first.wallMs / cost.wallMs, first.cpuMs / cost.cpuMs];
  print({
    what,
    value: `${cost.wallMs.toFixed(2)} ms`,
    base: `${wall.toFixed(1)} × cheaper than a first one (server CPU ${cpu.toFixed(1)} ×)`,
    limit: min > 0 ? `floor ${min} ×, both; goal 10` : 'reported',
    met: Math.min(wall, cpu) >= min,
  });
}

/** What it costs a process to do this for so many machines, each. */
async function costOf(muster: Muster, count: number, work: () => Promise<unknown>): Promise<Cost> {
  const [server, postgres] = [muster.server.pid ?? 0, muster.postgres.pid ?? 0];
  const before = [cpuSeconds(server), cpuSecondsOfTree(postgres)] as const;
  const sinceMs = performance.now();
  await work();
  return {
    wallMs: (performance.now() - sinceMs) / count,
    cpuMs: ((cpuSeconds(server) - before[0]) * 1000) / count,
    postgresCpuMs: ((cpuSecondsOfTree(postgres) - before[1]) * 1000) / count,
  };
}

/** The base: the document as it is, and nothing else. */
function insert(muster: Muster, machines: readonly Machine[]): Promise<Cost> {
  const {sql} = muster.postgres;
  const left = machines.map(({id, inventory}) => ({id, text: JSON.stringify(inventory)})).values();
  const insertAll = async () => {
    for (const {id, text} of left)
      await sql`insert into bench_inventories values (${id}, ${text}::text::jsonb)`;
  };
  return costOf(muster, machines.length, () =>
    Promise.all(Array.from({length: insertsAtOnce}, insertAll)),
  );
}

/** One connection that may speak for every agent, by the fleet's own key. */
async function connectAsAll(
  muster: Muster,
): Promise<AsyncDisposable & {readonly nats: NatsConnection}> {
  await using foundation = await openFoundation({
    databaseUrl: muster.postgres.url,
    masterKeyFile: join(muster.folder, 'server', 'master.key'),
  });
  const user = createUser();
  const nats = await connect({
    ...busOptions({
      servers: [`127.0.0.1:${muster.natsPort}`],
      siteCa: foundation.trust.siteCa,
      name: 'bench',
    }),
    authenticator: jwtAuthenticator(
      await encodeUser('bench', user, foundation.natsKeys.account, {}),
      user.getSeed(),
    ),
  });
  return {nats, [Symbol.asyncDispose]: () => nats.close()};
}

async function seedMachines({postgres: {sql}}: Muster, round: number): Promise<readonly Machine[]> {
  const now = new Date();
  const machines = Array.from({length: machinesOfRound}, (_, index) => ({
    id: uuidv7(),
    inventory: buildInventory(round * machinesOfRound + index + 1),
  }));
  const rows = machines.map(({id}) => ({
    id,
    state: 'enrolled',
    stateTime: now,
    createTime: now,
    updateTime: now,
  }));
  await sql`insert into machines ${sql(rows)}`;
  return machines;
}

/** The cost of one report: all machines at once, until the last receipt. */
async function report(
  muster: Muster,
  nats: NatsConnection,
  machines: readonly Machine[],
  change: (inventory: HardwareJson) => HardwareJson,
): Promise<Cost> {
  const reports = machines.map(({id: machineId, inventory}) => {
    const collectTime = new Date().toISOString();
    const changed = {collectTime, ...change(inventory)};
    const data = JSON.stringify({reportId: randomUUID(), machineId, inventory: changed});
    return {subject: subjects.agentReport(machineId, 'inventory'), data};
  });
  const receipts = nats.subscribe('muster.commands.*.received', {max: machines.length});
  const deadline = setTimeout(() => receipts.unsubscribe(), receiptsMs);
  await nats.flush();
  return costOf(muster, machines.length, async () => {
    for (const {subject, data} of reports) nats.publish(subject, data);
    let heard = 0;
    for await (const _ of receipts) heard += 1;
    clearTimeout(deadline);
    if (heard !== machines.length)
      throw new Error(`${heard} of ${machines.length} receipts came in ${receiptsMs} ms`);
  });
}

function unplug(inventory: HardwareJson): HardwareJson {
  const nics = inventory.nics?.map(nic => ({...nic, link: false, speedMbps: 0})) ?? [];
  return {...inventory, nics};
}
