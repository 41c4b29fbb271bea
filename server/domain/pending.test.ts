import {randomUUID} from 'node:crypto';
import test from 'ava';
import {countStatements} from '../../test/helpers/counted-statements.ts';
import {enrolWith, reportHardware} from '../../test/helpers/first-inventory.ts';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {runInCall} from '../audited-call.ts';
import {insertWorkspace} from '../store/workspaces.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

const waitingCount = 12;
const whole = {pageSize: 0, pageToken: '', id: '', countTotal: false};

/** Boxes that wait, each with a disk that all others have had, too. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await postgres.createDatabase());
  const counted = stack.use(countStatements(database.sql));
  const site = await wireMachines(counted.sql, {policy: 'approve'});
  const ids: string[] = [];
  for (let number = 10; number < 10 + waitingCount; number += 1) {
    const {machineId} = await enrolWith(site, {
      systemSerial: `BOXA${number}`,
      macAddresses: [`3c:ec:ef:00:00:${number}`],
      diskSerials: ['WD1X9'],
      product: number % 2 ? 'R640' : 'R650',
    });
    ids.push(machineId);
    site.clock.now = new Date(site.clock.now.getTime() + 1000);
  }
  const owned = stack.move();
  return {...site, ids, counted, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

test('a page of many asks PostgreSQL no more often than a page of one', async t => {
  await using site = await setUp();
  const {during} = site.counted;
  const one = await during(() => site.pending.list({...whole, pageSize: 1}));
  const all = await during(() => site.pending.list(whole));
  t.is(one.answer.machines.length, 1);
  t.is(all.answer.machines.length, waitingCount);
  t.is(all.statements.length, one.statements.length, all.statements.join('\n'));
  t.true(one.statements.length > 0);
});

test('each machine of a page is told as it is by itself', async t => {
  await using site = await setUp();
  const {ids} = site;
  await site.rules.create('user:olga', {
    name: 'old ones',
    description: '',
    priority: 0,
    disabled: false,
    condition: 'product:r640',
    decision: 'hold',
    group: '',
    labels: {},
    templates: [],
    bootProfile: undefined,
  });
  for (const [index, id] of ids.slice(0, 3).entries())
    await reportHardware(site, id, {memory: {totalBytes: String(index)}});

  const {machines} = await site.pending.list(whole);
  t.deepEqual(
    machines.map(({machine}) => machine.id),
    ids,
  );
  for (const pending of machines) {
    const {machine} = pending;
    const alone = await site.pending.list({...whole, id: machine.id});
    t.deepEqual(alone.machines, [pending]);
  }
  t.deepEqual(
    machines.map(({hardwareJson}) => hardwareJson !== undefined),
    ids.map((_, index) => index < 3),
  );
  t.is(new Set(machines.slice(0, 3).map(({hardwareJson}) => hardwareJson)).size, 3);
  t.deepEqual(
    machines.slice(0, 3).map(({heldByRule}) => heldByRule),
    ['', 'old ones', ''],
  );
});

test('look-alikes are at most eight, the machine itself is none of them', async t => {
  await using site = await setUp();
  const {machines} = await site.pending.list(whole);
  for (const {machine, lookAlikes, identity} of machines) {
    t.is(lookAlikes.length, 8);
    t.false(lookAlikes.some(({machineId}) => machineId === machine.id));
    t.like(lookAlikes[0], {
      state: 'pending',
      score: -41,
      reasons: ['other system serial (-30)', 'other mac (-15)', 'same disk serial (+4)'],
    });
    t.deepEqual(identity, {
      score: 69,
      reasons: ['system serial (+40)', 'mac (+25)', 'disk serial (+4)'],
    });
    t.true(lookAlikes.every(({name}) => name.startsWith('BOXA')));
  }
});

test('look-alikes of other workspaces are not told', async t => {
  await using site = await setUp();
  const {sql, ids, clock} = site;
  const [workspaceId, time] = [randomUUID(), clock.now];
  const workspace = {id: workspaceId, name: 'blue', description: '', machinesMax: 0};
  await insertWorkspace(sql, {...workspace, createTime: time, updateTime: time});
  const inside = ids.slice(0, 2);
  await sql`update machines set workspace_id = ${workspaceId}, workspace_time = now() where id in ${sql(inside)}`;
  const call = {
    id: randomUUID(),
    caller: () => 'user:mia',
    address: () => '',
    scope: () => [workspaceId],
    method: 'DiscoveryService.ListPendingMachines',
    request: () => undefined,
    elapsedMs: () => 1,
    ended: false,
    told: new WeakSet(),
  };
  const {machines} = await runInCall(call, () => site.pending.list(whole));
  t.deepEqual(
    machines.map(({machine, lookAlikes}) => [
      machine.id,
      ...lookAlikes.map(({machineId}) => machineId),
    ]),
    [inside, inside.toReversed()],
  );
});

test('a page without machines asks for nothing more', async t => {
  await using database = await postgres.createDatabase();
  const {pending} = await wireMachines(database.sql);
  t.deepEqual(await pending.list(whole), {machines: [], nextPageToken: '', total: 0});
});
