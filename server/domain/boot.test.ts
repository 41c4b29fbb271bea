import {randomUUID} from 'node:crypto';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {
  addImage,
  allBoots,
  enrolMachine,
  type ServerMachines,
  wireMachines,
} from '../../test/helpers/server-machines.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import type {BootClient, SeenHop} from './boot-sessions.ts';

const postgres = postgresOf(test);

async function setUp(options: {policy?: AcceptancePolicy} = {}) {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql, options);
  const registration = await addImage(database.sql, {kind: 'registration', variant: 'full'});
  return {...server, registration, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]()};
}

const mac = '3c:ec:ef:00:00:0a';
const client = (part: Partial<BootClient> = {}): BootClient => ({
  macAddresses: [mac],
  uuid: '',
  serial: '',
  ipAddress: '10.0.0.9',
  platform: 'efi',
  manufacturer: '',
  product: '',
  session: 's1',
  ...part,
});

const hop = (part: Partial<SeenHop>): SeenHop => ({
  id: randomUUID(),
  kind: 'script',
  time: new Date(),
  session: 's1',
  client: client(),
  detail: '',
  bytes: 0,
  complete: true,
  imageId: '',
  ...part,
});

const enrolled = (server: ServerMachines, session = 's1'): Promise<string> =>
  enrolMachine(server, {mac, session, systemSerial: 'ABC1234'});

async function hello(
  server: ServerMachines,
  machineId: string,
  part: {bootSession?: string; imageInputKey?: string; bootId?: string; machineTime?: Date},
) {
  const {bootSession = 's1', imageInputKey = '', bootId = bootSession, machineTime} = part;
  const heardTime = server.clock.now;
  await server.sql.begin(tx =>
    server.hellos.hear(tx, machineId, {
      bootSession,
      bootId,
      imageInputKey,
      agentVersion: '1',
      machineTime,
      heardTime,
    }),
  );
  return server.machines.get(machineId);
}

test('a stranger becomes a DISCOVERED machine and registers', async t => {
  await using server = await setUp();
  const [first, second] = await Promise.all([
    server.boot.resolve(client(), 'edge:e'),
    server.boot.resolve(client(), 'edge:e'),
  ]);
  t.like(first, {
    machine: {state: 'discovered', trust: 'seen'},
    decision: {action: 'registration'},
  });
  t.is(second.machine?.id, first.machine?.id);
});

test('who sends nothing that identifies is answered by policy and not recorded', async t => {
  await using server = await setUp({policy: 'expected-only'});
  const answer = await server.boot.resolve(
    client({macAddresses: ['junk'], serial: 'None'}),
    'edge:e',
  );
  t.like(answer, {machine: undefined, decision: {action: 'local_disk'}});
  t.is((await server.sql`select 1 from machines`).length, 0);
});

test('a machine that asks too often is turned away', async t => {
  await using server = await setUp();
  for (let n = 0; n < 60; n += 1) await server.boot.resolve(client(), 'edge:e');
  await t.throwsAsync(server.boot.resolve(client(), 'edge:e'), {
    message: /more than 60 boot requests a minute/,
  });
});

test('an override lasts through its session and is used up by the hello', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  const image = await addImage(server.sql, {});
  const override = {action: 'image', imageId: image.id, persistent: false} as const;
  t.is((await server.boot.setOverride('user:eve', machineId, override)).imageId, image.id);
  for (const _ of [1, 2])
    t.like(await server.boot.resolve(client({session: 's2'}), 'edge:e'), {
      decision: {imageId: image.id},
      image: {id: image.id},
    });
  // A boot that failed before its hello does not use it up.
  t.like(await server.boot.resolve(client({session: 's3'}), 'edge:e'), {
    decision: {imageId: image.id},
  });
  await hello(server, machineId, {bootSession: 's3', imageInputKey: image.inputKey});
  t.like(await server.boot.resolve(client({session: 's4'}), 'edge:e'), {
    decision: {action: 'registration'},
  });
});

test('an override without a hello ends by time', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  await server.boot.setOverride('user:eve', machineId, {
    action: 'local_disk',
    imageId: '',
    persistent: false,
  });
  t.like(await server.boot.resolve(client({session: 's2'}), 'edge:e'), {
    decision: {action: 'local_disk'},
  });
  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  t.like(await server.boot.resolve(client({session: 's3'}), 'edge:e'), {
    decision: {action: 'registration'},
  });
  await server.boot.expireOverrides();
  t.is((await server.machines.get(machineId)).overrideAction, undefined);
  t.is((await server.sql`select 1 from events where type = 'boot_override.expired'`).length, 1);
});

test('a boot entry lasts until it is cleared', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  await server.boot.setOverride('user:eve', machineId, {
    action: 'local_disk',
    imageId: '',
    persistent: true,
  });
  await hello(server, machineId, {});
  t.like(await server.boot.explain(machineId), {decision: {action: 'local_disk'}});
  await server.boot.clearOverride('user:eve', machineId, true);
  t.like(await server.boot.explain(mac), {machineId, decision: {action: 'registration'}});
});

test('explains strangers and keys that name several machines', async t => {
  await using server = await setUp();
  t.like(await server.boot.explain('3c:ec:ef:00:00:77'), {
    machineId: undefined,
    decision: {action: 'registration'},
    considered: {0: 'Machine: nobody knows it'},
  });
});

test('a boot is one timeline that ends with the hello', async t => {
  await using server = await setUp();
  const start = server.clock.now.getTime();
  const at = (seconds: number) => new Date(start + seconds * 1000);
  const hops = [
    hop({kind: 'loader', detail: 'snponly.efi', client: client({macAddresses: []}), time: at(0)}),
    hop({time: at(4)}),
  ];
  t.is(await server.bootSessions.report(hops), 2);
  t.is(await server.bootSessions.report(hops), 0);
  await server.bootSessions.report([hop({kind: 'token', time: at(9)})]);
  server.clock.now = at(15);
  const machineId = await enrolled(server);
  server.clock.now = at(20);
  await hello(server, machineId, {machineTime: at(50)});

  const {views} = await server.timeline.list({...allBoots, machineId, pageSize: 10, pageToken: ''});
  t.is(views.length, 1);
  t.deepEqual(
    views[0]?.hops.map(({kind}) => kind),
    ['loader', 'script', 'token', 'enrolled', 'hello'],
  );
  t.is(views[0]?.diagnosis, 'Booted: the agent said hello 20 s after the first request');
  t.is(views[0]?.session.state, 'completed');
  t.is((await server.machines.get(machineId)).clockSkewMs, 30_000);
  t.deepEqual(
    (await server.sql`select type from events where type like 'boot_session.%' order by id`).map(
      ({type}) => type,
    ),
    ['boot_session.opened', 'boot_session.ended'],
  );
});

test('another machine that sends the same session number has a session of its own', async t => {
  await using server = await setUp();
  await server.bootSessions.report([hop({})]);
  await server.bootSessions.report([hop({client: client({macAddresses: ['3c:ec:ef:00:00:66']})})]);
  t.is((await server.sql`select 1 from boot_sessions`).length, 2);
});

test('READY becomes ACTIVE by a hello from the desired image only', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  const [other, desired] = [await addImage(server.sql, {}), await addImage(server.sql, {})];
  await server.sql.begin(tx =>
    server.transitions.imageReady(tx, {machineId, imageId: desired.id, actor: 'system'}),
  );
  t.like(
    await hello(server, machineId, {
      bootSession: 's2',
      imageInputKey: server.registration.inputKey,
    }),
    {state: 'ready', inRegistration: true},
  );
  t.like(await hello(server, machineId, {bootSession: 's3', imageInputKey: other.inputKey}), {
    state: 'ready',
    bootedImageId: other.id,
  });
  t.like(await hello(server, machineId, {bootSession: 's4', imageInputKey: desired.inputKey}), {
    state: 'active',
    bootedImageId: desired.id,
    lastGoodImageId: desired.id,
  });
  t.like(await hello(server, machineId, {bootSession: 's5', imageInputKey: other.inputKey}), {
    state: 'active',
  });
});

test('a hello of a boot whose key was replaced quarantines, unless it was under way', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server, 's1');
  await enrolled(server, 's2');
  t.is((await hello(server, machineId, {bootSession: 's1'})).quarantineReason, '');
  server.clock.now = new Date(server.clock.now.getTime() + 60_000);
  t.regex(
    (await hello(server, machineId, {bootSession: 's1'})).quarantineReason,
    /replaced is still in use/,
  );
  t.like(await server.boot.explain(machineId), {decision: {action: 'registration'}});
  t.is((await server.machines.accept('user:eve', machineId)).quarantineReason, '');
});

test('an image that fails two trials gives way to the last good one', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  const [good, bad] = [await addImage(server.sql, {}), await addImage(server.sql, {})];
  const desire = (imageId: string) =>
    server.sql.begin(tx =>
      server.transitions.imageReady(tx, {machineId, imageId, actor: 'system'}),
    );
  await desire(good.id);
  await hello(server, machineId, {bootSession: 's2', imageInputKey: good.inputKey});
  await desire(bad.id);

  for (const session of ['s3', 's4']) {
    const fetched = [bad.kernel, ...bad.initrds].map(({name}) =>
      hop({kind: 'kernel', detail: name, imageId: bad.id, session}),
    );
    await server.bootSessions.report(fetched.slice(0, 1));
    t.is(await server.trials.judgeAll(), 0);
    await server.bootSessions.report(fetched.slice(1));
    server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
    t.is(await server.trials.judgeAll(), 1);
  }
  t.like(await server.boot.explain(machineId), {decision: {imageId: good.id}});
  t.like(await server.machines.get(machineId), {state: 'active', badImageIds: [bad.id]});
});

test('without a good image two failed trials end in FAILED', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  const bad = await addImage(server.sql, {});
  await server.sql.begin(tx =>
    server.transitions.imageReady(tx, {machineId, imageId: bad.id, actor: 'system'}),
  );
  for (const session of ['s3', 's4']) {
    const artifacts = [bad.kernel, ...bad.initrds];
    await server.bootSessions.report(
      artifacts.map(({name}) => hop({kind: 'kernel', detail: name, imageId: bad.id, session})),
    );
    server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
    await server.trials.judgeAll();
  }
  t.is((await server.machines.get(machineId)).state, 'failed');
  t.like(await server.boot.explain(machineId), {decision: {action: 'registration'}});
});

test('hops and the hello of one boot at once do not wait in a circle', async t => {
  await using server = await setUp();
  const machineId = await enrolled(server);
  const image = await addImage(server.sql, {});
  for (let round = 0; round < 10; round += 1) {
    const session = `r${round}`;
    const hops = () =>
      server.bootSessions.report([
        hop({session}),
        hop({session, kind: 'token', imageId: image.id}),
      ]);
    await Promise.all([
      hops(),
      hello(server, machineId, {bootSession: session}),
      hops(),
      server.trials.judgeAll(),
    ]);
  }
  const {views} = await server.timeline.list({...allBoots, machineId, pageSize: 20, pageToken: ''});
  t.deepEqual(
    new Set(views.slice(0, 10).map(({session}) => session.state)),
    new Set(['completed']),
  );
});
