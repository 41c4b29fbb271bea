import {randomUUID} from 'node:crypto';
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {Ban_Kind, DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {enrolWith, reportHardware} from '../../test/helpers/first-inventory.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {createEventFeed} from '../domain/event-feed.ts';
import {createEvents} from '../domain/events.ts';
import {placeWaitingEntries} from '../domain/journal.ts';
import {createWakeUps} from '../wake-ups.ts';
import {discoveryService} from './discovery.ts';
import {eventService} from './events.ts';
import {machineService} from './machines.ts';
import {serveInMemory, viewOf} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql, {policy: 'approve'});
  const view = viewOf(server.clock);
  const {sql} = database;
  const positions = createWakeUps();
  const feed = createEventFeed({sql, positions});
  const events = createEvents({sql, now: () => server.clock.now, positions, feed});
  const transport = serveInMemory(({service}) => {
    service(MachineService, machineService({...server, view}));
    service(DiscoveryService, discoveryService({...server, view}));
    service(EventService, eventService(events));
  });
  const machines = createClient(MachineService, transport);
  return {
    ...server,
    api: createClient(DiscoveryService, transport),
    all: machines,
    get: async (id: string) => (await machines.getMachine({id})).machine,
    /** What happened to it, oldest first. */
    async history(machineId: string): Promise<readonly string[]> {
      await server.sql.begin(placeWaitingEntries);
      const answer = await createClient(EventService, transport).listEvents({machineId});
      return answer.events.map(({type}) => type);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const disk = (serial: string) => ({
  memory: {totalBytes: '1000'},
  disks: [{name: 'sda', path: 'bay-0', model: 'X', serial}],
  lldpNeighbours: [{interface: 'eno1', systemName: 'tor-7', portId: 'Eth12', vlanId: 20}],
  bmc: {macAddress: '3c:ec:ef:ff:00:01', ipAddress: '10.9.0.7'},
});

const refused = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return [error?.code, error?.rawMessage] as const;
};

test('the queue says which box waits: BMC, switch port, identity, look-alikes, the rule', async t => {
  await using site = await setUp();
  const known = {serviceTag: 'BOXA17', uuid: '', macAddresses: ['3c:ec:ef:00:00:99'], change: {}};
  const twin = await site.machines.create('user:olga', known);
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
  const {machineId} = await enrolWith(site, {
    systemSerial: 'BOXB17',
    macAddresses: ['3c:ec:ef:00:00:01', '3c:ec:ef:00:00:99'],
    product: 'R640',
  });
  await reportHardware(site, machineId, disk('WD1X9'));
  const {machines} = await site.api.listPendingMachines({});
  t.is(machines.length, 1);
  const [pending] = machines;
  t.like(pending, {
    machine: {id: machineId, state: Machine_State.PENDING, serviceTag: 'BOXB17'},
    bmcMacAddress: '3c:ec:ef:ff:00:01',
    bmcIpAddress: '10.9.0.7',
    switchPorts: {0: {interface: 'eno1', switch: 'tor-7', port: 'Eth12', vlanId: 20}},
    identityReasons: ['system serial (+40)', 'mac (+50)'],
    identityScore: 90,
    lookAlikes: {
      0: {
        machineId: twin.id,
        name: 'BOXA17',
        state: Machine_State.EXPECTED,
        reasons: ['other system serial (-30)', 'same mac (+25)'],
        score: -5,
      },
      length: 1,
    },
    heldByRule: 'old ones',
    nextStep: 'Rule "old ones" holds it: accept or reject it',
  });
});

test('a box in doubt waits with a word on what to merge it with', async t => {
  await using site = await setUp();
  const mac = '3c:ec:ef:00:00:01';
  const first = await enrolWith(site, {systemSerial: 'BOXA17', macAddresses: [mac]});
  await site.machines.accept('user:olga', first.machineId);
  const second = await enrolWith(site, {
    systemSerial: 'BOXA17',
    macAddresses: ['3c:ec:ef:00:00:02'],
  });
  t.not(second.machineId, first.machineId);
  const {machines} = await site.api.listPendingMachines({});
  t.deepEqual(
    machines.map(({machine}) => machine?.id),
    [second.machineId],
  );
  t.regex(
    machines[0]?.nextStep ?? '',
    new RegExp(`if it is machine "${first.machineId}", merge the two \\(either may stay\\)$`),
  );
});

test('of a long queue the total is told, and one machine of it is found by its id', async t => {
  await using site = await setUp();
  const ids: string[] = [];
  for (const number of [1, 2, 3])
    ids.push(
      (
        await enrolWith(site, {
          systemSerial: `BOXA1${number}`,
          macAddresses: [`3c:ec:ef:00:00:0${number}`],
        })
      ).machineId,
    );
  await site.machines.accept('user:olga', ids[0] ?? '');
  const first = await site.api.listPendingMachines({pageSize: 1, countTotal: true});
  t.is(first.machines.length, 1);
  t.is(first.totalSize, 2n);
  const found = async (id: string) =>
    (await site.api.listPendingMachines({id})).machines.map(({machine}) => machine?.id);
  t.deepEqual(await found(ids[2] ?? ''), [ids[2]]);
  t.deepEqual(await found(ids[0] ?? ''), [], 'it waits no longer');
  t.deepEqual(await found('" OR id:*'), []);
});

test('merged records are one machine: keys, history, hardware, labels and both names', async t => {
  await using site = await setUp();
  const [a, b] = ['3c:ec:ef:00:00:01', '3c:ec:ef:00:00:02'];
  const expected = {serviceTag: 'WRONG77', uuid: '', macAddresses: [a], change: {labels: {x: '1'}}};
  const {id} = await site.machines.create('user:olga', expected);
  const real = await enrolWith(site, {systemSerial: 'RIGHT77', macAddresses: [b]});
  await reportHardware(site, real.machineId, disk('WD1X9'));
  await site.machines.label('user:olga', real.machineId, {set: {x: '2', y: '2'}, remove: []});

  const {machine} = await site.api.mergeMachines({id, absorbedId: real.machineId});
  t.like(machine, {
    id,
    state: Machine_State.PENDING,
    stateReason: 'Merged by anonymous with a record that was pending',
    serviceTag: 'WRONG77',
    macAddress: a,
    macAddresses: [a, b],
    labels: {x: '1', y: '2'},
    hardware: {diskCount: 1},
  });
  for (const name of [real.machineId, b, a, 'WRONG77']) t.is((await site.get(name))?.id, id, name);
  t.deepEqual(
    (await site.all.listMachines({})).machines.map(one => one.id),
    [id],
  );
  t.is((await site.all.listMachines({filter: 'hardware.disks.serial = wd1x9'})).machines.length, 1);
  const {versions} = await site.hardware.listVersions(id, {pageSize: 0, pageToken: ''});
  t.deepEqual(
    versions.map(({number}) => number),
    [1],
  );
  t.deepEqual(
    (await site.history(id)).filter(type => /^(machine|agent|hardware)\./.test(type)),
    [
      'machine.expected',
      'machine.pending',
      'agent.enrolled',
      'hardware.reported',
      'machine.labelled',
      'machine.absorbed',
      'machine.merged',
      'machine.pending',
    ],
  );
  // The next boot is that of the machine, by the name that only the other record had.
  const again = await enrolWith(site, {systemSerial: 'RIGHT77', macAddresses: [b]});
  t.is(again.machineId, id);
  const keys =
    await site.sql`select state from agent_keys where machine_id = ${id} order by create_time`;
  t.deepEqual(
    keys.map(({state}) => String(state)),
    ['revoked', 'current'],
  );
});

test('versions of two records are one history in the order of time', async t => {
  await using site = await setUp();
  const [a, b] = [
    await enrolWith(site, {systemSerial: 'BOXA17', macAddresses: ['3c:ec:ef:00:00:01']}),
    await enrolWith(site, {systemSerial: 'BOXB17', macAddresses: ['3c:ec:ef:00:00:02']}),
  ];
  for (const [machineId, serial] of [
    [a.machineId, 'D1X9'],
    [b.machineId, 'D2X9'],
    [a.machineId, 'D3X9'],
    [b.machineId, 'D4X9'],
  ] as const) {
    site.clock.now = new Date(site.clock.now.getTime() + 60_000);
    await reportHardware(site, machineId, disk(serial));
  }
  await site.api.mergeMachines({id: a.machineId, absorbedId: b.machineId});
  const {versions} = await site.hardware.listVersions(a.machineId, {pageSize: 0, pageToken: ''});
  t.deepEqual(
    versions.map(({number}) => number),
    [4, 3, 2, 1],
  );
  t.regex((await site.hardware.get(a.machineId)).json, /D4X9/, 'the newer one is the present one');
  t.is((await site.hardware.diff(a.machineId, 3, 4)).changes.length, 1);
});

test('what is not safe is no merge', async t => {
  await using site = await setUp();
  const enrol = (serial: string, mac: string) =>
    enrolWith(site, {systemSerial: serial, macAddresses: [mac]});
  const {machineId: a} = await enrol('BOXA17', '3c:ec:ef:00:00:01');
  const {machineId: b} = await enrol('BOXB17', '3c:ec:ef:00:00:02');
  const merge = (id: string, absorbedId: string) =>
    refused(site.api.mergeMachines({id, absorbedId}));
  t.regex((await merge(a, a))[1] ?? '', /they are one record already/);
  for (const id of [a, b])
    await site.sql`insert into machine_presence (machine_id, last_seen_time) values (${id}, ${site.clock.now})`;
  t.deepEqual(await merge(a, b), [
    Code.FailedPrecondition,
    `Cannot merge machine "${b}" into "${a}": agents of both are online, so these are two boxes; turn one off if they are not`,
  ]);
  site.clock.now = new Date(site.clock.now.getTime() + 60_000);
  await site.sql`update machines set state = 'active' where id = ${b}`;
  t.regex((await merge(a, b))[1] ?? '', /is active, and what runs on it would be lost/);
  const time = site.clock.now;
  const workspace = randomUUID();
  await site.sql`
    insert into workspaces (id, name, description, machines_max, create_time, update_time) values (${workspace}, 'lab', '', 0, ${time}, ${time})
  `;
  await site.sql`update machines set workspace_id = ${workspace}, workspace_time = ${time} where id = ${a}`;
  t.regex((await merge(b, a))[1] ?? '', /is assigned to another workspace/);
  await site.sql`update machines set workspace_id = null, workspace_time = null where id = ${a}`;
  t.is((await merge(b, a))[0], undefined, 'the other way round it is safe');
  t.is((await site.get(a))?.id, b);
  t.regex((await merge(b, a))[1] ?? '', /is part of ".*" already/);
});

test('a record that swallowed two boxes is split by what it was recognised by', async t => {
  await using site = await setUp();
  const [a, b] = ['3c:ec:ef:00:00:01', '3c:ec:ef:00:00:02'];
  const both = await enrolWith(site, {systemSerial: 'BOXA17', macAddresses: [b, a]});
  const id = both.machineId;
  const boot = (minute: number, mac: string, serial: string) => site.sql`
    insert into boot_sessions (id, edge_session, mac_address, machine_id, serial, state, start_time, heard_time)
    select ${randomUUID()}, ${`edge-${minute}`}, ${mac}, ${id}, ${serial}, 'completed', time, time
    from (select ${new Date(Date.UTC(2026, 0, 1, 0, minute))}::timestamptz) as boots (time)
  `;
  for (const [minute, mac, serial] of [
    [1, a, 'boxa17'],
    [2, b, 'Default string'],
    [3, a, 'BOXA17'],
  ] as const)
    await boot(minute, mac, serial);
  const {items, boots} = await site.api.getMachineEvidence({id});
  t.deepEqual(
    items.map(({kind, value}) => `${kind} ${value}`),
    [`mac ${a}`, `mac ${b}`, 'system_serial BOXA17'],
  );
  t.deepEqual(
    boots.map(({values, count}) => [values, count]),
    [
      // The boot that enrolled it.
      [[b, 'BOXA17'], 1],
      [[a, 'BOXA17'], 2],
      [[b], 1],
    ],
  );
  t.deepEqual(
    await refused(site.api.getMachineEvidence({id: randomUUID()})).then(([code]) => code),
    Code.NotFound,
  );

  const split = (...identifiers: string[]) => site.api.splitMachine({id, identifiers});
  t.regex((await refused(split('nowhere')))[1] ?? '', /never recognised by it, but by .*BOXA17/);
  t.regex((await refused(split(a, b, 'boxa17')))[1] ?? '', /nothing would be left/);
  const {machine, splitMachine} = await split('3C-EC-EF-00-00-02');
  t.like(machine, {id, macAddress: a, macAddresses: [a], serviceTag: 'BOXA17'});
  t.like(splitMachine, {state: Machine_State.EXPECTED, macAddresses: [b], serviceTag: ''});
  t.is((await site.get(b))?.id, splitMachine?.id);
  t.true((await site.history(id)).includes('machine.split'));

  // The agent booted from the other box: it is logged out, and its word is nobody's quarantine.
  const keys = await site.sql`select machine_id, state from agent_keys`;
  t.like(keys, {0: {machineId: splitMachine?.id ?? '', state: 'revoked'}, length: 1});
  const other = await enrolWith(site, {systemSerial: 'BOXC17', macAddresses: [b]});
  t.is(other.machineId, splitMachine?.id ?? '');
});

test('the key of a TPM goes to the other box, too', async t => {
  await using site = await setUp();
  const tpmEkHash = 'ab'.repeat(32);
  const mac = '3c:ec:ef:00:00:01';
  const {machineId: id} = await enrolWith(site, {tpmEkHash, macAddresses: [mac]});
  const {splitMachine} = await site.api.splitMachine({id, identifiers: [tpmEkHash]});
  const {items} = await site.api.getMachineEvidence({id: splitMachine?.id ?? ''});
  t.like(items, {0: {kind: 'tpm_ek', value: tpmEkHash}, length: 1});
});

test('a banned box is never let in, and its boot says why', async t => {
  await using site = await setUp();
  const mac = '3c:ec:ef:00:00:01';
  const {machineId: id} = await enrolWith(site, {systemSerial: 'BOXA17', macAddresses: [mac]});
  const {bans} = await site.api.banMachine({id, reason: 'stolen'});
  t.deepEqual(
    bans.map(({kind, value}) => [kind, value]),
    [
      [Ban_Kind.MAC_ADDRESS, mac],
      [Ban_Kind.SERIAL, 'BOXA17'],
    ],
  );
  t.like(await site.get(id), {
    state: Machine_State.REJECTED,
    stateReason: 'It is banned: stolen',
    banReason: 'stolen',
  });
  t.like(await site.boot.explain(mac), {
    decision: {action: 'local_disk', reason: 'This box is banned: stolen'},
  });
  await t.throwsAsync(enrolWith(site, {systemSerial: 'NEWBOARD', macAddresses: [mac]}), {
    message: 'Cannot enrol: this box is banned: stolen',
  });
  const client = {
    macAddresses: ['3c:ec:ef:00:00:aa'],
    uuid: '',
    serial: 'boxa17',
    ipAddress: '',
    platform: '',
    manufacturer: '',
    product: '',
    session: 's1',
  };
  t.like(await site.boot.resolve(client, 'edge:e1'), {
    decision: {action: 'local_disk', reason: 'This box is banned: stolen'},
  });
  const wanted = {macAddress: '3c-ec-ef-00-00-01'};
  t.regex(
    (await refused(site.all.createMachine({machine: wanted})))[1] ?? '',
    /is banned \(stolen\)/,
  );
  t.regex((await refused(site.all.enrollMachine(wanted)))[1] ?? '', /It is banned: stolen/);

  t.like(await site.api.listBans({pageSize: 1}), {bans: {length: 1}});
  await site.api.deleteBan({id: '3C:EC:EF:00:00:01'});
  t.is((await site.get(id))?.banReason, 'stolen', 'its serial number is banned still');
  await site.api.deleteBan({id: 'BOXA17'});
  t.like(await site.get(id), {state: Machine_State.REJECTED, banReason: ''});
  await site.machines.accept('user:olga', id);
  const again = await enrolWith(site, {systemSerial: 'BOXA17', macAddresses: [mac]});
  t.is(again.machineId, id);
});

test('bans of junk, of the same twice and of nobody are refused', async t => {
  await using site = await setUp();
  const ban = (identifier: string) => refused(site.api.createBan({identifier}));
  t.is((await ban('To be filled by O.E.M.'))[0], Code.InvalidArgument);
  t.is((await ban('BOXA17'))[0], undefined);
  t.is((await ban('boxa17'))[0], Code.AlreadyExists);
  t.is((await refused(site.api.deleteBan({id: 'BOXZ99'})))[0], Code.NotFound);
});
