import {randomUUID} from 'node:crypto';
import {zstdCompressSync} from 'node:zlib';
import type {FleetSnapshot, MeasuredMachine} from '@muster/server/domain/fleet-metrics.ts';
import {decodePoints} from '@muster/server/domain/metrics-chunks.ts';
import {packPoints} from '@muster/server/domain/metrics-packs.ts';
import {toPoint} from '@muster/server/domain/metrics-points.ts';
import {createMetrics, type Sample} from '@muster/server/domain/metrics.ts';
import {type Body, createExposition} from '@muster/server/http/exposition.ts';
import {listSamples} from '@muster/server/store/metrics.ts';
import type {Database} from '@muster/server/store/db.ts';
import {createTestMachine} from '../helpers/builds.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {median, print, timed} from './measure.ts';
import {benchIngest, encodeForCopy, rawCopy, retention} from './metrics-ingest.ts';
import {createRandom, makeSamples} from './samples.ts';

const rounds = 5;
const pieceBytes = 65_536;
const exportedMachines = 10_000;

/** Ingest, size of history, reading it, and the page for Prometheus; notes on performance, iv. */
export async function benchMetrics(): Promise<void> {
  await benchIngest();
  await using postgres = await startPostgres();
  await benchHistory(postgres.sql);
  await benchExport();
}

async function benchHistory(sql: Database): Promise<void> {
  const machineId = await createTestMachine(sql, 'active');
  const day = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000);
  const samples = makeSamples(machineId, day, 8640);
  // Makes the partitions of today.
  await createMetrics({sql, now: () => new Date(), retention}).maintain();
  await rawCopy(sql, encodeForCopy(samples));
  const [size] = await sql<{bytes: string}[]>`
    select sum(pg_total_relation_size(inhrelid)) as bytes from pg_inherits where inhparent = 'metrics'::regclass
  `;
  const [empty] = await sql<{bytes: string}[]>`
    select sum(pg_total_relation_size(inhrelid)) as bytes from pg_inherits
    where inhparent = 'metrics'::regclass and pg_relation_size(inhrelid) = 0
  `;
  const rowBytes = (Number(size?.bytes) - Number(empty?.bytes ?? 0)) / samples.length;
  const hours = Array.from({length: 24}, (_, hour) => samples.slice(hour * 360, hour * 360 + 360));
  const packed = hours.map(hour => packPoints(hour.map(toPoint)));
  const bytesOf = (buffers: readonly Buffer[]) =>
    buffers.reduce((sum, buffer) => sum + buffer.length, 0) / samples.length;
  const packedBytes = bytesOf(packed.map(hour => hour.metrics_chunks));
  const values = 14;
  print({
    what: 'history, a packed sample',
    value: `${packedBytes.toFixed(1)} B`,
    base: `${(packedBytes / rowBytes).toFixed(3)} × a row with its index (${rowBytes.toFixed(0)} B); ${(packedBytes / values).toFixed(2)} B a value`,
    limit: 'floor 0.2, goal 0.1',
    met: packedBytes / rowBytes <= 0.2,
  });
  const doubles = bytesOf(hours.map(asDoubles));
  print({
    what: 'the same',
    value: `${(packedBytes / doubles).toFixed(2)} ×`,
    base: `columns of doubles with zstd (${doubles.toFixed(1)} B)`,
    limit: 'goal 0.7',
    met: packedBytes / doubles <= 0.7,
  });
  print({
    what: 'roll-ups of a minute, a sample',
    value: `${bytesOf(packed.map(hour => hour.metrics_minutes)).toFixed(1)} B`,
    base: `of an hour ${bytesOf(packed.map(hour => hour.metrics_hours)).toFixed(1)} B`,
    limit: 'reported',
    met: true,
  });
  const reading: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const range = {machineId, since: day, until: new Date(day.getTime() + 86_400_000)};
    const rows = await timed(() => listSamples(sql, {...range, limit: 10_000}));
    const chunks = await timed(async () =>
      packed.flatMap(hour =>
        decodePoints(hour.metrics_chunks).map(({values}) => values.get('load1')),
      ),
    );
    reading.push(rows.ms / chunks.ms);
  }
  print({
    what: 'a day of a machine from what is packed',
    value: `${median(reading).toFixed(1)} ×`,
    base: 'rate of reading the rows',
    limit: 'floor 1, goal 5',
    met: median(reading) >= 1,
  });
}

/** The strongest ordinary form: each column as doubles, zstd over all. */
function asDoubles(samples: readonly Sample[]): Buffer {
  const numbers = samples.map(sample => [
    sample.time.getTime(),
    ...Object.values(sample).filter(value => typeof value === 'number'),
  ]);
  const columns = (numbers[0] ?? []).flatMap((_, column) => numbers.map(row => row[column] ?? 0));
  return zstdCompressSync(new Uint8Array(new Float64Array(columns).buffer));
}

async function benchExport(): Promise<void> {
  const nextSnapshot = createFleet();
  let snapshot = nextSnapshot();
  const exposition = createExposition({snapshot: async () => snapshot, ageMsMax: 0});
  const costs: {readonly rendered: number; readonly copied: number}[] = [];
  let mib = 0;
  for (let round = 0; round < rounds + 2; round++) {
    let page: Body = {pieces: [], length: 0};
    snapshot = nextSnapshot();
    const rendered = await timed(async () => (page = await exposition.read('text', false)));
    const copied = await timed(async () => copyToNewMemory(page));
    mib = page.length / 2 ** 20;
    // The first pages make the lines' beginnings and warm the code up.
    if (round >= 2) costs.push({rendered: rendered.cpuUs, copied: copied.cpuUs});
  }
  const ratio = median(costs.map(({rendered, copied}) => rendered / copied));
  const [rendered, copied] = [
    median(costs.map(cost => cost.rendered)),
    median(costs.map(cost => cost.copied)),
  ];
  print({
    what: `page of 10,000 machines, ${mib.toFixed(0)} MiB`,
    value: `${(rendered / 1000).toFixed(0)} ms`,
    base: `${ratio.toFixed(1)} × CPU to copy it into new memory (${(copied / 1000).toFixed(0)} ms)`,
    limit: 'floor 4, goal 3',
    met: ratio <= 4,
  });
}

/** The fleet every 15 s: what was measured is new of every machine, what the machines are is not. */
function createFleet(): () => FleetSnapshot {
  const from = new Date();
  const random = createRandom('fleet');
  let machines = Array.from({length: exportedMachines}, (_, index): MeasuredMachine => {
    const id = randomUUID();
    return {
      id,
      hostname: `node-${index}`,
      serviceTag: `TAG${index}`,
      manufacturer: 'Dell Inc.',
      product: 'PowerEdge R640',
      agentVersion: '0.1.0',
      state: 'active',
      stateTime: from,
      lastSeenTime: from,
      bootTime: from,
      clockSkewMs: 3,
      groups: [],
      presence: 'online',
      sample: makeSamples(id, from, 1)[0],
      issues: [],
    };
  });
  const nothing = {states: [], presences: [], builds: [], operations: [], issues: [], services: []};
  return () => {
    machines = machines.map(machine => {
      const time = new Date((machine.lastSeenTime ?? from).getTime() + 15_000);
      const sample = machine.sample && measuredLater(machine.sample, random);
      return {...machine, lastSeenTime: time, sample};
    });
    return {time: machines[0]?.lastSeenTime ?? from, machines, machinesLeftOut: 0, ...nothing};
  };
}

function measuredLater(sample: Sample, random: () => number): Sample {
  const more = (value: number | undefined, unit: number) =>
    Math.round(((value ?? 0) + 0.01 + random() * unit) * 100) / 100;
  const count = (value: number | undefined, unit: number) =>
    (value ?? 0) + 1 + Math.floor(random() * unit);
  return {
    ...sample,
    time: new Date(sample.time.getTime() + 15_000),
    cpuUsagePercent: more(sample.cpuUsagePercent, 1),
    memoryUsedBytes: count(sample.memoryUsedBytes, 2 ** 21),
    diskUsedBytes: count(sample.diskUsedBytes, 4096),
    networkRxBytes: count(sample.networkRxBytes, 2 ** 21),
    networkTxBytes: count(sample.networkTxBytes, 2 ** 21),
    load1: more(sample.load1, 1),
    load5: more(sample.load5, 1),
    load15: more(sample.load15, 1),
    temperature: count(sample.temperature, 2),
    uptime: more(sample.uptime, 15),
  };
}

/** A page is new memory too. What malloc has at hand is four times as fast to write, and it is luck whether it has some. */
function copyToNewMemory({pieces, length}: Body): void {
  // One that can grow never comes from malloc.
  const memory = new ArrayBuffer(length, {maxByteLength: length + pieceBytes});
  const target = new Uint8Array(memory);
  let at = 0;
  for (const piece of pieces)
    for (let from = 0; from < piece.length; from += pieceBytes) {
      const some = piece.subarray(from, from + pieceBytes);
      target.set(some, at);
      at += some.length;
    }
}
