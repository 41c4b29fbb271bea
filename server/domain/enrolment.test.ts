import {randomUUID} from 'node:crypto';
import {createUser} from '@nats-io/nkeys';
import test, {type ExecutionContext} from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {
  evidenceWith,
  newAgentKey,
  type ServerMachines,
  wireMachines,
} from '../../test/helpers/server-machines.ts';
import {DomainError} from '../errors.ts';
import type {MachineState} from '../store/machines.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import type {Evidence} from './identity.ts';

const postgres = postgresOf(test);

async function setUp(options: {policy?: AcceptancePolicy; newMachinesPerHourMax?: number} = {}) {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql, options);
  return {...server, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]()};
}

const mac = '3c:ec:ef:00:00:0a';
const real = {
  uuid: '4c4c4544-0042-3510-8051-b7c04f4d3133',
  systemSerial: 'ABC1234',
  macAddresses: [mac],
};

function enrol(
  server: Pick<ServerMachines, 'enrolment'>,
  bootToken: string,
  {
    publicKey = newAgentKey(),
    evidence = real,
    bootId = randomUUID(),
  }: {publicKey?: string; evidence?: Partial<Evidence>; bootId?: string} = {},
) {
  const request = {bootToken, publicKey, bootId, imageInputKey: '', agentVersion: '1'};
  return server.enrolment.enrol({...request, evidence: evidenceWith(evidence)});
}

async function refused(t: ExecutionContext, promise: Promise<unknown>, reason: string) {
  const error = await t.throwsAsync(promise, {instanceOf: DomainError});
  t.is(error?.reason, reason, error?.message);
}

test('a new machine is enrolled, and the same key gets the same answer', async t => {
  await using server = await setUp();
  const token = await server.token({session: 's1', mac});
  const publicKey = newAgentKey();
  const first = await enrol(server, token, {publicKey});
  const again = await enrol(server, token, {publicKey});

  t.like(first, {state: 'enrolled', expiresInSeconds: 3600});
  t.is(again.machineId, first.machineId);
  t.like(await server.machines.get('abc1234'), {
    id: first.machineId,
    trust: 'token',
    macAddress: mac,
  });
  t.deepEqual(
    (await server.sql`select type from events order by id`).map(({type}) => type),
    ['machine.enrolled', 'agent.enrolled', 'boot_session.opened'],
  );
});

test('one machine at two servers at once stays one machine', async t => {
  await using server = await setUp();
  const other = await wireMachines(server.sql, {edge: server.edge});
  const token = await server.token({session: 's1', mac});
  const publicKey = newAgentKey();
  const both = [server, other].flatMap(one => [one, one, one]);
  const answers = await Promise.all(both.map(one => enrol(one, token, {publicKey})));
  t.is(new Set(answers.map(({machineId}) => machineId)).size, 1);
  t.is((await other.sql`select 1 from machines`).length, 1);
});

test('many machines with shared parts at once neither merge nor wait in a circle', async t => {
  await using server = await setUp();
  const serial = (n: number) => `SN${n}X${n}7`;
  const answers = await Promise.all(
    Array.from({length: 12}, async (_, n) => {
      const own = `3c:ec:ef:00:01:${n.toString(16).padStart(2, '0')}`;
      const evidence = {
        systemSerial: serial(n),
        macAddresses: [own],
        dimmSerials: ['D1X9', 'D2X9'],
        diskSerials: ['Z9Y1', 'Z9Y2'],
      };
      return enrol(server, await server.token({session: `s${n}`, mac: own}), {evidence});
    }),
  );
  t.is(new Set(answers.map(({machineId}) => machineId)).size, 12);
});

test('a token belongs to the first key', async t => {
  await using server = await setUp();
  const token = await server.token({session: 's1', mac});
  await enrol(server, token);
  await refused(t, enrol(server, token), 'TOKEN_REUSED');
  t.is((await server.sql`select 1 from events where type = 'enrolment.token_reused'`).length, 1);
});

test('of two keys with one token at once, one wins', async t => {
  await using server = await setUp();
  const token = await server.token({session: 's1', mac});
  const results = await Promise.allSettled([enrol(server, token), enrol(server, token)]);
  t.deepEqual(results.map(({status}) => status).sort(), ['fulfilled', 'rejected']);
});

test('a forged, expired or foreign token proves nothing', async t => {
  await using server = await setUp();
  await refused(
    t,
    enrol(server, await server.token({session: 's1', mac, lifetimeSeconds: -60})),
    'TOKEN_EXPIRED',
  );
  await refused(
    t,
    enrol(server, await server.token({session: 's1', mac, signer: createUser()})),
    'TOKEN_INVALID',
  );
  await refused(
    t,
    enrol(server, await server.token({session: 's1', mac, lifetimeSeconds: 86_400})),
    'TOKEN_INVALID',
  );
  await refused(t, enrol(server, 'x.y.z'), 'TOKEN_INVALID');
  t.is((await server.sql`select 1 from machines`).length, 0);
});

test('the next boot brings a new key, and the old one is revoked', async t => {
  await using server = await setUp();
  const old = newAgentKey();
  const first = await enrol(server, await server.token({session: 's1', mac}), {publicKey: old});
  const second = await enrol(server, await server.token({session: 's2', mac}));
  t.is(second.machineId, first.machineId);
  t.deepEqual([...(await server.sql`select public_key from revocations`)], [{publicKey: old}]);
  await refused(
    t,
    enrol(server, await server.token({session: 's3', mac}), {publicKey: old}),
    'KEY_REVOKED',
  );
});

test('a machine that says it is another gets no key of it', async t => {
  await using server = await setUp();
  const victim = await enrol(server, await server.token({session: 's1', mac}));
  const liar = '3c:ec:ef:00:00:66';
  const answer = await enrol(server, await server.token({session: 's2', mac: liar}));
  const again = await enrol(server, await server.token({session: 's3', mac: liar}));
  const back = await enrol(server, await server.token({session: 's4', mac}));

  t.not(answer.machineId, victim.machineId);
  t.is(again.machineId, answer.machineId);
  t.is(back.machineId, victim.machineId);
  t.like(await server.machines.get(victim.machineId), {state: 'enrolled', quarantineReason: ''});
  const doubted = await server.machines.get(answer.machineId);
  t.is(doubted.state, 'pending');
  t.regex(doubted.quarantineReason, /says that it is machine/);
});

test('a token that was fetched behind the address of another machine replaces no key', async t => {
  await using server = await setUp();
  const second = '3c:ec:ef:00:00:0c';
  const evidence = {...real, macAddresses: [mac, second]};
  const first = await enrol(server, await server.token({session: 's1', mac}), {evidence});
  const thief = {session: 's2', mac, neighbour: '3c:ec:ef:00:00:66'};
  await refused(t, enrol(server, await server.token(thief), {evidence}), 'TOKEN_INVALID');
  t.is((await server.machines.get(first.machineId)).quarantineReason, '');

  const ownNic = await server.token({session: 's3', mac, neighbour: second});
  t.is((await enrol(server, ownNic, {evidence})).machineId, first.machineId);
});

test('a new key needs a session that is not over, or the boot that made the last one', async t => {
  await using server = await setUp();
  const {machineId} = await enrol(server, await server.token({session: 's1', mac}), {bootId: 'b1'});
  const hello = {
    bootSession: 's1',
    bootId: 'b1',
    imageInputKey: '',
    agentVersion: '1',
    machineTime: undefined,
    heardTime: new Date(),
  };
  await server.sql.begin(tx => server.hellos.hear(tx, machineId, hello));
  await refused(
    t,
    enrol(server, await server.token({session: 's1', mac}), {bootId: 'b2'}),
    'KEY_REVOKED',
  );
  const restarted = await enrol(server, await server.token({session: 's1', mac}), {bootId: 'b1'});
  t.is(restarted.machineId, machineId);
  t.is((await server.machines.get(machineId)).quarantineReason, '');
});

test('two machines with one UUID are two machines', async t => {
  await using server = await setUp();
  const other = '3c:ec:ef:00:00:0b';
  const first = await enrol(server, await server.token({session: 's1', mac}));
  const second = await enrol(server, await server.token({session: 's2', mac: other}), {
    evidence: {uuid: real.uuid, systemSerial: 'XYZ9876', macAddresses: [other]},
  });
  t.not(second.machineId, first.machineId);
  t.is(second.state, 'enrolled');
});

test('junk in place of identity: the NIC that booted is enough', async t => {
  await using server = await setUp();
  const evidence = {
    uuid: '00000000-0000-0000-0000-000000000000',
    systemSerial: 'To be filled by O.E.M.',
    macAddresses: [],
  };
  const first = await enrol(server, await server.token({session: 's1', mac}), {evidence});
  const second = await enrol(server, await server.token({session: 's2', mac}), {evidence});
  t.is(second.machineId, first.machineId);
});

const policies = test.macro(
  async (t, policy: AcceptancePolicy, expected: boolean, state: MachineState | 'refused') => {
    await using server = await setUp({policy});
    if (expected)
      await server.machines.create('user:eve', {
        serviceTag: 'ABC1234',
        uuid: '',
        macAddresses: [],
        change: {},
      });
    const token = await server.token({session: 's1', mac});
    if (state === 'refused') await refused(t, enrol(server, token), 'REJECTED');
    else t.is((await enrol(server, token)).state, state);
  },
);
test('open takes strangers', policies, 'open', false, 'enrolled');
test('open takes expected machines', policies, 'open', true, 'enrolled');
test('approve lets strangers wait', policies, 'approve', false, 'pending');
test('approve lets expected machines wait', policies, 'approve', true, 'pending');
test('expected-only refuses strangers', policies, 'expected-only', false, 'refused');
test('expected-only takes expected machines', policies, 'expected-only', true, 'enrolled');

test('an expected machine that was seen by its boot request is still expected', async t => {
  await using server = await setUp({policy: 'expected-only'});
  await server.machines.create('user:eve', {
    serviceTag: 'ABC1234',
    uuid: '',
    macAddresses: [],
    change: {},
  });
  const seen = await server.sightings.ofScript({serviceTag: 'ABC1234', macAddress: mac, note: ''});
  t.is(seen.state, 'discovered');
  t.is((await enrol(server, await server.token({session: 's1', mac}))).state, 'enrolled');
});

test('a rejected machine stays out until an operator accepts it', async t => {
  await using server = await setUp();
  const {machineId} = await enrol(server, await server.token({session: 's1', mac}));
  await server.machines.reject('user:eve', machineId, 'not ours');
  await refused(t, enrol(server, await server.token({session: 's2', mac})), 'REJECTED');
  await server.machines.accept('user:eve', machineId);
  t.like(await enrol(server, await server.token({session: 's3', mac})), {
    machineId,
    state: 'enrolled',
  });
});

test('a machine that an image was built for ahead becomes READY as it enrols', async t => {
  await using server = await setUp({policy: 'approve'});
  const {machineId} = await enrol(server, await server.token({session: 's1', mac}));
  await server.sql.begin(tx =>
    server.transitions.imageReady(tx, {machineId, imageId: 'i1', actor: 'system'}),
  );
  t.is((await server.machines.accept('user:eve', machineId)).state, 'ready');
});

test('a flood of new machines ends at the limit', async t => {
  await using server = await setUp({newMachinesPerHourMax: 2});
  for (const n of [1, 2])
    await server.sightings.ofScript({serviceTag: `SER${n}77`, macAddress: '', note: ''});
  await t.throwsAsync(server.sightings.ofScript({serviceTag: 'SER377', macAddress: '', note: ''}), {
    message: /2 came within the last hour/,
  });
});

test('a limit that is far is kept as exactly as one that is near', async t => {
  await using server = await setUp({newMachinesPerHourMax: 8});
  const sight = (n: number) =>
    server.sightings.ofScript({serviceTag: `SER${n}77`, macAddress: '', note: ''});
  for (let n = 1; n <= 8; n++) await sight(n);
  await t.throwsAsync(sight(9), {message: /8 came within the last hour/});
});

test('a sighting alters nothing that was proven', async t => {
  await using server = await setUp();
  const {machineId} = await enrol(server, await server.token({session: 's1', mac}));
  const before = await server.machines.get(machineId);
  const seen = await server.sightings.ofScript({
    serviceTag: 'ABC1234',
    macAddress: mac,
    note: '{}',
  });
  t.is(seen.id, machineId);
  t.deepEqual(await server.machines.get(machineId), before);
});
