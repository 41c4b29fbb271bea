import {randomUUID} from 'node:crypto';
import {setTimeout} from 'node:timers/promises';
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {jetstreamManager} from '@nats-io/jetstream';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {ensureStreams} from '@muster/runtime/bus.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {startNats, type TestNats} from '../../test/helpers/nats.ts';
import {postgresOf, startPostgres} from '../../test/helpers/postgres.ts';
import {correctTime, createMetrics} from '../domain/metrics.ts';
import {parseDurationMs} from '../domain/moments.ts';
import {metricsService} from '../rpc/metrics.ts';
import {startMetricsWorker} from './metrics.ts';
import {serveInMemory} from '../../test/helpers/in-memory.ts';

const retention = {samplesDays: 14, minutesDays: 30, hoursDays: 60};

const postgres = postgresOf(test);

async function setUp(options: {nats?: boolean; now?: () => Date} = {}) {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const metrics = createMetrics({sql, now: options.now ?? (() => new Date()), retention});
  const transport = serveInMemory(
    ({service}) => void service(MetricsService, metricsService(metrics)),
  );
  const client = createClient(MetricsService, transport);
  const owned = stack.move();
  return {sql, metrics, client, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

async function setUpBus(nats: TestNats) {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await setUp());
  const connection = stack.adopt(
    await nats.connectServer({
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      reconnectJitterTLS: 0,
    }),
    open => open.close(),
  );
  await ensureStreams(await jetstreamManager(connection));
  const heard = new Set<string>();
  const outcomes: string[] = [];
  const start = () =>
    startMetricsWorker({
      nats: connection,
      metrics: app.metrics,
      newId: randomUUID,
      presence: {seen: (id: string) => void heard.add(id)},
      count: (outcome: string) => void outcomes.push(outcome),
      log: silentLogger,
    });
  const publish = (subjectId: string, report: object) =>
    connection.publish(`muster.reports.agent.${subjectId}.metrics`, JSON.stringify(report));
  const count = async () =>
    (await app.sql<{count: number}[]>`select count(*)::int as count from metrics`)[0]?.count;
  const owned = stack.move();
  return {
    ...app,
    connection,
    start,
    heard,
    outcomes,
    publish,
    count,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const batch = (machineId: string, session: string, firstSequence: number, size: number) => ({
  report_id: randomUUID(),
  machine_id: machineId,
  metrics: {
    session,
    first_sequence: firstSequence,
    samples: Array.from({length: size}, (_, index) => ({
      time: new Date(Date.now() - (size - index) * 1000).toISOString(),
      cpu_usage_percent: 12.5,
      memory_used_bytes: String(2 ** 40),
      load_average_1: 0.25,
      uptime: 100 + index,
    })),
  },
});

test.serial('stores each sample once, whatever order and however often reports come', async t => {
  await using nats = await startNats();
  await using app = await setUpBus(nats);
  const machineId = await createTestMachine(app.sql, 'active');
  const other = await createTestMachine(app.sql, 'active');
  const receipts: string[] = [];
  const all = Promise.withResolvers<void>();
  app.connection.subscribe(`muster.commands.${machineId}.received`, {
    callback: (_error, message) => {
      receipts.push(...message.json<{received: {report_ids: string[]}}>().received.report_ids);
      if (receipts.length === 5) all.resolve();
    },
  });
  const [first, second, third] = [
    batch(machineId, 's1', 0, 10),
    batch(machineId, 's1', 10, 10),
    batch(machineId, 's2', 0, 3),
  ];
  const sent = [second, first, first, third, {...batch(machineId, 's1', 15, 10)}];
  for (const report of sent) app.publish(machineId, report);
  await using worker = await app.start();
  await using twin = await app.start();
  void [worker, twin];
  await all.promise;
  t.is(await app.count(), 28);
  const ids = new Set(sent.map(report => report.report_id));
  t.is(new Set(receipts).symmetricDifference(ids).size, 0);

  const {metrics} = await app.client.getLatestMetrics({machineId});
  t.like(metrics, {cpuUsagePercent: 12.5, memoryUsedBytes: 1n << 40n, loadAverage1: 0.25});
  t.is(metrics?.diskUsedBytes, undefined);
  t.is((await app.client.listMetrics({machineId, since: '1h', limit: 5})).metrics.length, 5);
  t.is((await app.client.listMetrics({machineId: other})).metrics.length, 0);
});

test.serial(
  'two servers share hundreds of messages of one machine, and each sample is stored once',
  async t => {
    await using nats = await startNats();
    await using app = await setUpBus(nats);
    const machineId = await createTestMachine(app.sql, 'active');
    const messages = 400;
    for (let number = 0; number < messages; number++)
      app.publish(machineId, batch(machineId, 's', number, 1));
    const done = Promise.withResolvers<void>();
    const heard = new Set<string>();
    app.connection.subscribe(`muster.commands.${machineId}.received`, {
      callback: (_error, message) => {
        const {received} = message.json<{received: {report_ids: string[]}}>();
        for (const id of received.report_ids) heard.add(id);
        if (heard.size === messages) done.resolve();
      },
    });
    await using worker = await app.start();
    await using twin = await app.start();
    void [worker, twin];
    await done.promise;
    t.is(await app.count(), messages);
  },
);

/** The same as columns: what an agent sends when several wait. */
function inColumns({metrics, ...report}: ReturnType<typeof batch>, others: object = {}) {
  const {session, first_sequence: firstSequence, samples} = metrics;
  const timeMs = samples.map(({time}) => Date.parse(time));
  return {
    ...report,
    metrics_columns: {
      session,
      first_sequence: String(firstSequence),
      time_ms: timeMs.map((ms, at) => ms - (timeMs[at - 1] ?? 0)),
      uptime: samples.map(({uptime}) => uptime),
      power_state: 'on',
      others,
    },
  };
}

/** In the spelling of our agents, which is read the short way. */
function asAgent(report: ReturnType<typeof inColumns>) {
  const {report_id: reportId, machine_id: machineId, metrics_columns: columns} = report;
  const {first_sequence: firstSequence, time_ms: timeMs, power_state: powerState, ...own} = columns;
  return {reportId, machineId, metricsColumns: {...own, firstSequence, timeMs, powerState}};
}

test.serial(
  'columns and rows of one session are one sequence, in as many transactions as it takes',
  async t => {
    await using nats = await startNats();
    await using app = await setUpBus(nats);
    const machineId = await createTestMachine(app.sql, 'active');
    const disks = [{name: 'sda', read_bytes: '7'}];
    const [rows, columns, again] = [
      batch(machineId, 's', 0, 360),
      inColumns(batch(machineId, 's', 300, 360), {0: {disks}, 359: {power_watts: 95}}),
      asAgent(inColumns(batch(machineId, 's', 600, 100), {70: {fans: [{name: 'fan', rpm: 5}]}})),
    ];
    const subject = `muster.commands.${machineId}.received`;
    const receipts = app.connection.subscribe(subject)[Symbol.asyncIterator]();
    const reported = new Set<string>();
    const receiptsOf = async (count: number) => {
      while (reported.size < count) {
        const next = await receipts.next();
        if (next.done) throw new Error('The subscription ended');
        const {received} = next.value.json<{received: {report_ids: string[]}}>();
        for (const id of received.report_ids) reported.add(id);
      }
    };
    await using worker = await app.start();
    void worker;
    // One after the other, as an agent sends them: two transactions at once may take what overlaps from either.
    for (const [place, report] of [rows, columns, again].entries()) {
      app.publish(machineId, report);
      await receiptsOf(place + 1);
    }
    for (let number = 0; number < 30; number++)
      app.publish(machineId, asAgent(inColumns(batch(machineId, 's', 700 + number * 360, 360))));
    await receiptsOf(33);
    t.is(await app.count(), 700 + 30 * 360);
    const told = await app.sql<{devices: string}[]>`
      select devices::text as devices from metrics where devices is not null order by 1
    `;
    t.deepEqual(
      told.map(({devices}): unknown => JSON.parse(devices)),
      [{'fan/rpm/fan': 5}, {'power/watts/': 95}],
      'what came before is not stored again, nor its devices',
    );
  },
);

test.serial('drops what is no report of the machine that sent it, and keeps the rest', async t => {
  await using nats = await startNats();
  await using app = await setUpBus(nats);
  const machineId = await createTestMachine(app.sql, 'active');
  const stranger = randomUUID();
  const good = batch(machineId, 's', 0, 1);
  const withSample = (sample: object) => ({...good, metrics: {...good.metrics, samples: [sample]}});
  for (const bad of [
    {...good, machine_id: stranger},
    {...good, report_id: 'x'},
    {...good, metrics: {...good.metrics, session: ''}},
    {...good, metrics: {...good.metrics, first_sequence: '18446744073709551615'}},
    withSample({cpu_usage_percent: 'NaN'}),
    withSample({cpu_usage_percent: 300}),
    withSample({memory_used_bytes: -1}),
    {...inColumns(good), metrics_columns: {session: 's', time_ms: [1, -2]}},
    {...inColumns(good), metrics_columns: {session: '', time_ms: [1]}},
    // A form that this server does not know: without a receipt its agent sends the samples in rows.
    {report_id: randomUUID(), machine_id: machineId, metrics_of_tomorrow: {}},
    {hello: 1},
    [],
  ])
    app.publish(machineId, bad);
  app.connection.publish(`muster.reports.agent.${machineId}.metrics`, '\xff{');
  app.connection.publish('muster.reports.agent.x.metrics', JSON.stringify(good));
  app.publish(stranger, batch(stranger, 's', 0, 1));
  app.publish(machineId, {
    ...withSample({memory_used_bytes: '18446744073709551615', power_state: 'on\0', uptime: 5}),
  });

  const received = Promise.withResolvers<void>();
  app.connection.subscribe(`muster.commands.${machineId}.received`, {
    callback: () => received.resolve(),
  });
  await using worker = await app.start();
  void worker;
  await received.promise;
  t.is(await app.count(), 1);
  t.deepEqual([...app.heard], [machineId]);
  const tally = (outcome: string) => app.outcomes.filter(item => item === outcome).length;
  t.deepEqual([tally('committed'), tally('junk')], [1, 15]);
  const {metrics} = await app.client.getLatestMetrics({machineId});
  t.like(metrics, {uptime: 5, powerState: 'on\uFFFD'});
  t.is(metrics?.memoryUsedBytes, undefined);
});

test.serial('goes on after nats-server and PostgreSQL were killed; nothing is lost', async t => {
  await using nats = await startNats();
  await using own = await startPostgres();
  const metrics = createMetrics({sql: own.sql, now: () => new Date(), retention});
  const machineId = await createTestMachine(own.sql, 'active');
  const connection = await nats.connectServer({
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitterTLS: 0,
  });
  t.teardown(() => connection.close());
  await using worker = await startMetricsWorker({
    nats: connection,
    metrics,
    newId: randomUUID,
    presence: {seen() {}},
    count() {},
    log: silentLogger,
  });
  void worker;
  const stored = async (count: number) => {
    for (;;) {
      const rows = await own.sql`select 1 from metrics`.catch(() => []);
      if (rows.length >= count) return rows.length;
      await setTimeout(50);
    }
  };
  const send = async (firstSequence: number) => {
    const report = JSON.stringify(batch(machineId, 's', firstSequence, 5));
    connection.publish(`muster.reports.agent.${machineId}.metrics`, report);
    await connection.flush();
  };
  await ensureStreams(await jetstreamManager(connection));
  await send(0);
  t.is(await stored(5), 5);

  await own.stop('SIGKILL');
  await send(5);
  await own.start();
  t.is(await stored(10), 10);

  await nats.stop('SIGKILL');
  await nats.start();
  const isBack = () =>
    connection.flush().then(
      () => true,
      () => false,
    );
  while (!(await isBack())) await setTimeout(50);
  await send(10);
  t.is(await stored(15), 15);
});

test('a script submits, and reads what it submitted', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'active');
  const code = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: unknown) => ConnectError.from(error).code,
    );
  t.is(await code(app.client.getLatestMetrics({machineId})), Code.NotFound);
  const submitted = await app.client.submitMetrics({
    machineId,
    metrics: {cpuUsagePercent: 0, temperature: -3},
  });
  t.like(submitted.metrics, {cpuUsagePercent: 0, temperature: -3});
  t.deepEqual((await app.client.getLatestMetrics({machineId})).metrics, submitted.metrics);
  t.deepEqual((await app.client.listMetrics({machineId})).metrics, [submitted.metrics]);

  const unknown = randomUUID();
  t.is(await code(app.client.submitMetrics({machineId: unknown, metrics: {}})), Code.NotFound);
  t.is(await code(app.client.listMetrics({machineId: unknown})), Code.NotFound);
  t.is(await code(app.client.listMetrics({machineId, since: '999999d'})), undefined);
  const time = {seconds: 0n, nanos: 0};
  t.is(await code(app.client.submitMetrics({machineId, metrics: {time}})), Code.InvalidArgument);
});

const received = new Date('2026-01-01T12:00:00Z');
const shift = (ms: number) => new Date(received.getTime() + ms);
test('a sample gets the time at which it was measured, by the clock of the server', t => {
  t.deepEqual(correctTime(shift(-5000), 0, received), shift(-5000));
  t.deepEqual(correctTime(shift(3_600_000 - 5000), 3_600_000, received), shift(-5000));
  t.deepEqual(correctTime(shift(1), 0, received), received);
  t.deepEqual(correctTime(new Date(0), 0, received), received);
  t.deepEqual(correctTime(undefined, 0, received), received);
});

test('reads durations', t => {
  t.is(parseDurationMs('24h'), 86_400_000);
  t.is(parseDurationMs('90m'), 5_400_000);
  t.throws(() => parseDurationMs('1y'), {message: /^Cannot read duration "1y"/});
});
