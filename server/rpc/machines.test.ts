import {createClient} from '@connectrpc/connect';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {
  CommandMachineRequest_Command,
  Machine_Presence,
  Machine_State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {saveLastSeen} from '../store/presence.ts';
import {hardwareService} from './hardware.ts';
import {machineService} from './machines.ts';
import type {Role} from './permissions.ts';
import {serveInMemory} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql);
  const caller: {role: Role} = {role: 'operator'};
  const bus = {connected: true, since: new Date(0)};
  const view = {now: () => server.clock.now, busStatus: () => bus};
  const transport = serveInMemory(
    ({service}) => {
      service(MachineService, machineService({...server, view}));
      service(HardwareService, hardwareService(server.hardware));
    },
    () => ({name: 'user:olga', role: caller.role, address: ''}),
  );
  return {
    server,
    caller,
    bus,
    client: createClient(MachineService, transport),
    hardware: createClient(HardwareService, transport),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const expect = async (client: Awaited<ReturnType<typeof setUp>>['client'], serviceTag: string) =>
  (await client.createMachine({machine: {serviceTag}})).machine?.id ?? '';

test('an expected machine is found by id and by its keys', async t => {
  await using app = await setUp();
  const {machine} = await app.client.createMachine({
    machine: {
      serviceTag: 'ABC1234',
      macAddress: '3C-EC-EF-00-00-0A',
      hostname: 'r7',
      imageConfig: {hostName: 'r7', packages: ['curl']},
    },
  });
  t.like(machine, {
    state: Machine_State.EXPECTED,
    macAddresses: ['3c:ec:ef:00:00:0a'],
    imageConfig: {packages: ['curl']},
  });
  for (const id of [machine?.id ?? '', 'abc1234', '3cecef00000a'])
    t.is((await app.client.getMachine({id})).machine?.id, machine?.id);
  await t.throwsAsync(app.client.createMachine({machine: {serviceTag: 'ABC1234'}}), {
    message: /\[already_exists\]/,
  });
  await t.throwsAsync(app.client.createMachine({machine: {serviceTag: 'None'}}), {
    message: /usable service_tag/,
  });
  await t.throwsAsync(app.client.getMachine({id: 'nobody'}), {
    message: '[not_found] Cannot find machine "nobody"',
  });
});

test('pages are stable while machines are added', async t => {
  await using app = await setUp();
  const ids = [];
  for (const n of [1, 2, 3]) ids.push(await expect(app.client, `SER${n}77`));
  const first = await app.client.listMachines({pageSize: 2});
  ids.push(await expect(app.client, 'SER477'));
  const second = await app.client.listMachines({pageSize: 2, pageToken: first.nextPageToken});
  t.deepEqual(
    [...first.machines, ...second.machines].map(({id}) => id),
    ids,
  );
  t.is((await app.client.listMachines({states: [Machine_State.ACTIVE]})).machines.length, 0);
  await t.throwsAsync(app.client.listMachines({pageToken: 'junk'}), {
    message: /\[invalid_argument\] Cannot read page token "junk"/,
  });
});

test('an update changes what the mask names, and nothing else', async t => {
  await using app = await setUp();
  const id = await expect(app.client, 'ABC1234');
  const update = (paths: string[]) =>
    app.client.updateMachine({
      machine: {id, hostname: 'r7', description: 'no', imageConfig: {packages: ['curl']}},
      updateMask: {paths},
    });
  t.like((await update(['hostname', 'image_config'])).machine, {
    hostname: 'r7',
    description: '',
    imageConfig: {packages: ['curl']},
  });
  await update(['hostname']);
  t.is((await app.server.sql`select 1 from events where type = 'machine.updated'`).length, 1);
  await t.throwsAsync(update(['state']), {message: /Cannot change "state" of a machine/});
  await t.throwsAsync(update([]), {message: /name the fields to change/});
  const zero = {machine: {id, description: 'a\0b'}, updateMask: {paths: ['description']}};
  await t.throwsAsync(app.client.updateMachine(zero), {message: /zero byte/});
  const half = {machine: {id, nixosConfig: 'a\ud800b'}, updateMask: {paths: ['nixos_config']}};
  await app.client.updateMachine(half);
  t.is((await app.client.getMachine({id})).machine?.nixosConfig, 'a\ufffdb', 'as UTF-8 has it');
});

test('which image worked last, and which did not, is told', async t => {
  await using app = await setUp();
  const id = await expect(app.client, 'ABC1234');
  await app.server.sql`
    update machines set last_good_image_id = 'good', bad_image_ids = '{bad,worse}' where id = ${id}
  `;
  t.like((await app.client.getMachine({id})).machine, {
    lastGoodImageId: 'good',
    badImageIds: ['bad', 'worse'],
  });
});

test('a script’s enrolment tells no more than it said', async t => {
  await using app = await setUp();
  const id = await expect(app.client, 'ABC1234');
  await app.client.updateMachine({
    machine: {id, nixosConfig: 'secret'},
    updateMask: {paths: ['nixos_config']},
  });
  const {machine} = await app.client.enrollMachine({
    serviceTag: 'ABC1234',
    hardware: {cpu: 'x\u0000'},
  });
  t.like(machine, {id, state: Machine_State.DISCOVERED, serviceTag: 'ABC1234', nixosConfig: ''});
  await t.throwsAsync(app.client.enrollMachine({serviceTag: 'Default string'}), {
    message: /\[invalid_argument\]/,
  });
});

test('presence is unknown until agents had time to be heard', async t => {
  await using app = await setUp();
  const {client, server, bus} = app;
  const id = await expect(client, 'ABC1234');
  const presence = async () => (await client.getMachine({id})).machine?.presence;
  t.is(await presence(), Machine_Presence.OFFLINE);
  await saveLastSeen(server.sql, [{machineId: id, time: server.clock.now}]);
  t.is(await presence(), Machine_Presence.ONLINE);
  server.clock.now = new Date(server.clock.now.getTime() + 31_000);
  t.is(await presence(), Machine_Presence.OFFLINE);
  bus.since = server.clock.now;
  t.is(await presence(), Machine_Presence.UNKNOWN);
});

test('only who was let in is commanded, and quarantined ones little', async t => {
  await using app = await setUp();
  const {client, server} = app;
  const id = await expect(client, 'ABC1234');
  const command = (which: CommandMachineRequest_Command) =>
    client.commandMachine({id, command: which});
  await t.throwsAsync(command(CommandMachineRequest_Command.REBOOT), {message: /it is expected/});
  await server.sql`update machines set state = 'pending', quarantine_reason = 'a tie' where id = ${id}`;
  t.truthy((await command(CommandMachineRequest_Command.LOCATE)).commandId);
  await t.throwsAsync(command(CommandMachineRequest_Command.POWER_OFF), {message: /quarantined/});
  t.like((await client.acceptMachine({id})).machine, {
    state: Machine_State.ENROLLED,
    quarantineReason: '',
  });
  t.truthy((await command(CommandMachineRequest_Command.POWER_OFF)).commandId);
  t.like((await client.rejectMachine({id, reason: 'not ours'})).machine, {
    state: Machine_State.REJECTED,
    stateReason: 'not ours',
  });
});

test('says that no agent has reported hardware yet', async t => {
  await using app = await setUp();
  const machineId = await expect(app.client, 'ABC1234');
  await t.throwsAsync(app.hardware.getHardware({machineId}), {
    message: /no agent has reported it yet/,
  });
});

test('a machine that is not in service is deleted, once', async t => {
  await using app = await setUp();
  const id = await expect(app.client, 'ABC1234');
  await app.client.deleteMachine({id});
  await t.throwsAsync(app.client.getMachine({id}), {message: /\[not_found\]/});
  await t.throwsAsync(app.client.deleteMachine({id}), {message: /\[not_found\]/});
  t.not(await expect(app.client, 'ABC1234'), id, 'what comes again is a new one');
});

test('an administrator deletes a machine that is in service by force, and nobody else does', async t => {
  await using app = await setUp();
  const id = await expect(app.client, 'ABC1234');
  const {sql} = app.server;
  await sql`update machines set state = 'active' where id = ${id}`;
  await t.throwsAsync(app.client.deleteMachine({id, force: true}), {
    message: /\[permission_denied\].*only administrators/,
  });
  app.caller.role = 'admin';
  await t.throwsAsync(app.client.deleteMachine({id}), {message: /it is active/});
  await app.client.deleteMachine({id, force: true});
  await t.throwsAsync(app.client.getMachine({id}), {message: /\[not_found\]/});
  const [event] = await sql`select actor, data from events where type = 'machine.deleted'`;
  t.like(event, {actor: 'user:olga', data: {state: 'active', serviceTag: 'ABC1234', force: true}});
});

for (const state of ['provisioning', 'retiring'])
  test(`a machine that is ${state} is not deleted by force either`, async t => {
    await using app = await setUp();
    const id = await expect(app.client, 'ABC1234');
    await app.server.sql`update machines set state = ${state} where id = ${id}`;
    app.caller.role = 'admin';
    await t.throwsAsync(app.client.deleteMachine({id, force: true}), {
      message: /\[failed_precondition\].*wait until that is over/,
    });
    t.is((await app.client.getMachine({id})).machine?.id, id);
  });
