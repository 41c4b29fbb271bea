import {randomUUID} from 'node:crypto';
import {setTimeout as delay} from 'node:timers/promises';
import {jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import type {Report} from '@muster/agent/outbox.ts';
import {reportText} from '@muster/agent/report-text.ts';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {streams, subjects} from '@muster/runtime/bus.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {connectAsAll} from '../helpers/fleet-bus.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {buildInventory} from './inventory.ts';
import {cpuSeconds, cpuSecondsOfTree, median, print} from './measure.ts';

const machinesOfRound = 150;
const rounds = 7;
const unchangedRatioMin = 5;
const insertRatioMin = 0.7;
const insertsAtOnce = 4;
const receiptsMs = 120_000;
const pollMs = 10;
/** A round of receipts takes a tenth of a second: rules for issues and the journal still follow what was taken in before for longer than that. */
const rest = {lookMs: 500, cpuMsMax: 25, looksMax: 60} as const;

type Machine = {readonly id: string; readonly inventory: HardwareJson};
type Cost = {
  readonly wallMs: number;
  /** Of the server. */
  readonly cpuMs: number;
  readonly postgresCpuMs: number;
};

type Costs = {
  /** Until the agents have their receipts: from then on nothing of it can be lost. */
  readonly received: Cost;
  /** Until all of it is taken in: versions, components, issues, what it is searched by. */
  readonly whole: Cost;
};

/**
 * Reports through NATS, the server's process and PostgreSQL: a first one, an unchanged one, one of flapping values; until their receipts, and until they
 * are taken in.
 */
export async function benchHardware(): Promise<void> {
  await using muster = await startMuster();
  await using bus = await connectAsAll(muster);
  const manager = await jetstreamManager(bus.nats);
  await until('the stream of reports', () => manager.streams.info(streams.REPORTS.name));
  const inserts: Cost[] = [];
  const costs: Record<'first' | 'flapping' | 'unchanged', Costs[]> = {
    first: [],
    flapping: [],
    unchanged: [],
  };
  await muster.postgres
    .sql`create table bench_inventories (id uuid primary key, inventory jsonb not null)`;
  // The first round warms up both sides.
  for (let round = 0; round <= rounds; round += 1) {
    const machines = await seedMachines(muster, round);
    await atRest(muster);
    const inserted = await insert(muster, machines);
    await atRest(muster);
    const first = await report(muster, bus.nats, machines, inventory => inventory);
    await expectKept(muster, machines, 'update_time');
    await atRest(muster);
    const unchanged = await report(muster, bus.nats, machines, inventory => inventory);
    await expectKept(muster, machines, 'confirm_time');
    await atRest(muster);
    const flapping = await report(muster, bus.nats, machines, unplug);
    await expectKept(muster, machines, 'update_time');
    if (round === 0) continue;
    inserts.push(inserted);
    costs.first.push(first);
    costs.unchanged.push(unchanged);
    costs.flapping.push(flapping);
  }
  const [first, unchanged, flapping] = [costs.first, costs.unchanged, costs.flapping].map(all => ({
    received: medianOf(all.map(({received}) => received)),
    whole: medianOf(all.map(({whole}) => whole)),
  })) as [Costs, Costs, Costs];
  printFirst(first, medianOf(inserts));
  printRatio('unchanged inventory, received and known', unchanged.received, first.whole, {
    min: unchangedRatioMin,
  });
  printRatio('inventory of which flapping values changed', flapping.whole, first.whole, {min: 0});
}

function printFirst({received, whole}: Costs, inserted: Cost): void {
  const size = sizesOf({
    reportId: randomUUID(),
    kind: 'inventory',
    body: {inventory: buildInventory(1)},
  });
  const rate = (cost: Cost) => inserted.wallMs / cost.wallMs;
  const postgres = (cost: Cost) =>
    `PostgreSQL ${cost.postgresCpuMs.toFixed(2)} ms, ${(cost.postgresCpuMs / inserted.postgresCpuMs).toFixed(2)} × that of the insert (${inserted.postgresCpuMs.toFixed(2)} ms)`;
  print({
    what: `first inventory, ${size}, received`,
    value: `${received.wallMs.toFixed(2)} ms`,
    base: `${rate(received).toFixed(2)} × the rate of a raw jsonb insert on ${insertsAtOnce} connections (${inserted.wallMs.toFixed(2)} ms)`,
    limit: `floor ${insertRatioMin}, goal 1.5`,
    met: rate(received) >= insertRatioMin,
  });
  print({
    what: 'CPU of receiving it',
    value: `${received.cpuMs.toFixed(2)} ms`,
    base: postgres(received),
    limit: 'reported; goal PostgreSQL 0.15 ×',
    met: true,
  });
  print({
    what: 'first inventory, received and taken in',
    value: `${whole.wallMs.toFixed(2)} ms`,
    base: `${rate(whole).toFixed(2)} × the rate of the insert`,
    limit: 'reported',
    met: true,
  });
  print({
    what: 'CPU of both',
    value: `${whole.cpuMs.toFixed(2)} ms`,
    base: postgres(whole),
    limit: 'reported',
    met: true,
  });
}

/** Of the plain form, and as agents send it. */
function sizesOf(report: Report): string {
  const [plain, packed] = [true, false].map(isPlain =>
    (Buffer.byteLength(reportText({...report, isPlain}, randomUUID())) / 1024).toFixed(0),
  );
  return `${plain} KiB, sent as ${packed}`;
}

/** Until neither the server nor PostgreSQL has anything left to do. */
async function atRest(muster: Muster): Promise<void> {
  const [server, postgres] = [muster.server.pid ?? 0, muster.postgres.pid ?? 0];
  const used = () => (cpuSeconds(server) + cpuSecondsOfTree(postgres)) * 1000;
  for (let looks = 0; looks < rest.looksMax; looks += 1) {
    const before = used();
    await delay(rest.lookMs);
    if (used() - before <= rest.cpuMsMax) return;
  }
  throw new Error('Cannot measure: the server does not come to rest');
}

/** A fast wrong answer is none: each machine has one version, and said its last word in the last report. */
async function expectKept(
  {postgres: {sql}}: Muster,
  machines: readonly Machine[],
  column: 'update_time' | 'confirm_time',
): Promise<void> {
  const ids = machines.map(({id}) => id);
  const [row] = await sql<{versions: number; kept: number}[]>`
    select
      (select count(*)::int from hardware_versions where machine_id = any(${ids}::text[]::uuid[])) as versions,
      (
        select count(*)::int from machine_hardware join agent_reports using (machine_id)
        where machine_id = any(${ids}::text[]::uuid[]) and ${sql(column)} = time
          and time = (select max(time) from agent_reports as last where last.machine_id = machine_hardware.machine_id)
      ) as kept
  `;
  const {versions = 0, kept = 0} = row ?? {};
  if (versions !== ids.length || kept !== ids.length)
    throw new Error(`${versions} versions and ${kept} last words of ${ids.length} machines`);
}

const medianOf = (costs: readonly Cost[]): Cost => ({
  wallMs: median(costs.map(({wallMs}) => wallMs)),
  cpuMs: median(costs.map(({cpuMs}) => cpuMs)),
  postgresCpuMs: median(costs.map(({postgresCpuMs}) => postgresCpuMs)),
});

function printRatio(what: string, cost: Cost, first: Cost, {min}: {min: number}): void {
  const [wall, cpu] = [first.wallMs / cost.wallMs, first.cpuMs / cost.cpuMs];
  print({
    what,
    value: `${cost.wallMs.toFixed(2)} ms`,
    base: `${wall.toFixed(1)} × cheaper than a first one in all (server CPU ${cpu.toFixed(1)} ×)`,
    limit: min > 0 ? `floor ${min} ×, both; goal 10` : 'reported',
    met: Math.min(wall, cpu) >= min,
  });
}

/** Starts counting; what it costs a process to do this for so many machines, each, whenever that is asked. */
function startCosts(muster: Muster, count: number): () => Cost {
  const [server, postgres] = [muster.server.pid ?? 0, muster.postgres.pid ?? 0];
  const before = [cpuSeconds(server), cpuSecondsOfTree(postgres)] as const;
  const sinceMs = performance.now();
  return () => ({
    wallMs: (performance.now() - sinceMs) / count,
    cpuMs: ((cpuSeconds(server) - before[0]) * 1000) / count,
    postgresCpuMs: ((cpuSecondsOfTree(postgres) - before[1]) * 1000) / count,
  });
}

/** The base: the document as it is, and nothing else. */
async function insert(muster: Muster, machines: readonly Machine[]): Promise<Cost> {
  const {sql} = muster.postgres;
  const left = machines.map(({id, inventory}) => ({id, text: JSON.stringify(inventory)})).values();
  const insertAll = async () => {
    for (const {id, text} of left)
      await sql`insert into bench_inventories values (${id}, ${text}::text::jsonb)`;
  };
  const costs = startCosts(muster, machines.length);
  await Promise.all(Array.from({length: insertsAtOnce}, insertAll));
  return costs();
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

/** The cost of one report: all machines at once, until the last receipt, and until nothing of it waits. */
async function report(
  muster: Muster,
  nats: NatsConnection,
  machines: readonly Machine[],
  change: (inventory: HardwareJson) => HardwareJson,
): Promise<Costs> {
  const reports = machines.map(({id: machineId, inventory}) => {
    const collectTime = new Date().toISOString();
    const body = {inventory: {collectTime, ...change(inventory)}};
    const data = reportText({reportId: randomUUID(), kind: 'inventory', body}, machineId);
    return {subject: subjects.agentReport(machineId, 'inventory'), data};
  });
  const receipts = nats.subscribe('muster.commands.*.received', {max: machines.length});
  const deadline = setTimeout(() => receipts.unsubscribe(), receiptsMs);
  await nats.flush();
  const costs = startCosts(muster, machines.length);
  for (const {subject, data} of reports) nats.publish(subject, data);
  let heard = 0;
  for await (const _ of receipts) heard += 1;
  const received = costs();
  clearTimeout(deadline);
  if (heard !== machines.length)
    throw new Error(`${heard} of ${machines.length} receipts came in ${receiptsMs} ms`);
  while (await isWaiting(muster)) await delay(pollMs);
  return {received, whole: costs()};
}

async function isWaiting({postgres: {sql}}: Muster): Promise<boolean> {
  const [row] = await sql<{isWaiting: boolean}[]>`
    select exists (select from hardware_intake) as is_waiting
  `;
  return row?.isWaiting === true;
}

function unplug(inventory: HardwareJson): HardwareJson {
  const nics = inventory.nics?.map(nic => ({...nic, link: false, speedMbps: 0})) ?? [];
  return {...inventory, nics};
}
