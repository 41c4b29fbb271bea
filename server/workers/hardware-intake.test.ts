import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {Registry} from 'prom-client';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {startHardwareIntake} from './hardware-intake.ts';
import {createReceiptPressure} from './receipt-pressure.ts';
import {createTakeIn} from './take-in-inventory.ts';

const postgres = postgresOf(test);

const timeoutMs = 20_000;

/** Inventories that were received, each of a machine of its own, and no worker yet. */
async function setUp(bodies: readonly string[]) {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const server = await wireMachines(sql);
  const {hardwareIntake: intake, hardware, application: rules} = server;
  const time = new Date();
  const receive = async (body: string) => {
    const [machineId, reportId] = [randomUUID(), randomUUID()];
    const times = {stateTime: time, createTime: time, updateTime: time};
    await sql`insert into machines ${sql({id: machineId, state: 'enrolled', ...times})}`;
    const bytes = Buffer.from(JSON.stringify({reportId, machineId, inventory: JSON.parse(body)}));
    const receipt = {receiveTime: time, sequence: 1, wireSha256: undefined};
    await intake.receive([{machineId, reportId, ...receipt, report: {bytes, isPacked: false}}]);
  };
  for (const body of bodies) await receive(body);

  const taken = new EventTarget();
  const outcomes: string[] = [];
  const count = (outcome: string, kind: string) => {
    outcomes.push(`${kind} ${outcome}`);
    taken.dispatchEvent(new Event('taken'));
  };
  const pressure = createReceiptPressure();
  const registry = new Registry();
  const takeIn = createTakeIn({hardware, rules});
  const sources = {intake, takeIn, pressure, count, registry, log};
  return {
    sql,
    pressure,
    outcomes,
    receive,
    start: (delayMs: number) => startHardwareIntake({...sources, delayMs}),
    gauge: async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value,
    async taken(number: number) {
      const signal = AbortSignal.timeout(timeoutMs);
      while (outcomes.length < number) await once(taken, 'taken', {signal});
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const turnOfLoop = () => new Promise(resolve => setImmediate(resolve));

test('what a server left is taken in by the next one, and each is counted for what it was', async t => {
  await using app = await setUp(['{}', '{"cpus":"none"}', '{}']);
  await using _ = app.start(timeoutMs);
  await app.taken(3);
  t.deepEqual(app.outcomes.toSorted(), [
    'inventory committed',
    'inventory committed',
    'inventory junk',
  ]);
  t.is((await app.sql`select from hardware_versions`).length, 2);
});

test('whoever receives one wakes it', async t => {
  await using app = await setUp([]);
  await using worker = app.start(timeoutMs);
  await app.receive('{}');
  worker.wake(1);
  await app.taken(1);
  t.is((await app.sql`select from machine_hardware`).length, 1);
});

test('receiving goes first: how many wait meanwhile is told, and nothing is taken in until it rests', async t => {
  await using app = await setUp(['{}', '{}']);
  await app.sql`update hardware_intake set keep_time = now() - interval '7 seconds'`;
  app.pressure.add(1);
  await using _ = app.start(timeoutMs);
  while ((await app.gauge('muster_inventories_waiting')) !== 2) await turnOfLoop();
  t.true(Number(await app.gauge('muster_inventories_waiting_oldest_seconds')) >= 7);
  // It asks every few milliseconds whether it may begin.
  const restMs = performance.now() + 100;
  while (performance.now() < restMs) await turnOfLoop();
  t.deepEqual(app.outcomes, []);
  app.pressure.add(-1);
  await app.taken(2);
  t.is((await app.sql`select from hardware_versions`).length, 2);
});

test('receiving that never rests holds it up for a while only, and once, not for each', async t => {
  const delayMs = 500;
  const count = 6;
  await using app = await setUp(Array.from({length: count}, () => '{}'));
  app.pressure.add(1);
  const sinceMs = performance.now();
  await using _ = app.start(delayMs);
  await app.taken(1);
  t.true(performance.now() - sinceMs >= delayMs);
  await app.taken(count);
  t.true(performance.now() - sinceMs < count * delayMs);
});
