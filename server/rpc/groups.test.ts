import {createClient} from '@connectrpc/connect';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {groupService} from './groups.ts';
import {machineService} from './machines.ts';
import {serveInMemory, viewOf} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql);
  const view = viewOf(server.clock);
  const transport = serveInMemory(({service}) => {
    service(MachineService, machineService({...server, view}));
    service(GroupService, groupService({...server, view}));
  });
  const machines = createClient(MachineService, transport);
  const groups = createClient(GroupService, transport);
  return {
    sql: database.sql,
    machines,
    groups,
    async add(hostname: string, labels: Record<string, string> = {}): Promise<string> {
      const {machine} = await machines.createMachine({
        machine: {serviceTag: `TAG-${hostname}`, hostname, labels},
      });
      return machine?.id ?? '';
    },
    members: async (groupId: string, part: {filter?: string; pageSize?: number} = {}) =>
      (await groups.listGroupMachines({groupId, orderBy: 'hostname', ...part})).machines
        .map(({hostname}) => hostname)
        .join(' '),
    found: async (filter: string) =>
      (await machines.listMachines({filter, orderBy: 'hostname'})).machines
        .map(({hostname}) => hostname)
        .join(' '),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('machines are put into a group by hand and taken out again', async t => {
  await using app = await setUp();
  const [a, b] = [await app.add('alpha'), await app.add('beta')];
  const {group} = await app.groups.createGroup({
    group: {name: 'web-servers', description: 'Production', tags: ['production', 'web']},
  });
  t.like(group, {name: 'web-servers', tags: ['production', 'web'], filter: ''});
  const groupId = group?.id ?? '';
  for (const machineId of [b, a, b]) await app.groups.addGroupMachine({groupId, machineId});
  t.is(await app.members(groupId), 'alpha beta');
  t.is(await app.members('WEB-servers', {filter: 'beta'}), 'beta', 'by its name, with a filter');
  t.is(await app.found('group = web-servers AND -alpha'), 'beta');
  t.is(await app.found('group != "web-servers"'), '');
  await app.groups.removeGroupMachine({groupId, machineId: a});
  await app.groups.removeGroupMachine({groupId, machineId: a});
  t.is(await app.members(groupId), 'beta');
  t.deepEqual(
    (await app.groups.listMachineGroups({machineId: b})).groups.map(({name}) => name),
    ['web-servers'],
  );
  await app.groups.deleteGroup({id: groupId});
  t.is((await app.machines.listMachines({})).machines.length, 2);
  const events = await app.sql`
    select type, machine_id from events where type like 'group.%' order by sequence
  `;
  t.deepEqual(
    events.map(({type}) => String(type)),
    [
      'group.created',
      'group.machine_added',
      'group.machine_added',
      'group.machine_removed',
      'group.deleted',
    ],
  );
});

test('a rule decides anew each time somebody asks', async t => {
  await using app = await setUp();
  const a = await app.add('alpha', {rack: 'r7'});
  await app.add('beta', {rack: 'r8'});
  const rule = {name: 'rack 7', filter: ' labels.rack = r7 OR notes : cold '};
  const {group} = await app.groups.createGroup({group: rule});
  t.is(group?.filter, 'labels.rack = r7 OR notes : cold');
  await app.groups.createGroup({group: {name: 'others', filter: '-labels.rack = r7'}});
  t.is(await app.members('rack 7'), 'alpha');
  t.is(await app.found('group = "rack 7"'), 'alpha');
  t.is(await app.found('NOT group = "rack 7" OR hostname = alpha'), 'alpha beta');

  await app.machines.labelMachine({id: a, set: {rack: 'r8', row: 'w1'}, remove: []});
  t.is(await app.members('rack 7'), '');
  const update = {machine: {id: a, notes: 'Cold aisle'}, updateMask: {paths: ['notes']}};
  await app.machines.updateMachine(update);
  t.is(await app.members('rack 7'), 'alpha');
  t.deepEqual(
    (await app.groups.listMachineGroups({machineId: a})).groups.map(({name}) => name),
    ['others', 'rack 7'],
  );
  await app.groups.updateGroup({
    group: {id: 'others', filter: 'hostname = beta'},
    updateMask: {paths: ['filter']},
  });
  t.is(await app.members('others'), 'beta');
});

test('what a group cannot be is refused', async t => {
  await using app = await setUp();
  const a = await app.add('alpha');
  const make = (group: object) => app.groups.createGroup({group});
  await make({name: 'hand'});
  await make({name: 'rule', filter: 'state = READY'});
  const id = (await app.groups.getGroup({id: 'hand'})).group?.id ?? '';
  const rename = {group: {id, name: 'Rule'}, updateMask: {paths: ['name']}};
  const refilter = {group: {id, filter: 'alpha'}, updateMask: {paths: ['filter']}};
  await app.groups.addGroupMachine({groupId: id, machineId: a});
  for (const [call, message] of [
    [
      () => make({name: 'HAND'}),
      /\[already_exists\] Cannot create group "HAND": the name is taken/,
    ],
    [() => make({name: ''}), /\[invalid_argument\] Cannot create a group without a name/],
    [() => make({name: 'x', filter: 'stat = A'}), /there is no field "stat"/],
    [
      () => make({name: 'x', filter: 'group = rule'}),
      /Cannot use group "rule" in the rule of a group/,
    ],
    [() => app.groups.updateGroup(rename), /\[already_exists\] Cannot rename group "Rule"/],
    [() => app.groups.updateGroup(refilter), /\[failed_precondition\] .* it has machines by hand/],
    [() => app.groups.updateGroup({group: {id}}), /name the fields to change/],
    [() => app.groups.getGroup({id: 'a\0'}), /\[not_found\]/],
    [
      () => app.groups.addGroupMachine({groupId: 'rule', machineId: a}),
      /\[failed_precondition\] .* its filter says which they are/,
    ],
    [
      () => app.groups.addGroupMachine({groupId: 'hand', machineId: id}),
      /\[not_found\] Cannot find machine/,
    ],
    [() => app.groups.listGroups({pageToken: '%'}), /Cannot read page token/],
    [() => app.groups.getGroup({id: 'nope'}), /Cannot find group "nope": "muster groups list"/],
  ] as const)
    await t.throwsAsync(call(), {message}, String(message));

  const both = await Promise.allSettled([make({name: 'twin'}), make({name: 'Twin'})]);
  t.is(both.filter(({status}) => status === 'fulfilled').length, 1);
  const first = await app.groups.listGroups({pageSize: 2});
  const rest = await app.groups.listGroups({pageToken: first.nextPageToken});
  t.deepEqual(
    [...first.groups, ...rest.groups].map(({name}) => name.toLowerCase()),
    ['hand', 'rule', 'twin'],
  );
});

test('labels are set and removed beside those of others', async t => {
  await using app = await setUp();
  const id = await app.add('alpha', {rack: 'r7', row_id: 'w1'});
  await Promise.all([
    app.machines.labelMachine({id, set: {a: '1'}, remove: ['rack']}),
    app.machines.labelMachine({id, set: {b: '2'}}),
  ]);
  const {machine} = await app.machines.labelMachine({id, set: {b: '2'}, remove: ['gone']});
  t.deepEqual(machine?.labels, {a: '1', b: '2', row_id: 'w1'});
  t.deepEqual((await app.machines.getMachine({id})).machine?.labels, machine?.labels);
  const events = await app.sql`select 1 from events where type = 'machine.labelled'`;
  t.is(events.length, 2, 'nothing changed the third time');
  await t.throwsAsync(app.machines.labelMachine({id, set: {a: '1'}, remove: ['a']}), {
    message: /Cannot both set and remove label "a"/,
  });
  const many = Object.fromEntries(Array.from({length: 64}, (_, n) => [`k${n}`, '']));
  await t.throwsAsync(app.machines.labelMachine({id, set: many}), {message: /at most 64/});
});

test('a list shows what its mask names', async t => {
  await using app = await setUp();
  const id = await app.add('alpha', {rack: 'r7'});
  const list = async (...paths: string[]) =>
    (await app.machines.listMachines({readMask: {paths}})).machines[0];
  t.like(await list('hostname', 'labels'), {
    id: '',
    hostname: 'alpha',
    labels: {rack: 'r7'},
    serviceTag: '',
  });
  t.like(await list('id', 'hardware.memory_bytes'), {id, hostname: '', labels: {}});
  t.like(await list(), {id, hostname: 'alpha', serviceTag: 'TAG-alpha'});
  await t.throwsAsync(list('host'), {message: /Cannot read "host": Machine has id, state/});
  await t.throwsAsync(list('labels.rack'), {message: /name "labels" as a whole/});
  const {fields} = await app.machines.listMachineFields({});
  t.like(
    fields.find(({name}) => name === 'state'),
    {sortable: true, facet: true, indexed: true, repeated: false},
  );
  t.true(fields.find(({name}) => name === 'hardware.disks.serial')?.repeated);
  const {facets} = await app.machines.listMachineFacets({
    fields: ['labels.rack', 'labels', 'state'],
  });
  t.deepEqual(
    facets.map(({field, values}) => [
      field,
      ...values.map(({value, count}) => `${value} ${count}`),
    ]),
    [
      ['labels.rack', 'r7 1'],
      ['labels', 'rack 1'],
      ['state', 'expected 1'],
    ],
  );
});
