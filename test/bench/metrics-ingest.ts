import {randomUUID} from 'node:crypto';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {jetstreamManager} from '@nats-io/jetstream';
import {ensureStreams, streams} from '@muster/runtime/bus.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import {createMetrics, type Sample} from '@muster/server/domain/metrics.ts';
import type {Database} from '@muster/server/store/db.ts';
import {encodeSamples} from '@muster/server/store/metrics-copy.ts';
import {startMetricsWorker} from '@muster/server/workers/metrics.ts';
import {createTestMachine} from '../helpers/builds.ts';
import {startNats, type TestNats} from '../helpers/nats.ts';
import {startPostgres, type TestPostgres} from '../helpers/postgres.ts';
import {cpuSecondsOfTree, median, print, timed} from './measure.ts';
import {type Form, makeSamples, toReport} from './samples.ts';

const machineCount = 200;
const samplesEach = 360;
const rounds = 5;
const durableRounds = 3;
const insertedRows = 500;
const copyRatioMin = 0.6;
const insertRatioMin = 50;
const cpuUsMax = 60;
export const retention = {samplesDays: 14, minutesDays: 90, hoursDays: 365};
const columns =
  'machine_id, time, cpu_usage_percent, load1, load5, load15, temperature, uptime, memory_used_bytes, memory_total_bytes, disk_used_bytes, disk_total_bytes, network_rx_bytes, network_tx_bytes, power_state, devices';

/** What agents send: one sample each while all is well, many at once after an outage. */
type Shape = {
  readonly name: string;
  readonly batch: number;
  readonly form: Form;
  readonly hasFloor?: true;
};

const shapes: readonly Shape[] = [
  {name: '1 a message', batch: 1, form: 'rows'},
  {name: '60 a message', batch: 60, form: 'columns', hasFloor: true},
  {name: '60 a message, in rows', batch: 60, form: 'rows'},
];

type RoundCosts = Readonly<Record<'base' | 'binary' | 'taken', Cost>>;

/** Of all rows. */
type Cost = {
  readonly ms: number;
  readonly nodeUs: number;
  readonly postgresUs: number;
};

/** What the busiest process has to do: how fast it goes where each has a core. On shared cores a rate tells more about the neighbours. */
const busiestUs = ({nodeUs, postgresUs}: Cost): number => Math.max(nodeUs, postgresUs);

/** From NATS to what is committed, with receipts: against a raw COPY of the same rows, and against a statement for each sample. */
export async function benchIngest(): Promise<void> {
  await using nats = await startNats();
  await benchAgainstCopy(nats);
  await benchAgainstInserts(nats);
}

async function benchAgainstCopy(nats: TestNats): Promise<void> {
  await using postgres = await startPostgres();
  await using ingest = await openIngest(postgres, nats);
  const total = ingest.samples.length;
  const binary = encodeForCopy(ingest.samples);
  await rawCopy(postgres.sql, binary);
  const text = await copyOut(postgres.sql);
  await ingest.clean();
  const costs = shapes.map(shape => ({shape, rounds: [] as RoundCosts[]}));
  for (let round = 0; round < rounds; round++) {
    const base = await costOf(postgres, () => rawCopy(postgres.sql, text, 'text'));
    await ingest.clean();
    const strongest = await costOf(postgres, () => rawCopy(postgres.sql, binary));
    await ingest.clean();
    for (const {shape, rounds: own} of costs)
      own.push({base, binary: strongest, taken: await ingest.take(shape)});
  }
  for (const {shape, rounds: own} of costs) {
    const ratio = (of: (cost: Cost) => number, name: 'base' | 'binary' = 'base') =>
      median(own.map(round => of(round[name]) / of(round.taken)));
    const each = (of: (cost: Cost) => number) => median(own.map(({taken}) => of(taken))) / total;
    const byCpu = ratio(busiestUs);
    print({
      what: `samples NATS → committed, ${shape.name}`,
      value: `${byCpu.toFixed(2)} ×`,
      base: `rate of \\copy, by CPU of the busier process; by the clock ${ratio(({ms}) => ms).toFixed(2)}; of ready binary tuples ${ratio(busiestUs, 'binary').toFixed(2)}`,
      limit: shape.hasFloor ? `floor ${copyRatioMin}, goal 0.9` : 'reported',
      met: !shape.hasFloor || byCpu >= copyRatioMin,
    });
    const nodeUs = each(cost => cost.nodeUs);
    print({
      what: `server CPU a sample, ${shape.name}`,
      value: `${nodeUs.toFixed(0)} µs`,
      base: `PostgreSQL ${each(cost => cost.postgresUs).toFixed(0)} µs`,
      limit: `floor ${cpuUsMax} µs, goal 15`,
      met: nodeUs <= cpuUsMax,
    });
  }
}

async function costOf(
  postgres: Pick<TestPostgres, 'pid'>,
  work: () => Promise<unknown>,
): Promise<Cost> {
  const pid = postgres.pid ?? 0;
  const before = cpuSecondsOfTree(pid);
  const {ms, cpuUs} = await timed(work);
  return {ms, nodeUs: cpuUs, postgresUs: (cpuSecondsOfTree(pid) - before) * 1e6};
}

/** Both on a PostgreSQL that waits for the disk, as a real one does: that is most of what a single INSERT costs. */
async function benchAgainstInserts(nats: TestNats): Promise<void> {
  await using postgres = await startPostgres(['max_connections=50']);
  await using ingest = await openIngest(postgres, nats);
  const {samples} = ingest;
  const few = samples.slice(0, insertedRows);
  const ratios: number[] = [];
  for (let round = 0; round < durableRounds; round++) {
    const inserts = await timed(async () => {
      for (const sample of few)
        await postgres.sql`insert into metrics ${postgres.sql({...sample})}`;
    });
    await ingest.clean();
    const taken = await ingest.take({batch: 60, form: 'columns'});
    ratios.push(inserts.ms / few.length / (taken.ms / samples.length));
  }
  const ratio = median(ratios);
  print({
    what: 'samples NATS → committed, on the disk',
    value: `${ratio.toFixed(0)} ×`,
    base: 'rate of one INSERT a sample',
    limit: `floor ${insertRatioMin}, goal 150`,
    met: ratio >= insertRatioMin,
  });
}

/** The worker, with what it needs, and samples of many machines for it. */
async function openIngest(postgres: TestPostgres, nats: TestNats) {
  await using stack = new AsyncDisposableStack();
  const {sql} = postgres;
  const connection = stack.adopt(await nats.connectServer({}), opened => opened.close());
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

  const fill = async ({batch, form}: Pick<Shape, 'batch' | 'form'>) => {
    const session = randomUUID();
    for (let at = 0; at < total; at += batch) {
      const own = samples.slice(at, at + batch);
      const about = {session, firstSequence: at % samplesEach, reportId: randomUUID(), form};
      const subject = `muster.reports.agent.${own[0]?.machineId}.metrics`;
      connection.publish(subject, toReport(own, about));
    }
    await connection.flush();
    const held = await manager.streams.info(streams.METRICS.name);
    if (held.state.messages !== total / batch) throw new Error('NATS did not keep every report');
  };
  const clean = async () => {
    await manager.streams.purge(streams.METRICS.name);
    await sql`truncate metrics, metrics_sessions`;
  };
  const owned = stack.move();
  return {
    samples,
    clean,
    /** All of them, `batch` a message. */
    async take(shape: Pick<Shape, 'batch' | 'form'>): Promise<Cost> {
      const {batch} = shape;
      await fill(shape);
      let committed = 0;
      const done = Promise.withResolvers<void>();
      await using worker = new AsyncDisposableStack();
      const cost = await costOf(postgres, async () => {
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
      await clean();
      return cost;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Header, tuples and end. */
export function encodeForCopy(samples: readonly Sample[]): Buffer {
  const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
  return Buffer.concat([header, encodeSamples(samples), Buffer.from([255, 255])]);
}

/** As psql reads them from a file. */
async function copyOut(sql: Database): Promise<Buffer> {
  // A partitioned table cannot be copied by its name.
  const copy = await sql.unsafe(`copy (select ${columns} from metrics) to stdout`).readable();
  return Buffer.concat(await copy.toArray());
}

export async function rawCopy(
  sql: Database,
  rows: Buffer,
  format: 'binary' | 'text' = 'binary',
): Promise<void> {
  const copy = await sql
    .unsafe(`copy metrics (${columns}) from stdin (format ${format})`)
    .writable();
  await pipeline(Readable.from([rows]), copy);
}
