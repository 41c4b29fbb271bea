import {randomUUID} from 'node:crypto';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {enrolMachine, wireMachines} from '../../test/helpers/server-machines.ts';
import type {Database} from '../store/db.ts';
import {startHardwareHistory} from '../workers/hardware-history.ts';
import {describeChange} from './hardware-words.ts';
import {arrangeParts, type ObservedPart, type PartState} from './hardware-parts.ts';

const postgres = postgresOf(test);

const summary = {
  cpuThreads: 8,
  cpuModel: 'Xeon',
  memoryBytes: 1024,
  diskCount: 1,
  diskBytes: 8,
  firmwareMode: 'uefi',
};
const part = (text: string, state: PartState = {}): ObservedPart => {
  const [kind = '', slot = '', serial = '', model = ''] = text.split('|');
  return {kind: kind as ObservedPart['kind'], slot, serial, model, attributes: {}, state};
};

async function setUp(options: {versionsOfMachineMax?: number} = {}) {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const server = await wireMachines(sql, options);
  let hour = 0;
  const timeOf = (at: number) => new Date(Date.UTC(2026, 0, 1, at));
  return {
    sql,
    server,
    timeOf,
    machine: (mac: string) => enrolMachine(server, {mac}),
    /** One hour after the report before, unless `at` says when. */
    async report(
      machineId: string,
      parts: readonly (string | ObservedPart)[],
      {at = (hour += 1), json}: {at?: number; json?: string} = {},
    ): Promise<void> {
      const found = arrangeParts(parts.map(item => (typeof item === 'string' ? part(item) : item)));
      const inventory = {
        json: json ?? JSON.stringify(parts),
        summary,
        parts: found,
        unread: new Set<never>(),
        facts: '{}',
        words: '',
      };
      await sql.begin(tx => server.hardware.save(tx, machineId, inventory, {time: timeOf(at)}));
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
const eventsOf = async (sql: Database, machineId: string) =>
  (
    await sql<{type: string}[]>`
      select type from events where machine_id = ${machineId}
        and (type like 'hardware.%' or type like 'issue.%' or type like 'component.%')
      order by sequence
    `
  ).map(({type}) => type);
const page = {pageSize: 0, pageToken: ''};

test('each changed inventory is a version with its difference, and is told', async t => {
  await using app = await setUp();
  const {server, timeOf} = app;
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(id, ['disk|0|D1|X', 'dimm|A1|S1|M'], {at: 1});
  await app.report(id, ['dimm|A1|S1|M', 'disk|0|D1|X'], {at: 2});
  await app.report(id, ['disk|0|D2|X', 'dimm|A1|S1|M'], {at: 3, json: '"third"'});
  await app.report(id, ['disk|0|D2|X', 'dimm|A1|S1|M'], {at: 4, json: '"third"'});

  const {versions} = await server.hardware.listVersions(id, page);
  t.like(versions, {
    length: 2,
    0: {
      number: 2,
      createTime: timeOf(3),
      confirmTime: timeOf(4),
      partCount: 2,
      counts: {added: 0, removed: 0, replaced: 1, moved: 0, changed: 0},
      summaries: ['Disk D1 (X) in slot 0 replaced by Disk D2 (X)'],
    },
    1: {number: 1, createTime: timeOf(1), confirmTime: timeOf(2), summaries: []},
  });
  t.is((await server.hardware.getVersion(id, 2)).json, '"third"');
  t.deepEqual(await eventsOf(app.sql, id), [
    'hardware.reported',
    'hardware.changed',
    'issue.raised',
  ]);
});

test('two versions are compared, by default the newest with the one before', async t => {
  await using app = await setUp();
  const {hardware} = app.server;
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(id, ['disk|0|D1|X']);
  await app.report(id, ['disk|0|D1|X', 'disk|1|D2|X']);
  await app.report(id, ['disk|1|D2|X']);
  const diff = async (from: number, to: number) => {
    const found = await hardware.diff(id, from, to);
    return [found.from, found.to, ...found.changes.map(describeChange)];
  };
  t.deepEqual(await diff(0, 0), [2, 3, 'Disk D1 (X) in slot 0 removed']);
  t.deepEqual(await diff(1, 3), [
    1,
    3,
    'Disk D1 (X) in slot 0 removed',
    'Disk D2 (X) in slot 1 added',
  ]);
  t.deepEqual(await diff(0, 1), [0, 1, 'Disk D1 (X) in slot 0 added']);
  t.deepEqual(await diff(2, 2), [2, 2]);
  await t.throwsAsync(hardware.diff(id, 1, 9), {message: /Cannot find version "9"/});
  await t.throwsAsync(hardware.diff(randomUUID(), 0, 0), {message: /Cannot find machine/});
});

test('what flaps replaces the last inventory without a version', async t => {
  await using app = await setUp();
  const {hardware} = app.server;
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(id, ['disk|0|D1|X'], {json: '"link up"'});
  await app.report(id, ['disk|0|D1|X'], {json: '"link down"'});
  t.is((await hardware.get(id)).json, '"link down"');
  t.is((await hardware.listVersions(id, page)).versions.length, 1);
  t.is((await hardware.getVersion(id, 1)).json, '"link up"');
});

test('a report that was held up takes back nothing that is newer', async t => {
  await using app = await setUp();
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(id, ['disk|0|D2X|X'], {at: 5});
  await app.report(id, ['disk|0|D1X|X'], {at: 4});
  t.is((await app.server.hardware.listVersions(id, page)).versions.length, 1);
  await t.throwsAsync(app.server.components.get('D1X'), {message: /Cannot find component/});
});

test('versions are bounded, and pages follow each other', async t => {
  await using app = await setUp({versionsOfMachineMax: 3});
  const {hardware} = app.server;
  const id = await app.machine('3c:ec:ef:00:00:01');
  for (let count = 1; count <= 5; count += 1) await app.report(id, [`disk|0|D${count}00|X`]);
  const first = await hardware.listVersions(id, {pageSize: 2, pageToken: ''});
  const second = await hardware.listVersions(id, {pageSize: 2, pageToken: first.nextPageToken});
  t.deepEqual(
    [first, second].map(({versions}) => versions.map(({number}) => number)),
    [[5, 4], [3]],
  );
  t.is(second.nextPageToken, '');
  await t.throwsAsync(hardware.listVersions(id, {pageSize: 2, pageToken: 'x'}), {
    message: /page token/,
  });
});

test('two reports of one machine at once make two versions', async t => {
  await using app = await setUp();
  const id = await app.machine('3c:ec:ef:00:00:01');
  await Promise.all([
    app.report(id, ['disk|0|D1|X'], {at: 1}),
    app.report(id, ['disk|0|D2|X'], {at: 1}),
  ]);
  const {versions} = await app.server.hardware.listVersions(id, page);
  t.deepEqual(
    versions.map(({number}) => number),
    [2, 1],
  );
});

test('a disk is followed through machines and slots', async t => {
  await using app = await setUp();
  const {server, timeOf} = app;
  const [a, b] = [await app.machine('3c:ec:ef:00:00:01'), await app.machine('3c:ec:ef:00:00:02')];
  await app.report(a, ['disk|0|WX41|Seagate', 'dimm|A1||junk'], {at: 1});
  await app.report(a, ['disk|1|WX41|Seagate', 'dimm|A1||junk'], {at: 2});
  await app.report(b, ['disk|7|WX41|Seagate'], {at: 3});
  await app.report(b, [], {at: 4});

  const {component, path} = await server.components.get(' wx41 ');
  t.like(component, {kind: 'disk', serial: 'WX41', machineId: b, leaveTime: timeOf(4)});
  t.deepEqual(
    path.map(({machineId, slot, arriveTime, leaveTime}) => [
      machineId,
      slot,
      arriveTime,
      leaveTime,
    ]),
    [
      [a, '0', timeOf(1), timeOf(2)],
      [a, '1', timeOf(2), timeOf(3)],
      [b, '7', timeOf(3), timeOf(4)],
    ],
  );
  t.deepEqual(await eventsOf(app.sql, b), [
    'component.moved',
    'hardware.reported',
    'hardware.changed',
    'issue.raised',
  ]);
  // The machine that lost it says so with its own next report.
  await app.report(a, ['dimm|A1||junk'], {at: 5});
  t.like(await server.components.get('WX41'), {component: {machineId: b}});
});

test('components are found by machine, kind and the beginning of a serial', async t => {
  await using app = await setUp();
  const {components} = app.server;
  const id = await app.machine('3c:ec:ef:00:00:01');
  const nic = 'nic|1|3c:ec:ef:00:00:01|8086:1572';
  await app.report(id, ['disk|0|S5Y1|A', 'disk|1|S5Y2|A', 'dimm|0|S5Y1|B', nic, 'system||S5Y9|R']);
  await app.report(id, ['disk|0|S5Y1|A', 'dimm|0|S5Y1|B', nic]);
  const list = async (filter: object, pageSize = 0) => {
    const request = {kind: '', machineId: undefined, serial: '', pageToken: '', ...filter};
    const found = await components.list({...request, pageSize});
    return [...found.components.map(({kind, serial}) => `${kind} ${serial}`), found.nextPageToken];
  };
  t.deepEqual(await list({machineId: id}), ['dimm S5Y1', 'disk S5Y1', 'nic 3c:ec:ef:00:00:01', '']);
  t.deepEqual(await list({serial: 's5y', kind: 'disk'}), ['disk S5Y1', 'disk S5Y2', '']);
  t.deepEqual(await list({serial: 'S5Y_'}), ['']);
  t.deepEqual(await list({serial: '3C-EC-EF'}), ['nic 3c:ec:ef:00:00:01', '']);
  const [, token] = await list({serial: 'S5Y'}, 1);
  t.deepEqual(await list({serial: 'S5Y', pageToken: token}), ['disk S5Y1', 'disk S5Y2', '']);
  await t.throwsAsync(list({pageToken: 'bm8'}), {message: /page token/});
  await t.throwsAsync(components.get('S5Y1'), {message: /Cannot tell which component "S5Y1" is/});
  await t.throwsAsync(components.get('nobody'), {message: /Cannot find component "nobody"/});
  t.is((await components.get('3CECEF000001')).component.kind, 'nic');
});

test('an issue is open once, is acknowledged, and is cleared by a later inventory', async t => {
  await using app = await setUp();
  const {issues} = app.server;
  const id = await app.machine('3c:ec:ef:00:00:01');
  const slow = part('nic|1|aa|M', {speed_mbps: 100, speed_mbps_max: 1000});
  const best = part('nic|1|aa|M', {speed_mbps: 1000, speed_mbps_max: 1000});
  await app.report(id, ['disk|0|D1|X', slow]);
  await app.report(id, [slow]);
  await app.report(id, [slow], {json: '"again"'});
  const all = {
    machineId: id,
    source: '',
    kind: '',
    severities: [],
    state: 'not_cleared',
    muted: undefined,
    ...page,
  } as const;
  const {issues: open} = await issues.list(all);
  t.deepEqual(
    open.map(({kind, component}) => `${kind} ${component}`),
    ['component_lost disk D1', 'link_degraded nic aa'],
  );

  const [lost] = open;
  const known = await issues.acknowledge('user:olga', lost?.id ?? '', 'On its way');
  t.like(known, {acknowledgedBy: 'user:olga', note: 'On its way', clearTime: undefined});
  t.is((await issues.acknowledge('user:paul', known.id, 'Me too')).acknowledgedBy, 'user:olga');

  await app.report(id, [best, 'disk|0|D1|X']);
  t.deepEqual((await issues.list(all)).issues, []);
  const cleared = (await issues.list({...all, state: 'any'})).issues;
  t.deepEqual(
    cleared.map(({clearReason}) => clearReason),
    ['It is back', 'The link is at its best again'],
  );
  t.deepEqual(await eventsOf(app.sql, id), [
    'hardware.reported',
    'issue.raised',
    'hardware.changed',
    'issue.raised',
    'issue.acknowledged',
    'hardware.changed',
    'issue.cleared',
    'issue.cleared',
  ]);
  await app.report(id, [slow, 'disk|0|D1|X'], {json: '"slow again"'});
  t.is((await issues.list(all)).issues.length, 1);
});

test('a swap is over when it is acknowledged, anything else when somebody clears it', async t => {
  await using app = await setUp();
  const {issues} = app.server;
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(id, ['disk|0|D1|X', 'dimm|A1|S1|M']);
  await app.report(id, ['disk|0|D2|X']);
  const all = {
    machineId: id,
    source: 'hardware',
    severities: [],
    state: 'not_cleared',
    muted: undefined,
    ...page,
  } as const;
  const [swap] = (await issues.list({...all, kind: 'component_swapped'})).issues;
  const [loss] = (await issues.list({...all, kind: 'component_lost'})).issues;
  const acknowledged = await issues.acknowledge('user:olga', swap?.id ?? '', '');
  t.is(acknowledged.clearReason, 'Acknowledged by user:olga');
  t.is((await issues.clear('user:olga', loss?.id ?? '', 'Taken out')).clearReason, 'Taken out');
  t.is((await issues.clear('user:paul', loss?.id ?? '', 'No')).clearReason, 'Taken out');
  t.deepEqual((await issues.list({...all, kind: ''})).issues, []);
  await t.throwsAsync(issues.get(randomUUID()), {message: /Cannot find issue/});
});

test('a machine that reports nonsense does not fill the table of issues', async t => {
  await using app = await setUp();
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(
    id,
    Array.from({length: 400}, (_, slot) => `disk|${slot}|D${slot}X|X`),
  );
  await app.report(id, []);
  const [row] = await app.sql`select count(*)::int as count from issues where clear_time is null`;
  t.is(row?.count, 256);
});

test('history is forgotten by age, but for the newest version and what is still there', async t => {
  await using app = await setUp();
  const {server, timeOf, sql} = app;
  const id = await app.machine('3c:ec:ef:00:00:01');
  await app.report(id, ['disk|0|D1X|X', 'disk|1|D2X|X'], {at: 1});
  await app.report(id, ['disk|0|D1X|X'], {at: 2});
  await app.report(id, ['disk|0|D1X|X', 'disk|2|D2X|X'], {at: 3});
  await app.report(id, ['disk|0|D1X|X'], {at: 4});
  const now = () => timeOf(24 + 5);
  // It begins with the first round, and its end waits for that.
  await startHardwareHistory({sql, now, historyDays: 1, log})[Symbol.asyncDispose]();
  t.deepEqual(
    (await server.hardware.listVersions(id, page)).versions.map(({number}) => number),
    [4],
  );
  t.is((await server.components.get('D1X')).path.length, 1);
  await t.throwsAsync(server.components.get('D2X'), {message: /Cannot find component/});
});
