import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {createClient} from '@connectrpc/connect';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {
  type ImportMachine,
  ImportMachineSchema,
  ImportOutcome_ResultSchema,
  ImportService,
} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {createBreakGlass} from '@muster/server/domain/break-glass.ts';
import {createImports} from '@muster/server/domain/imports.ts';
import {createMetrics} from '@muster/server/domain/metrics.ts';
import {createPasswordChanges} from '@muster/server/domain/password-changes.ts';
import {createPasswordCheck} from '@muster/server/domain/password-check.ts';
import {createUsers} from '@muster/server/domain/users.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {evidenceWith, wireMachines} from '../../test/helpers/server-machines.ts';
import {groupService} from './groups.ts';
import {importService} from './imports.ts';
import {machineService} from './machines.ts';
import {metricsService} from './metrics.ts';
import {userService} from './users.ts';
import {serveInMemory} from '../../test/helpers/in-memory.ts';

const source = 'metal-enrollment';
const retentionDays = 7;
const nameOf = (result: number) =>
  ImportOutcome_ResultSchema.values.find(({number}) => number === result)?.localName ?? '';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const server = await wireMachines(sql, {newMachinesPerHourMax: 2});
  const now = () => server.clock.now;
  const view = {now, busStatus: () => ({connected: true, since: new Date(0)})};
  const deps = {sql, now, newId: uuidv7};
  const metrics = createMetrics({
    ...deps,
    retention: {samplesDays: retentionDays, minutesDays: 30, hoursDays: 100},
  });
  const imports = createImports({...deps, ...server, metrics, retentionDays});
  const checkPassword = createPasswordCheck({sql, now});
  const people = {
    users: createUsers(deps),
    passwords: createPasswordChanges({...deps, checkPassword}),
    breakGlass: createBreakGlass(deps),
  };
  const transport = serveInMemory(({service}) => {
    service(ImportService, importService(imports));
    service(MachineService, machineService({...server, view}));
    service(GroupService, groupService({...server, view}));
    service(MetricsService, metricsService(metrics));
    service(UserService, userService(people));
  });
  const client = createClient(ImportService, transport);
  const machines = createClient(MachineService, transport);
  return {
    ...server,
    client,
    machineRpc: machines,
    groupRpc: createClient(GroupService, transport),
    metricsRpc: createClient(MetricsService, transport),
    userRpc: createClient(UserService, transport),
    /** "tag: result, reason, losses" of each. */
    async bring(wanted: readonly Partial<ImportMachine>[], dryRun = false) {
      const messages = wanted.map(machine => create(ImportMachineSchema, machine as never));
      const answer = await client.importMachines({source, dryRun, machines: messages});
      return answer.outcomes.map(({originId, result, reason, losses}) =>
        [originId, nameOf(result), reason, ...losses].filter(Boolean).join(' | '),
      );
    },
    get: async (id: string) => (await machines.getMachine({id})).machine,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const web: Partial<ImportMachine> = {
  originId: 'm1',
  serviceTag: 'J7K2M13',
  macAddresses: ['24:6E:96:00:00:01', '24-6e-96-00-00-02'],
  hostname: 'web1',
  description: 'Front',
  nixosConfig: '{ services.nginx.enable = true; }',
  labels: {'metal-enrollment/status': 'ready'},
  diskSerials: ['S4XNNF0M1', 'Unknown'],
  hardware: {cpuThreads: 16, memoryBytes: 2n ** 35n} as never,
  createTime: timestampFromDate(new Date('2024-02-03T04:05:06Z')),
};

test('a machine is brought over once, as expected, with what is known of it', async t => {
  await using app = await setUp();
  t.deepEqual(await app.bring([web], true), ['m1 | CREATED']);
  t.deepEqual((await app.machineRpc.listMachines({})).machines, [], 'that was a dry run');
  t.deepEqual(await app.bring([web]), ['m1 | CREATED']);
  const machine = await app.get('J7K2M13');
  t.like(machine, {
    state: 1,
    stateReason: 'Brought over from metal-enrollment by anonymous',
    hostname: 'web1',
    description: 'Front',
    nixosConfig: '{ services.nginx.enable = true; }',
    macAddress: '24:6e:96:00:00:01',
    macAddresses: ['24:6e:96:00:00:01', '24:6e:96:00:00:02'],
    labels: {'metal-enrollment/status': 'ready'},
    hardware: {cpuThreads: 16, memoryBytes: 2n ** 35n},
    createTime: {seconds: BigInt(Date.parse('2024-02-03T04:05:06Z') / 1000)},
  });
  const count = async () => (await app.sql`select 1 from events`).length;
  const events = await count();
  t.deepEqual(await app.bring([web]), ['m1 | UNCHANGED']);
  t.is(await count(), events, 'a second time tells nothing');
});

test('what changed there follows, what changed here stays, what was emptied there takes nothing away', async t => {
  await using app = await setUp();
  await app.bring([web]);
  const id = (await app.get('J7K2M13'))?.id ?? '';
  await app.machineRpc.updateMachine({
    machine: {id, hostname: 'www'},
    updateMask: {paths: ['hostname']},
  });
  await app.machineRpc.labelMachine({id, set: {rack: 'r7'}});
  t.deepEqual(await app.bring([web]), ['m1 | UNCHANGED']);
  const later = {
    ...web,
    hostname: 'web-1',
    description: '',
    nixosConfig: '{ }',
    labels: {'metal-enrollment/status': 'provisioned'},
  };
  t.deepEqual(await app.bring([later]), ['m1 | UPDATED | Changed here and left so: hostname']);
  t.like(await app.get(id), {
    hostname: 'www',
    description: 'Front',
    nixosConfig: '{ }',
    labels: {rack: 'r7', 'metal-enrollment/status': 'provisioned'},
  });
  t.deepEqual(await app.bring([later]), ['m1 | UNCHANGED']);
});

test('machines that cannot be told apart, and what cannot be kept of one, are named with the reason', async t => {
  await using app = await setUp();
  const seen = await app.bring([
    web,
    {
      originId: 'm2',
      serviceTag: 'B2-77X',
      macAddresses: ['24:6e:96:00:00:01', '24:6e:96:00:00:09'],
    },
    {originId: 'm3', serviceTag: 'Not Specified', macAddresses: ['24:6e:96:00:00:02']},
    {originId: 'm4', serviceTag: 'To be filled by O.E.M.', macAddresses: ['00:00:00:00:00:00']},
    {originId: 'm5', serviceTag: 'SN-5', macAddresses: ['24:6e:96:zz:00:05', '']},
    {
      originId: 'm6',
      serviceTag: 'SN-6',
      hostname: '-rm -rf',
      description: 'a\0b',
      labels: {ä: '1'},
    },
    {originId: 'm7', serviceTag: 'SN-7', nixosConfig: 'x'.repeat(1_048_577)},
    {originId: 'm8', serviceTag: 'SN-8', macAddresses: ['24:6e:96:00:00:01']},
  ]);
  const id = (await app.get('J7K2M13'))?.id;
  t.deepEqual(seen, [
    'm1 | CREATED',
    `m2 | CREATED | MAC address "24:6e:96:00:00:01" belongs to machine "${id}"`,
    `m3 | SKIPPED | It cannot be told from "m1", which became machine "${id}"`,
    'm4 | SKIPPED | Nothing identifies it: neither its serial number nor a MAC address',
    'm5 | CREATED | MAC address "24:6e:96:zz:00:05" is none',
    'm6 | CREATED | host name "-rm -rf" is none | its description is no text | label "ä" is none',
    'm7 | CREATED | its NixOS configuration has 1048577 characters, at most 1048576 fit',
    `m8 | CREATED | MAC address "24:6e:96:00:00:01" belongs to machine "${id}"`,
  ]);
  t.is((await app.get('24:6e:96:00:00:01'))?.id, id, 'it names one machine still');
});

test('a machine that is here already gets what it has not, and keeps its state', async t => {
  await using app = await setUp();
  const {machine} = await app.machineRpc.createMachine({
    machine: {serviceTag: 'J7K2M13', hostname: 'www'},
  });
  t.deepEqual(await app.bring([web]), [
    'm1 | UPDATED | It is here already, as expected. Changed here and left so: hostname',
  ]);
  t.like(await app.get(machine?.id ?? ''), {hostname: 'www', description: 'Front'});
  t.deepEqual(await app.bring([web]), ['m1 | UNCHANGED']);
});

test('an expected machine that was brought over is recognised when it reports', async t => {
  await using app = await setUp();
  await app.bring([web]);
  const id = (await app.get('J7K2M13'))?.id;
  const evidence = evidenceWith({systemSerial: 'J7K2M13', macAddresses: ['24:6e:96:00:00:02']});
  const {evidenceItems} = await import('../domain/identity.ts');
  t.like(await app.recognition.recognise(app.sql, evidenceItems(evidence)), {
    kind: 'match',
    machineId: id,
  });
});

test('groups get their machines; who was taken out here stays out', async t => {
  await using app = await setUp();
  await app.bring([web, {originId: 'm5', serviceTag: 'SN-5'}]);
  const groups = [
    {
      originId: 'g1',
      name: 'web/servers!',
      description: 'Front',
      tags: ['a', 'a\tb'],
      machineOriginIds: ['m1', 'm5', 'lost'],
    },
    {originId: 'g2', name: '///'},
  ];
  const bring = async () =>
    (await app.client.importGroups({source, groups})).outcomes.map(
      ({originId, result, reason, losses}) =>
        [originId, nameOf(result), reason, ...losses].filter(Boolean).join(' | '),
    );
  t.deepEqual(await bring(), [
    'g1 | CREATED | Its name was "web/servers!" | tag "a b" does not fit | its machine "lost" was not brought over',
    'g2 | SKIPPED | A group cannot be called "///"',
  ]);
  const {
    groups: [group],
  } = await app.groupRpc.listGroups({});
  t.like(group, {name: 'web-servers', description: 'Front', tags: ['a']});
  const members = async () =>
    (await app.groupRpc.listGroupMachines({groupId: group?.id ?? ''})).machines.map(({id}) => id);
  const [first = ''] = await members();
  t.is((await members()).length, 2);
  await app.groupRpc.removeGroupMachine({groupId: group?.id ?? '', machineId: first});
  t.regex((await bring())[0] ?? '', /UNCHANGED/);
  t.is((await members()).length, 1);
  await app.groupRpc.deleteGroup({id: group?.id ?? ''});
  t.regex((await bring())[0] ?? '', /UNCHANGED \| It was deleted here/);
});

test('users come without a password, and nobody who is here gets another right', async t => {
  await using app = await setUp();
  await app.userRpc.createUser({
    username: 'admin',
    password: 'correct horse battery',
    role: User_Role.VIEWER,
  });
  const users = [
    {originId: 'u1', username: 'admin', role: User_Role.ADMIN},
    {originId: 'u2', username: 'Olga', email: 'olga@example.com', role: User_Role.OPERATOR},
    {originId: 'u3', username: 'gone', role: User_Role.VIEWER, disabled: true},
    {originId: 'u4', username: 'o l g a', role: User_Role.ADMIN},
    {originId: 'u5', username: 'system', role: User_Role.ADMIN},
    {originId: 'u6', username: 'OLGA', role: User_Role.ADMIN},
  ];
  const bring = async () =>
    (await app.client.importUsers({source, users})).outcomes.map(({result}) => nameOf(result));
  t.deepEqual(await bring(), [
    'UNCHANGED',
    'CREATED',
    'CREATED',
    'SKIPPED',
    'SKIPPED',
    'UNCHANGED',
  ]);
  t.like((await app.userRpc.getUser({id: 'admin'})).user, {role: User_Role.VIEWER});
  t.like((await app.userRpc.getUser({id: 'olga'})).user, {
    role: User_Role.OPERATOR,
    email: 'olga@example.com',
    external: true,
    disabled: false,
  });
  t.like((await app.userRpc.getUser({id: 'gone'})).user, {disabled: true});
  const {code} = await app.userRpc.createPasswordReset({id: 'olga'});
  await app.userRpc.completePasswordReset({code, newPassword: 'correct horse battery'});
  t.like((await app.userRpc.getUser({id: 'olga'})).user, {external: false});
  await app.userRpc.deleteUser({id: 'gone'});
  t.deepEqual((await bring()).slice(1, 3), ['UNCHANGED', 'UNCHANGED']);
  await t.throwsAsync(app.userRpc.getUser({id: 'gone'}), {message: /gone/});
});

test('records are kept once and listed newest first, page by page', async t => {
  await using app = await setUp();
  await app.bring([web]);
  const machineId = (await app.get('J7K2M13'))?.id ?? '';
  const record = (originId: string, hour: number, machineOriginId = 'm1') => ({
    originId,
    kind: 'build',
    title: `Build ${originId}`,
    details: '{"status":"success"}',
    time: timestampFromDate(new Date(Date.UTC(2024, 1, 1, hour))),
    machineOriginId,
  });
  const records = [record('b1', 1), record('b3', 3), record('b2', 2), record('bx', 4, 'lost')];
  const dry = await app.client.importRecords({source, dryRun: true, records});
  t.like(dry, {created: 4, unchanged: 0, skipped: []});
  const first = await app.client.importRecords({source, records});
  t.like(first, {created: 3, unchanged: 0, skipped: {length: 1, 0: {originId: 'bx'}}});
  t.like(await app.client.importRecords({source, records}), {created: 0, unchanged: 3});
  const page = await app.client.listImportedRecords({machineId, pageSize: 2});
  t.deepEqual(
    page.records.map(({title}) => title),
    ['Build b3', 'Build b2'],
  );
  const {nextPageToken: pageToken} = page;
  const rest = await app.client.listImportedRecords({machineId, pageSize: 2, pageToken});
  t.like(rest, {records: {length: 1, 0: {originId: 'b1', source}}, nextPageToken: ''});
  await t.throwsAsync(app.client.listImportedRecords({machineId: uuidv7()}), {
    message: /Cannot find machine/,
  });
});

test('samples are kept once, as far back as metrics are kept', async t => {
  await using app = await setUp();
  await app.bring([web]);
  const machineId = (await app.get('J7K2M13'))?.id ?? '';
  const sample = (hoursAgo: number, machineOriginId = 'm1') => ({
    machineOriginId,
    metrics: {
      time: timestampFromDate(new Date(app.clock.now.getTime() - hoursAgo * 3_600_000)),
      cpuUsagePercent: hoursAgo,
    },
  });
  const samples = [sample(1), sample(1), sample(50), sample(200), sample(-1), sample(2, 'lost')];
  const dry = await app.client.importMetrics({source, dryRun: true, samples});
  t.like(dry, {created: 3, unchanged: 1, outOfRange: 2, withoutMachine: 0});
  const answer = await app.client.importMetrics({source, samples});
  t.like(answer, {created: 2, unchanged: 1, outOfRange: 2, withoutMachine: 1});
  t.like(await app.client.importMetrics({source, samples}), {created: 0, unchanged: 3});
  const {metrics} = await app.metricsRpc.listMetrics({machineId, since: '7d'});
  t.deepEqual(
    metrics.map(({cpuUsagePercent}) => cpuUsagePercent),
    [1, 50],
  );
  t.is((await app.sql`select 1 from events where type = 'import.metrics_stored'`).length, 1);
});

test('two imports at once bring each machine once', async t => {
  await using app = await setUp();
  const seen = await Promise.all([app.bring([web]), app.bring([web])]);
  t.deepEqual(seen.flat().toSorted(), ['m1 | CREATED', 'm1 | UNCHANGED']);
});
