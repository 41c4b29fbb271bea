import {randomUUID} from 'node:crypto';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {createMetrics, type MetricsQuery} from './metrics.ts';

const retention = {samplesDays: 14, minutesDays: 30, hoursDays: 60};
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const postgres = postgresOf(test);

async function setUp(start = '2026-03-01T12:00:00Z') {
  const {sql, ...database} = await postgres.createDatabase();
  const clock = {now: new Date(start)};
  const create = () => createMetrics({sql, now: () => clock.now, retention});
  const metrics = create();
  const machineId = await createTestMachine(sql, 'active');
  const list = (query: Partial<MetricsQuery> = {}) =>
    metrics.list({
      machineId,
      since: '',
      until: '',
      limit: 10_000,
      step: '',
      aggregation: 'average',
      ...query,
    });
  /** One sample every 10 s from then on, the first one with this number. */
  const report = (
    from: Date,
    {count, first = 0, session = 's'}: {count: number; first?: number; session?: string},
  ) => ({
    machineId,
    session,
    firstSequence: first,
    receiveTime: clock.now,
    samples: Array.from({length: count}, (_, index) => ({
      time: new Date(from.getTime() + index * 10_000),
      load1: (first + index) / 4,
      memoryUsedBytes: 2 ** 40 + first + index,
      powerState: 'on',
      ...(index % 6 === 0 ? {devices: {'interface/rxBytes/eth0': 1000 * (first + index)}} : {}),
    })),
  });
  return {
    sql,
    clock,
    metrics,
    create,
    machineId,
    list,
    report,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const at = (text: string) => new Date(text);

test('what is asked for in steps is the same from samples and from roll-ups, at every step', async t => {
  await using app = await setUp();
  await app.metrics.store([app.report(at('2026-03-01T09:58:00Z'), {count: 700})]);
  const steps = ['30s', '1m', '5m', '90m', '1h', '2h'];
  const ask = () =>
    Promise.all(
      steps.flatMap(step =>
        (['average', 'min', 'max'] as const).map(aggregation => app.list({step, aggregation})),
      ),
    );
  const before = await ask();
  t.is(await app.metrics.rollUp(), 2);
  t.is(await app.metrics.rollUp(), 0);
  t.deepEqual(await ask(), before);
  const [, hours] = await app.list({step: '1h'});
  t.like(hours, {
    time: at('2026-03-01T10:00:00Z'),
    sampleCount: 360,
    load1: (12 + 371) / 2 / 4,
    powerState: 'on',
  });
  t.is((await app.list({step: '1m', until: '2026-03-01T10:00:00Z'})).length, 2);
  t.is((await app.list({step: '1m', limit: 5})).length, 5);
});

test('samples that come late, twice or out of order change a roll-up to what is right', async t => {
  await using app = await setUp();
  const from = at('2026-03-01T10:00:00Z');
  const later = (minutes: number) => new Date(from.getTime() + minutes * minuteMs);
  await app.metrics.store([app.report(later(30), {count: 180, first: 180})]);
  t.is(await app.metrics.rollUp(), 1);
  t.like((await app.list({step: '1h'}))[0], {sampleCount: 180});

  // The other half, of which some were stored; then all of it again; and another session, as after a restart.
  await app.metrics.store([app.report(from, {count: 200})]);
  await app.metrics.store([app.report(from, {count: 360})]);
  await app.metrics.store([app.report(later(59), {count: 3, session: 'other'})]);
  const live = await app.list({step: '1h', aggregation: 'max'});
  t.is(await app.metrics.rollUp(), 1);
  const rolled = await app.list({step: '1h', aggregation: 'max'});
  t.deepEqual(rolled, live);
  t.like(rolled[0], {sampleCount: 363, load1: 359 / 4});
});

test('nothing is lost between storing and rolling up at the same time', async t => {
  await using app = await setUp();
  const twin = app.create();
  const from = at('2026-03-01T10:00:00Z');
  const rolling = {on: true};
  const roll = async () => {
    while (rolling.on) await twin.rollUp();
  };
  const running = roll();
  for (let batch = 0; batch < 36; batch++)
    await app.metrics.store([
      app.report(new Date(from.getTime() + batch * 100_000), {count: 10, first: batch * 10}),
    ]);
  rolling.on = false;
  await running;
  await app.metrics.rollUp();
  const [row] = await app.sql<{sampleCount: number}[]>`select sample_count from metrics_hours`;
  t.is(row?.sampleCount, 360);
  t.like((await app.list({step: '1h'}))[0], {sampleCount: 360});
});

test('days of rows are dropped once they are packed, and history does not change by it', async t => {
  await using app = await setUp();
  await app.metrics.maintain();
  await app.metrics.store([app.report(at('2026-03-01T11:00:00Z'), {count: 300})]);
  const whole = {since: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z'};
  const before = await app.list(whole);
  t.is(before.length, 300);
  t.deepEqual(before[0]?.time, at('2026-03-01T11:49:50Z'));

  app.clock.now = new Date(at('2026-03-02T00:00:00Z').getTime() + 2 * dayMs + 2 * hourMs);
  t.deepEqual(await app.metrics.maintain(), ['metrics_20260228'], 'not before they are packed');
  await app.metrics.rollUp();
  t.deepEqual(await app.metrics.maintain(), ['metrics_20260301']);
  t.deepEqual(await app.list(whole), before);
  t.deepEqual(await app.list({...whole, limit: 7}), before.slice(0, 7));
  t.deepEqual(
    await app.list({...whole, since: '2026-03-01T11:10:00Z', until: '2026-03-01T11:20:00Z'}),
    before.slice(180, 240),
  );
  t.is((await app.list({...whole, step: '45s'})).length, 67);
  // Of a server that was started again: nothing is in its memory.
  t.like(await app.create().latest(app.machineId), {time: at('2026-03-01T11:49:50Z')});
});

test('samples, minutes and hours are each kept for as long as their setting says', async t => {
  await using app = await setUp();
  await app.metrics.maintain();
  await app.metrics.store([app.report(at('2026-03-01T10:00:00Z'), {count: 360})]);
  const count = async (table: string) =>
    (await app.sql<{count: number}[]>`select count(*)::int as count from ${app.sql(table)}`)[0]
      ?.count;
  const counts = () =>
    Promise.all(['metrics', 'metrics_chunks', 'metrics_minutes', 'metrics_hours'].map(count));
  await app.metrics.rollUp();
  t.deepEqual(await counts(), [360, 1, 1, 1]);
  for (const [days, expected] of [
    [4, [0, 1, 1, 1]],
    [16, [0, 0, 1, 1]],
    [32, [0, 0, 0, 1]],
    [62, [0, 0, 0, 0]],
  ] as const) {
    app.clock.now = new Date(at('2026-03-01T12:00:00Z').getTime() + days * dayMs);
    await app.metrics.maintain();
    t.deepEqual(await counts(), [...expected], `after ${days} days`);
  }
});

test('rows that are never packed are dropped in the end', async t => {
  await using app = await setUp();
  await app.metrics.store([app.report(at('2026-03-01T10:00:00Z'), {count: 1})]);
  app.clock.now = new Date(app.clock.now.getTime() + 18 * dayMs);
  t.true((await app.metrics.maintain()).includes('metrics_20260301'));
});

test('partitions of the days around now are there ahead, whoever makes them', async t => {
  await using app = await setUp('2026-03-01T23:59:00Z');
  await Promise.all([app.metrics.maintain(), app.create().maintain()]);
  const rows = await app.sql<{name: string}[]>`
    select relname as name from pg_class where relname ~ '^metrics_[0-9]{8}$' order by relname
  `;
  t.deepEqual(
    rows.map(({name}) => name),
    ['metrics_20260228', 'metrics_20260301', 'metrics_20260302', 'metrics_20260303'],
  );
});

test('two weeks of hours are read as fast as they are packed, the newest first', async t => {
  await using app = await setUp('2026-03-01T00:00:00Z');
  const start = app.clock.now;
  for (let hour = 0; hour < 60; hour++) {
    const from = new Date(start.getTime() + hour * hourMs);
    app.clock.now = new Date(from.getTime() + hourMs);
    await app.metrics.store([app.report(from, {count: 2, first: hour * 2})]);
  }
  app.clock.now = new Date(start.getTime() + 6 * dayMs);
  t.is(await app.metrics.rollUp(), 60);
  await app.metrics.maintain();
  const since = '999999d';
  t.deepEqual(
    (await app.list({since})).map(({load1 = 0}) => load1 * 4),
    Array.from({length: 120}, (_, index) => 119 - index),
  );
  t.deepEqual(
    (await app.list({since, step: '1d'})).map(({sampleCount}) => sampleCount),
    [24, 48, 48],
  );
  t.deepEqual(
    (await app.list({since, step: '1d', limit: 2})).map(({sampleCount}) => sampleCount),
    [24, 48],
  );
});

test('what devices said last stays with the latest sample for five minutes', async t => {
  await using app = await setUp();
  const {machineId} = app;
  const devices = {'interface/rxBytes/eth0': 0};
  await app.metrics.store([app.report(at('2026-03-01T11:58:00Z'), {count: 6})]);
  for (const metrics of [app.metrics, app.create()])
    t.like(await metrics.latest(machineId), {load1: 1.25, devices});
  const since = at('2026-03-01T11:55:00Z');
  const found = await app.create().latestOf([machineId, randomUUID()], since);
  t.is(found.size, 1);
  t.like(found.get(machineId), {load1: 1.25, devices});
});

test('a COPY that fails leaves nothing behind, and the connection works on', async t => {
  await using app = await setUp();
  const good = app.report(at('2026-03-01T11:58:00Z'), {count: 3});
  await app.sql`alter table metrics add constraint hot check (load1 < 1000)`;
  const bad = {...good, samples: [...good.samples, {time: app.clock.now, load1: 2000}]};
  await t.throwsAsync(app.metrics.store([bad]), {message: /violates check constraint "hot"/});
  t.is((await app.list()).length, 0);
  await app.metrics.store([good]);
  t.is((await app.list()).length, 3);
});
