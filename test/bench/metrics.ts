import {randomUUID} from 'node:crypto';
import {performance} from 'node:perf_hooks';
import process from 'node:process';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {zstdCompressSync} from 'node:zlib';
import {jetstreamManager} from '@nats-io/jetstream';
import {ensureStreams, streams} from '@muster/runtime/bus.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import type {FleetSnapshot, MeasuredMachine} from '@muster/server/domain/fleet-metrics.ts';
import {decodePoints} from '@muster/server/domain/metrics-chunks.ts';
import {packPoints} from '@muster/server/domain/metrics-packs.ts';
import {toPoint} from '@muster/server/domain/metrics-points.ts';
import {createMetrics, type Sample} from '@muster/server/domain/metrics.ts';
import {createExposition} from '@muster/server/http/exposition.ts';
import {encodeSample} from '@muster/server/store/metrics-copy.ts';
import {listSamples} from '@muster/server/store/metrics.ts';
import type {Database} from '@muster/server/store/db.ts';
import {startMetricsWorker} from '@muster/server/workers/metrics.ts';
import {createTestMachine} from '../helpers/builds.ts';
import {startNats} from '../helpers/nats.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {median, print} from './measure.ts';
import {makeSamples, toReport} from './samples.ts';

const machineCount = 200;
const samplesEach = 360;
const rounds = 5;
const retention = {samplesDays: 14, minutesDays: 90, hoursDays: 365};
const columnsOf =
  'metrics (machine_id, time, cpu_usage_percent, load1, load5, load15, temperature, uptime, memory_used_bytes, memory_total_bytes, disk_used_bytes, disk_total_bytes, network_rx_bytes, network_tx_bytes, power_state, devices)';

/** Ingest, size of history, reading it, and the page for Prometheus; notes on performance, iv. */
export async function benchMetrics(): Promise<void> {
  await using postgres = await startPostgres();
  await benchIngest(postgres.sql);
  await benchHistory(postgres.sql);
  await benchExport();
}

async function timed(work: () => Promise<unknown>): Promise<{ms: number; cpuUs: number}> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  await work();
  const ms = performance.now() - since;
  const {user, system} = process.cpuUsage(cpu);
  return {ms, cpuUs: user + system};
}

async function rawCopy(sql: Database, samples: readonly Sample[]): Promise<void> {
  const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
  const rows = Buffer.concat([header, ...samples.map(encodeSample), Buffer.from([255, 255])]);
  const copy = await sql.unsafe(`copy ${columnsOf} from stdin (format binary)`).writable();
  await pipeline(Readable.from([rows]), copy);
}

async function benchIngest(sql: Database): Promise<void> {
  await using nats = await startNats();
  const connection = await nats.connectServer({});
  const manager = await jetstreamManager(connection);
  await ensureStreams(manager);
  const metrics = createMetrics({sql, now: () => new Date(), retention});
  await metrics.maintain();
  const ids = await Promise.all(
    Array.from({length: machineCount}, () => createTestMachine(sql, 'active')),
  );
  const from = new Date(Date.now() - samplesEach * 10_000);
  const samples = ids.flatMap(id => makeSamples(id, from, samplesEach));
  const total = samples.length;

  const ratios: Record<number, number[]> = {1: [], 60: []};
  const cpus: Record<number, number[]> = {1: [], 60: []};
  const single: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const base = await timed(() => rawCopy(sql, samples));
    await sql`truncate metrics, metrics_sessions`;
    const few = samples.slice(0, 1000);
    const inserts = await timed(async () => {
      for (const {machineId, time, load1 = 0} of few)
        await sql`insert into metrics (machine_id, time, load1) values (${machineId}, ${time}, ${load1})`;
    });
    await sql`truncate metrics, metrics_sessions`;
    for (const batch of [1, 60]) {
      const session = randomUUID();
      for (let at = 0; at < total; at += batch) {
        const own = samples.slice(at, at + batch);
        const firstSequence = at % samplesEach;
        const report = toReport(own, {session, firstSequence, reportId: randomUUID()});
        connection.publish(`muster.reports.agent.${own[0]?.machineId}.metrics`, report);
      }
      await connection.flush();
      const held = await manager.streams.info(streams.METRICS.name);
      if (held.state.messages !== total / batch) throw new Error('NATS did not keep every report');
      let committed = 0;
      const done = Promise.withResolvers<void>();
      await using worker = new AsyncDisposableStack();
      const measured = await timed(async () => {
        worker.use(
          await startMetricsWorker({
            nats: connection,
            metrics,
            newId: randomUUID,
            presence: {seen() {}},
            count: () => void (++committed === total / batch && done.resolve()),
            log: silentLogger,
          }),
        );
        await done.promise;
      });
      await worker.disposeAsync();
      const [row] = await sql<{count: number}[]>`select count(*)::int as count from metrics`;
      if (row?.count !== total) throw new Error(`Stored ${row?.count} samples of ${total}`);
      ratios[batch]?.push(base.ms / measured.ms);
      cpus[batch]?.push(measured.cpuUs / total);
      if (batch === 60) single.push(inserts.ms / few.length / (measured.ms / total));
      await manager.streams.purge(streams.METRICS.name);
      await sql`truncate metrics, metrics_sessions`;
    }
  }
  await connection.close();
  for (const batch of [1, 60]) {
    const ratio = median(ratios[batch] ?? []);
    print({
      what: `samples NATS → committed, ${batch} a message`,
      value: `${ratio.toFixed(2)} ×`,
      base: 'rate of one raw binary COPY of the rows',
      limit: batch === 60 ? 'floor 0.6, goal 0.9' : 'reported',
      met: batch !== 60 || ratio >= 0.6,
    });
    const cpu = median(cpus[batch] ?? []);
    print({
      what: `server CPU a sample, ${batch} a message`,
      value: `${cpu.toFixed(0)} µs`,
      limit: batch === 60 ? '≤ 60 µs, goal 15' : 'reported',
      met: batch !== 60 || cpu <= 60,
    });
  }
  print({
    what: 'the same',
    value: `${median(single).toFixed(0)} ×`,
    // PostgreSQL of tests does not wait for the disk, which is most of what a single INSERT costs.
    base: 'rate of one INSERT a sample, three columns, no fsync',
    limit: 'reported',
    met: true,
  });
}

async function benchHistory(sql: Database): Promise<void> {
  const machineId = await createTestMachine(sql, 'active');
  const day = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000);
  const samples = makeSamples(machineId, day, 8640);
  await sql`truncate metrics`;
  await rawCopy(sql, samples);
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
  const from = new Date();
  const machines = Array.from({length: 10_000}, (_, index): MeasuredMachine => {
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
  const snapshot: FleetSnapshot = {time: from, machines, machinesLeftOut: 0, ...nothing};
  const exposition = createExposition({snapshot: async () => snapshot, ageMsMax: 0});
  const ratios: number[] = [];
  let mib = 0;
  for (let round = 0; round < rounds + 2; round++) {
    let page: Buffer = Buffer.alloc(0);
    const rendered = await timed(async () => (page = await exposition.read('text', false)));
    const pieces: Buffer[] = [];
    for (let at = 0; at < page.length; at += 65_536) pieces.push(page.subarray(at, at + 65_536));
    const copied = await timed(async () => Buffer.concat(pieces));
    mib = page.length / 2 ** 20;
    // The first pages make the lines' beginnings and warm the code up.
    if (round >= 2) ratios.push(rendered.cpuUs / copied.cpuUs);
  }
  const ratio = median(ratios);
  print({
    what: 'page for Prometheus, 10,000 machines × 20',
    value: `${ratio.toFixed(1)} ×`,
    base: `CPU of copying its ${mib.toFixed(0)} MiB in memory`,
    limit: 'floor 4, goal 3',
    met: ratio <= 4,
  });
}
