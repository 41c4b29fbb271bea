import {randomUUID} from 'node:crypto';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {runInCall} from '../audited-call.ts';
import type {Database} from '../store/db.ts';
import {insertMachine} from '../store/machines.ts';
import {moveRecords} from '../store/merge-machines.ts';
import {deleteMetrics} from '../store/metrics-moves.ts';
import {insertWorkspace} from '../store/workspaces.ts';
import {createMetrics, type MetricsQuery, type Sample} from './metrics.ts';
import {mergeMetrics} from './metrics-packs.ts';

const retention = {samplesDays: 14, minutesDays: 30, hoursDays: 60};
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const at = (text: string) => new Date(text);

const postgres = postgresOf(test);

async function addMachine(sql: Database, workspace?: {workspaceId: string; workspaceTime: Date}) {
  const id = randomUUID();
  const now = new Date();
  const times = {stateTime: now, createTime: now, updateTime: now};
  await insertMachine(sql, {id, state: 'active', ...times, ...workspace});
  return id;
}

async function setUp() {
  const {sql, ...database} = await postgres.createDatabase();
  const clock = {now: at('2026-03-01T12:30:00Z')};
  const metrics = createMetrics({sql, now: () => clock.now, retention});
  await metrics.maintain();
  const list = (machineId: string, query: Partial<MetricsQuery> = {}) =>
    metrics.list({
      machineId,
      since: '13d',
      until: '',
      limit: 10_000,
      step: '',
      aggregation: 'max',
      ...query,
    });
  return {
    sql,
    clock,
    metrics,
    list,
    /** "03-01T10:00 ×360" of each, the oldest first. */
    steps: async (machineId: string, step: string) =>
      (await list(machineId, {step}))
        .map(({time, sampleCount}) => `${time.toISOString().slice(5, 16)} ×${sampleCount}`)
        .toReversed(),
    /** One every 10 minutes from then on. */
    report: (machineId: string, from: string, count: number) =>
      metrics.store([
        {
          machineId,
          session: from,
          firstSequence: 0,
          receiveTime: clock.now,
          samples: series(machineId, from, count),
        },
      ]),
    takeIn: (samples: readonly Sample[], dryRun = false) =>
      metrics.takeIn(samples, {dryRun, inTransaction: work => sql.begin<number>(work)}),
    /** So many days later, with everything rolled up, and old rows dropped. */
    async pass(days: number) {
      clock.now = new Date(clock.now.getTime() + days * dayMs);
      await metrics.rollUp();
      return metrics.maintain();
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function series(machineId: string, from: string, count: number): readonly Sample[] {
  return Array.from({length: count}, (_, index) => ({
    machineId,
    time: new Date(at(from).getTime() + index * 600_000),
    load1: index,
    devices: {'interface/rxBytes/eth0': index},
  }));
}

test('a workspace sees what was measured since a machine was assigned: samples, packed ones, and steps that began then', async t => {
  await using site = await setUp();
  const {sql, metrics, list, steps, report, pass} = site;
  const [workspaceId, other] = [randomUUID(), randomUUID()];
  const created = {createTime: site.clock.now, updateTime: site.clock.now};
  for (const id of [workspaceId, other])
    await insertWorkspace(sql, {id, name: `w${id}`, description: '', machinesMax: 0, ...created});
  const workspaceTime = at('2026-03-01T10:15:00Z');
  const id = await addMachine(sql, {workspaceId, workspaceTime});
  await report(id, '2026-03-01T09:00:00Z', 18);
  const within = <T>(scope: string, work: () => Promise<T>) =>
    runInCall(
      {
        id: randomUUID(),
        caller: () => 'user:mia',
        address: () => '',
        scope: () => [scope],
        method: 'MetricsService.ListMetrics',
        request: () => undefined,
        elapsedMs: () => 1,
        ended: false,
        told: new WeakSet(),
      },
      work,
    );
  const look = () =>
    within(workspaceId, async () => ({
      samples: (await list(id)).map(({time}) => time.toISOString().slice(11, 16)).toReversed(),
      minutes: await steps(id, '10m'),
      hours: await steps(id, '1h'),
      odd: (await steps(id, '90s')).length,
    }));
  const seen = {
    samples: [
      '10:20',
      '10:30',
      '10:40',
      '10:50',
      '11:00',
      '11:10',
      '11:20',
      '11:30',
      '11:40',
      '11:50',
    ],
    minutes: [
      '03-01T10:20 ×1',
      '03-01T10:30 ×1',
      '03-01T10:40 ×1',
      '03-01T10:50 ×1',
      '03-01T11:00 ×1',
      '03-01T11:10 ×1',
      '03-01T11:20 ×1',
      '03-01T11:30 ×1',
      '03-01T11:40 ×1',
      '03-01T11:50 ×1',
    ],
    hours: ['03-01T11:00 ×6'],
    odd: 10,
  };
  t.deepEqual(await look(), seen, 'rows');
  t.is((await list(id)).length, 18, 'the site sees everything');
  t.deepEqual(await within(workspaceId, () => metrics.latest(id)), await metrics.latest(id));
  await metrics.rollUp();
  t.deepEqual(await look(), seen, 'rolled up');
  t.true((await pass(4)).includes('metrics_20260301'));
  t.deepEqual(await look(), seen, 'rows are dropped');
  t.is((await list(id)).length, 18);

  await sql`update machines set workspace_time = ${at('2026-03-01T11:55:00Z')} where id = ${id}`;
  t.deepEqual(await look(), {samples: [], minutes: [], hours: [], odd: 0});
  await t.throwsAsync(
    within(workspaceId, () => metrics.latest(id)),
    {message: /none were reported/},
  );
  t.truthy(await metrics.latest(id));
  t.is((await within(workspaceId, () => metrics.latestOf([id], new Date(0)))).size, 0);
  for (const ask of [() => list(id), () => list(id, {step: '1h'}), () => metrics.latest(id)])
    await t.throwsAsync(within<unknown>(other, ask), {message: `Cannot find machine "${id}"`});
});

test('samples of another system are taken in once, on whatever day, and hide nothing', async t => {
  await using site = await setUp();
  const {sql, list, steps, report, takeIn, pass} = site;
  const [id, beside] = [await addMachine(sql), await addMachine(sql)];
  await report(beside, '2026-03-01T10:00:00Z', 6);
  await report(id, '2026-03-01T10:00:00Z', 6);
  await pass(6);
  // Of days whose rows were dropped, of the hour of which some are packed, and of yesterday.
  const samples = [
    ...series(id, '2026-02-27T23:50:00Z', 2),
    ...series(id, '2026-03-01T10:50:00Z', 2),
    ...series(id, '2026-03-06T10:00:00Z', 6),
  ];
  t.is(await takeIn(samples, true), 9);
  t.is((await list(id)).length, 6, 'that was a dry run');
  t.is(await takeIn([...samples, ...samples]), 9);
  t.is(await takeIn(samples), 0);
  t.is((await list(beside)).length, 6);
  const all = (await list(id)).map(({time}) => time.toISOString().slice(5, 16));
  t.is(all.length, 15);
  t.deepEqual(all.slice(-3), ['03-01T10:00', '02-28T00:00', '02-27T23:50']);
  const hours = [
    '02-27T23:00 ×1',
    '02-28T00:00 ×1',
    '03-01T10:00 ×6',
    '03-01T11:00 ×1',
    '03-06T10:00 ×6',
  ];
  t.deepEqual(await steps(id, '1h'), hours);
  await pass(0);
  t.deepEqual(await steps(id, '1h'), hours, 'rolled up');
  await pass(3);
  t.is(await takeIn(samples), 0, 'packed by now');
  t.deepEqual(await steps(id, '1h'), hours);
  t.is((await list(id)).length, 15);
});

test('a day that is being imported is not dropped', async t => {
  await using site = await setUp();
  const {sql, metrics, list, clock} = site;
  const id = await addMachine(sql);
  const samples = series(id, '2026-03-01T10:00:00Z', 6);
  clock.now = at('2026-03-02T12:30:00Z');
  let dropping: Promise<readonly string[]> | undefined;
  await metrics.takeIn(samples, {
    dryRun: false,
    inTransaction: async work => {
      const count = await sql.begin(async tx => {
        const stored = await work(tx);
        clock.now = at('2026-03-06T12:30:00Z');
        dropping = metrics.maintain();
        // It waits for this transaction.
        for (;;) {
          const [row] = await sql<{count: number}[]>`
            select count(*)::int as count from pg_locks where locktype = 'advisory' and not granted
          `;
          if (row?.count) return stored;
        }
      });
      return count;
    },
  });
  t.false((await dropping)?.includes('metrics_20260301'));
  await metrics.rollUp();
  t.true((await metrics.maintain()).includes('metrics_20260301'));
  t.is((await list(id)).length, 6);
});

test('when two records become one, so does what they measured: rows, packed hours, and what is not rolled up', async t => {
  await using site = await setUp();
  const {sql, steps, list, report, pass} = site;
  const [from, to, reference] = [
    await addMachine(sql),
    await addMachine(sql),
    await addMachine(sql),
  ];
  const merge = () =>
    sql.begin(async tx => {
      await mergeMetrics(tx, {from, to});
      await moveRecords(tx, {from, to, time: site.clock.now});
    });
  await report(from, '2026-03-01T09:00:00Z', 9);
  await report(to, '2026-03-01T10:30:00Z', 6);
  await report(reference, '2026-03-01T09:00:00Z', 15);
  await pass(5);
  await report(from, '2026-03-06T09:00:00Z', 9);
  await report(to, '2026-03-06T10:30:00Z', 6);
  await report(reference, '2026-03-06T09:00:00Z', 15);
  await site.metrics.rollUp();
  await report(from, '2026-03-06T11:30:00Z', 6);
  await report(reference, '2026-03-06T11:30:00Z', 6);
  await merge();
  const look = async (id: string) => ({
    counts: (await list(id)).length,
    times: (await list(id)).map(({time}) => time),
    minutes: await steps(id, '1m'),
    hours: await steps(id, '1h'),
  });
  t.is((await look(to)).counts, 36);
  t.deepEqual(await look(to), await look(reference));
  await pass(1);
  t.deepEqual(await look(to), await look(reference), 'rolled up');
  await pass(3);
  t.deepEqual(await look(to), await look(reference), 'rows are dropped');
  for (const table of ['metrics', 'metrics_chunks', 'metrics_minutes', 'metrics_hours'])
    t.is((await sql`select from ${sql(table)} where machine_id = ${from}`).length, 0, table);
});

test('of a machine whose record goes nothing is kept that it measured', async t => {
  await using site = await setUp();
  const {sql, report, pass, list} = site;
  const [id, other] = [await addMachine(sql), await addMachine(sql)];
  for (const machineId of [id, other]) await report(machineId, '2026-03-01T09:00:00Z', 9);
  await pass(0);
  for (const machineId of [id, other]) await report(machineId, '2026-03-01T12:00:00Z', 3);
  const tables = await sql<{tableName: string}[]>`
    select table_name from information_schema.columns
    where column_name = 'machine_id' and table_schema = 'public' and table_name ~ '^metrics'
  `;
  t.true(tables.length > 5);
  const left = async (machineId: string) => {
    const counts = await Promise.all(
      tables.map(
        async ({tableName}) =>
          (await sql`select from ${sql(tableName)} where machine_id = ${machineId}`).length,
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await left(other);
  await sql.begin(tx => deleteMetrics(tx, id));
  t.is(await left(id), 0);
  t.is(await left(other), before);
  t.is((await list(other)).length, 12);
});
