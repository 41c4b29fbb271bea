import {randomUUID} from 'node:crypto';
import {constants, zstdCompressSync} from 'node:zlib';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {enrolMachine, wireMachines} from '../../test/helpers/server-machines.ts';
import {readInventoryText} from '../workers/inventory-text.ts';
import {createTakeIn} from '../workers/take-in-inventory.ts';
import {
  createHardwareIntake,
  type Taken,
  type TakeIn,
  waitingOfMachineMax,
} from './hardware-intake.ts';

const postgres = postgresOf(test);

type Said = {readonly machineId: string; readonly disk: string; readonly reportId?: string};

/** A server without its workers: what is received waits until the test takes it in. */
async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const server = await wireMachines(sql);
  const intake = createHardwareIntake({sql});
  const takeIn = createTakeIn({hardware: server.hardware, rules: server.application});
  let sequence = 0;
  const timeOf = (at: number) => new Date(Date.UTC(2026, 0, 1) + at * 1000);

  /** As the bus delivers it, `at` being its place in the stream. */
  const received = ({machineId, disk, reportId = randomUUID()}: Said, at = (sequence += 1)) => {
    const disks = [{name: 'sda', path: 'bay-0', serial: disk}];
    const inventory = {collectTime: timeOf(at), disks};
    const text = JSON.stringify({reportId, machineId, inventory});
    const wireSha256 = readInventoryText(text)?.wireSha256;
    const report = {bytes: Buffer.from(text), isPacked: false};
    return {machineId, reportId, receiveTime: timeOf(at), sequence: at, wireSha256, report};
  };
  const receive = async (said: Said, at?: number) => {
    const outcomes = await intake.receive([received(said, at)]);
    return outcomes.get(said.machineId);
  };
  const versions = async (machineId: string) =>
    (await server.hardware.listVersions(machineId, {pageSize: 0, pageToken: ''})).versions
      .map(({summaries}) => summaries[0] ?? 'first seen')
      .toReversed();
  return {
    sql,
    server,
    intake,
    takeIn,
    timeOf,
    received,
    receive,
    versions,
    /** Until nothing can be taken in any more. */
    async takeAll(by: TakeIn = takeIn): Promise<readonly Taken[]> {
      const all: Taken[] = [];
      for (;;) {
        const taken = await intake.takeNext(by);
        if (!taken) return all;
        all.push(taken);
      }
    },
    machine: (mac: string) => enrolMachine(server, {mac}),
    events: (machineId: string) => sql<{type: string}[]>`
      select type from events where machine_id = ${machineId} and type like 'hardware.%' order by sequence
    `,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const [macA, macB] = ['3c:ec:ef:00:00:01', '3c:ec:ef:00:00:02'];

test('a report is kept once, and nothing is known of it but that', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  const reportId = randomUUID();
  t.is(await app.receive({machineId, disk: 'WD1', reportId}), 'kept');
  t.is(await app.receive({machineId, disk: 'WD1', reportId}), 'repeated');
  t.is(await app.receive({machineId, disk: 'WD2', reportId}), 'repeated');
  t.is(await app.receive({machineId: randomUUID(), disk: 'WD1'}), 'repeated');
  t.deepEqual(await app.versions(machineId), []);
  t.like(await app.intake.tally(), {waitingCount: 1});

  t.like(await app.takeAll(), {length: 1, 0: {junk: undefined, report: {reportId}}});
  t.deepEqual(await app.versions(machineId), ['first seen']);
  t.is(await app.receive({machineId, disk: 'WD3', reportId}), 'repeated');
  t.deepEqual(await app.intake.tally(), {waitingCount: 0, oldestSeconds: 0});
});

test('several machines are received at once, each with its own outcome', async t => {
  await using app = await setUp();
  const [a, b] = [await app.machine(macA), await app.machine(macB)];
  await app.receive({machineId: a, disk: 'WD1'});
  await app.takeAll();
  const nobody = randomUUID();
  // The id of a report names it for its machine only.
  const reportId = randomUUID();
  const outcomes = await app.intake.receive([
    app.received({machineId: nobody, disk: 'WD1', reportId}),
    app.received({machineId: b, disk: 'WD2', reportId}),
    app.received({machineId: a, disk: 'WD1', reportId}),
  ]);
  t.deepEqual(
    [a, b, nobody].map(machineId => outcomes.get(machineId)),
    ['confirmed', 'kept', 'repeated'],
  );
  await app.takeAll();
  t.deepEqual([await app.versions(a), await app.versions(b)], [['first seen'], ['first seen']]);
});

test('reports of one machine are taken in in the order of the bus, whatever came first', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  await app.receive({machineId, disk: 'WD3'}, 3);
  await app.receive({machineId, disk: 'WD1'}, 1);
  await app.receive({machineId, disk: 'WD2'}, 2);
  await app.takeAll();
  t.deepEqual(await app.versions(machineId), [
    'first seen',
    'Disk WD1 in slot bay-0 replaced by Disk WD2',
    'Disk WD2 in slot bay-0 replaced by Disk WD3',
  ]);
  t.deepEqual(
    (await app.events(machineId)).map(({type}) => type),
    ['hardware.reported', 'hardware.changed', 'hardware.changed'],
  );
});

test('what is said again while it waits moves the time of the last word, and is not kept twice', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  t.is(await app.receive({machineId, disk: 'WD1'}), 'kept');
  t.is(await app.receive({machineId, disk: 'WD1'}), 'confirmed');
  t.like(await app.intake.tally(), {waitingCount: 1});
  await app.takeAll();
  const [first] = await app.sql`select create_time, confirm_time from hardware_versions`;
  t.deepEqual(first?.createTime, app.timeOf(1));
  t.deepEqual((await app.server.hardware.get(machineId)).confirmTime, app.timeOf(2));

  // The last word is another one that waits: the one before it holds no more.
  t.is(await app.receive({machineId, disk: 'WD2'}), 'kept');
  t.is(await app.receive({machineId, disk: 'WD1'}), 'kept');
  await app.takeAll();
  t.is((await app.versions(machineId)).length, 3);
});

test('what is said again while the same is being taken in waits behind it', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  await app.receive({machineId, disk: 'WD1'});
  let meanwhile: unknown;
  await app.intake.takeNext(async (...report) => {
    meanwhile = await app.receive({machineId, disk: 'WD1'});
    return app.takeIn(...report);
  });
  t.is(meanwhile, 'kept');
  await app.takeAll();
  t.deepEqual(await app.versions(machineId), ['first seen']);
  t.deepEqual((await app.server.hardware.get(machineId)).confirmTime, app.timeOf(2));
});

test('any number of servers take each report in once', async t => {
  await using app = await setUp();
  const machines = await Promise.all(
    Array.from({length: 6}, (_, index) => app.machine(`3c:ec:ef:00:01:0${index}`)),
  );
  for (const round of [1, 2, 3, 4])
    await app.intake.receive(
      machines.map((machineId, index) => app.received({machineId, disk: `D${index}-${round}`})),
    );
  const servers = Array.from({length: 6}, async () => {
    let count = 0;
    while (await app.intake.hasDue()) if (await app.intake.takeNext(app.takeIn)) count += 1;
    return count;
  });
  const counts = await Promise.all(servers);
  t.is(
    counts.reduce((sum, count) => sum + count, 0),
    24,
  );
  for (const [index, machineId] of machines.entries())
    t.deepEqual(await app.versions(machineId), [
      'first seen',
      ...[2, 3, 4].map(
        round => `Disk D${index}-${round - 1} in slot bay-0 replaced by Disk D${index}-${round}`,
      ),
    ]);
});

test('a server that dies while it takes one in has done nothing, and the next one does all of it', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  await app.receive({machineId, disk: 'WD1'});
  await t.throwsAsync(
    app.intake.takeNext(async (tx, ...report) => {
      await app.takeIn(tx, ...report);
      await tx`select pg_terminate_backend(pg_backend_pid())`;
      return undefined;
    }),
  );
  t.deepEqual(await app.versions(machineId), []);
  t.like(await app.takeAll(), {length: 1, 0: {failure: undefined}});
  t.deepEqual(await app.versions(machineId), ['first seen']);
  t.is((await app.events(machineId)).length, 1);
});

test('junk is dropped when it is read, and holds up nobody', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  const other = randomUUID();
  const texts = [
    (id: string) => `{"reportId":"${id}","machineId":"${machineId}","inventory":`,
    (id: string) => `{"reportId":"${id}","machineId":"${machineId}","hello":{}}`,
    (id: string) => `{"reportId":"${id}","machineId":"${machineId}","inventory":{"cpus":"none"}}`,
    // The last word on who says it comes after the first one.
    (id: string) =>
      `{"reportId":"${id}","machineId":"${machineId}","inventory":{},"machineId":"${other}"}`,
    (id: string) =>
      `{"reportId":"${id}","machineId":"${machineId}","inventory":{},"reportId":"${other}"}`,
  ];
  for (const text of texts) {
    const received = app.received({machineId, disk: ''});
    const bytes = Buffer.from(text(received.reportId));
    const wireSha256 = readInventoryText(bytes.toString())?.wireSha256;
    await app.intake.receive([{...received, report: {bytes, isPacked: false}, wireSha256}]);
  }
  await app.receive({machineId, disk: 'WD1'});
  const taken = await app.takeAll();
  t.deepEqual(
    taken.map(({junk}) => junk !== undefined),
    [true, true, true, true, true, false],
  );
  t.deepEqual(await app.versions(machineId), ['first seen']);
});

test('what a sender packed is taken in as it is, and dropped at once when it cannot be unpacked', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  const receive = (disk: string, pack: (text: Buffer) => Buffer) => {
    const received = app.received({machineId, disk});
    const bytes = pack(received.report.bytes);
    return app.intake.receive([{...received, report: {bytes, isPacked: true}}]);
  };
  // 8 MiB to be looked back into: RFC 8878, 3.1.1.1.2.
  const windowLog = {[constants.ZSTD_c_windowLog]: 23};
  const packs: readonly ((text: Buffer) => Buffer)[] = [
    zstdCompressSync,
    text => text,
    text => zstdCompressSync(text).subarray(0, -5),
    () => zstdCompressSync(Buffer.alloc(1024 * 1024 + 1, ' ')),
    () => zstdCompressSync(Buffer.alloc(16 * 1024 * 1024, ' '), {params: windowLog}),
  ];
  for (const [index, pack] of packs.entries()) await receive(`WD${index}`, pack);
  const taken = await app.takeAll();
  t.is(taken[0]?.junk, undefined);
  for (const {junk, failure} of taken.slice(1)) {
    t.regex(junk ?? '', /^it cannot be unpacked to 1048576 bytes at most: /);
    t.is(failure, undefined);
  }
  t.is(taken.length, packs.length);
  t.deepEqual(await app.versions(machineId), ['first seen']);
});

test('one that fails is tried again before what came after it, and is given up in the end', async t => {
  await using app = await setUp();
  const [a, b] = [await app.machine(macA), await app.machine(macB)];
  await app.receive({machineId: a, disk: 'BAD'});
  await app.receive({machineId: a, disk: 'WD1'});
  await app.receive({machineId: b, disk: 'WD2'});
  const picky: TakeIn = async (tx, report, data) => {
    if (data.toString().includes('BAD')) throw new Error('No');
    return app.takeIn(tx, report, data);
  };
  t.like(await app.intake.takeNext(picky), {report: {machineId: a}, failure: {isLast: false}});
  t.like(await app.intake.takeNext(picky), {report: {machineId: b}, failure: undefined});
  t.deepEqual(await app.versions(a), []);
  const ends: (boolean | undefined)[] = [];
  while ((await app.intake.tally()).waitingCount > 0) {
    await app.sql`update hardware_intake set try_time = now()`;
    for (const {failure} of await app.takeAll(picky)) ends.push(failure?.isLast);
  }
  t.deepEqual(ends, [false, false, false, false, true, undefined]);
  t.deepEqual(await app.versions(a), ['first seen']);
});

test('of a machine that sends more than can wait, the newest word makes room for a newer one', async t => {
  await using app = await setUp();
  const machineId = await app.machine(macA);
  const last = waitingOfMachineMax + 2;
  const serialOf = (number: number) => `S5Y1NJ0R${100 + number}`;
  const outcomes: unknown[] = [];
  for (let number = 1; number <= last; number += 1)
    outcomes.push(await app.receive({machineId, disk: serialOf(number)}));
  t.deepEqual(outcomes.slice(-3), ['kept', 'superseding', 'superseding']);
  t.like(await app.intake.tally(), {waitingCount: waitingOfMachineMax});
  await app.takeAll();
  const versions = await app.versions(machineId);
  t.is(versions.length, waitingOfMachineMax);
  const before = serialOf(waitingOfMachineMax - 1);
  t.is(versions.at(-1), `Disk ${before} in slot bay-0 replaced by Disk ${serialOf(last)}`);
});

test('what waits goes with its machine, into another record or away', async t => {
  await using app = await setUp();
  const {server} = app;
  const [kept, absorbed, gone] = [
    await app.machine(macA),
    await app.machine(macB),
    await app.machine('3c:ec:ef:00:00:03'),
  ];
  for (const machineId of [kept, absorbed, gone])
    await app.receive({machineId, disk: `OF-${machineId.slice(-4)}`});
  await server.records.merge('user:eve', kept, absorbed);
  await server.removal.removeByForce('user:eve', true, gone);
  t.deepEqual(
    (await app.takeAll()).map(({junk, report}) => [junk, report.machineId]),
    [
      [undefined, kept],
      [undefined, kept],
    ],
  );
  t.is((await app.versions(kept)).length, 2);
  t.deepEqual(await app.versions(absorbed), []);
  t.like(await app.intake.tally(), {waitingCount: 0});
});
