import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import anyTest, {type TestFn} from 'ava';
import {createUser} from '@nats-io/nkeys';
import {SignJWT} from 'jose';
import {loadIdentity} from '@muster/ipxe/identity.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {privateKeyOf, signToken} from '@muster/runtime/tokens.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {
  callAgentService,
  connectAgent,
  createNonce,
  createStranger,
  enrolStranger,
  logInAgent,
  reasonOf,
} from '../helpers/stranger.ts';

const test = anyTest as TestFn<{muster: Muster}>;
test.before(async t => {
  const muster = await startMuster();
  t.context = {muster};
  const builder = await startContractBuilder(muster, 'b1');
  muster.defer(async () => builder[Symbol.asyncDispose]());
  await until('a registration image', async () =>
    (await fetchText(`${muster.edgeUrl}/boot.ipxe?mac=52-54-00-00-00-01`)).includes('token.cpio'),
  );
});
test.after.always(t => t.context.muster[Symbol.asyncDispose]());

const fetchText = async (url: string) => (await fetch(url)).text();

const getMachine = async (muster: Muster, id: string) =>
  (await muster.client(MachineService).getMachine({id})).machine;

const listMachineIds = async (muster: Muster) =>
  (await muster.client(MachineService).listMachines({pageSize: 100})).machines.map(({id}) => id);

async function eventsOf(muster: Muster, type: string) {
  const {events} = await muster.client(EventService).listEvents({after: 0n, pageSize: 1000});
  return events.filter(event => event.type === type);
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    readonly iss: string;
    readonly sid: string;
    readonly mac: string;
  } & Record<string, unknown>;

const newKey = () => privateKeyOf(new TextDecoder().decode(createUser().getSeed()));

test.serial('a boot token that no edge of this site has just signed lets nobody in', async t => {
  const {muster} = t.context;
  const machine = createStranger(muster, {mac: '52:54:00:00:01:01', serial: 'TOKEN-1'});
  const {token} = await machine.fetchBootJson();
  const {iss, aud: _aud, iat: _iat, exp: _exp, ...claims} = claimsOf(token);
  const edgeKey = (await loadIdentity(join(muster.folder, 'edge'))).key;
  const make = (part: Partial<Parameters<typeof signToken>[0]>) =>
    signToken({key: edgeKey, issuer: iss, purpose: 'boot', lifetimeSeconds: 900, claims, ...part});
  const builder = createUser();
  const services = muster.client(ServiceService);
  const {code} = await services.createJoinCode({kind: Service_Kind.BUILDER, name: 'rogue'});
  const {service} = await services.joinService({code, publicKey: builder.getPublicKey()});
  const builderKey = privateKeyOf(new TextDecoder().decode(builder.getSeed()));
  const [head = '', body = '', signature = ''] = token.split('.');
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  const before = await listMachineIds(muster);

  const bad: readonly (readonly [string, string, string | undefined])[] = [
    ['an own key', await make({key: newKey()}), 'REASON_TOKEN_INVALID'],
    ['an unknown edge', await make({key: newKey(), issuer: randomUUID()}), 'REASON_TOKEN_INVALID'],
    [
      'a builder as itself',
      await make({key: builderKey, issuer: service?.id ?? ''}),
      'REASON_TOKEN_INVALID',
    ],
    ['a builder as the edge', await make({key: builderKey}), 'REASON_TOKEN_INVALID'],
    ['a service token', await make({purpose: 'service'}), 'REASON_TOKEN_INVALID'],
    ['a token for a day', await make({lifetimeSeconds: 86_400}), 'REASON_TOKEN_INVALID'],
    [
      'a token without an id',
      await make({claims: {sid: claims.sid, mac: claims.mac}}),
      'REASON_TOKEN_INVALID',
    ],
    ['an expired token', await make({lifetimeSeconds: -60}), 'REASON_TOKEN_EXPIRED'],
    [
      'other claims',
      `${head}.${Buffer.from('{}').toString('base64url')}.${signature}`,
      'REASON_TOKEN_INVALID',
    ],
    ['no algorithm', `${unsigned}.${body}.`, 'REASON_TOKEN_INVALID'],
    ['no token', 'junk', 'REASON_TOKEN_INVALID'],
    ['an empty token', '', undefined],
    ['a long token', 'x'.repeat(5000), undefined],
  ];
  for (const [what, forged, reason] of bad) {
    const answer = await machine.enrol(forged);
    t.is(answer.status, reason ? 401 : 400, what);
    t.is(reasonOf(answer), reason, what);
    t.false('natsJwt' in answer.body, what);
  }
  t.deepEqual(await listMachineIds(muster), before);
  t.is((await machine.enrol(token)).status, 200);
});

test.serial('a service that names another in its token is nobody', async t => {
  const {muster} = t.context;
  const services = muster.client(ServiceService);
  const builder = createUser();
  const {code} = await services.createJoinCode({kind: Service_Kind.BUILDER, name: 'impostor'});
  const {service} = await services.joinService({code, publicKey: builder.getPublicKey()});
  const {services: all} = await services.listServices({});
  const edge = all.find(({kind}) => kind === Service_Kind.EDGE);
  const resolveAs = async (issuer = '') => {
    const token = await new SignJWT()
      .setProtectedHeader({alg: 'EdDSA', kid: service?.id ?? ''})
      .setAudience('muster-service')
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(privateKeyOf(new TextDecoder().decode(builder.getSeed())));
    const response = await fetch(`${muster.serverUrl}/muster.v1.BootService/ResolveBoot`, {
      method: 'POST',
      headers: {'content-type': 'application/json', authorization: `Bearer ${token}`},
      body: JSON.stringify({client: {macAddresses: ['52:54:00:00:0f:01']}}),
    });
    return response.status;
  };
  t.is(await resolveAs(service?.id), 403);
  t.is(await resolveAs(edge?.id), 401);
});

test.serial('a boot token belongs to the first key that presents it', async t => {
  const {muster} = t.context;
  const mac = '52:54:00:00:02:01';
  const first = createStranger(muster, {mac, serial: 'REUSE-1'});
  const thief = createStranger(muster, {mac, serial: 'REUSE-1'});
  const {token} = await first.fetchBootJson();
  const [one, two] = await Promise.all([first.enrol(token), first.enrol(token)]);
  t.is(one.status, 200);
  t.is(two.body.machineId, one.body.machineId);

  const stolen = await thief.enrol(token);
  t.is(stolen.status, 401);
  t.is(reasonOf(stolen), 'REASON_TOKEN_REUSED');
  const event = await until('the event', async () =>
    (await eventsOf(muster, 'enrolment.token_reused')).at(-1),
  );
  t.is(event?.machineId, String(one.body.machineId));
  const again = await first.enrol(token);
  t.is(again.status, 200);
  t.is(again.body.machineId, one.body.machineId);
  t.is((await getMachine(muster, String(one.body.machineId)))?.quarantineReason, '');
});

test.serial('whoever claims to be a machine, from another NIC, becomes a doubtful one', async t => {
  const {muster} = t.context;
  const victim = createStranger(muster, {mac: '52:54:00:00:03:0b', serial: 'VICTIM-1'});
  const {machineId} = await enrolStranger(victim);
  const before = await getMachine(muster, machineId);
  const script = await until('its answer', async () => {
    const text = await fetchText(`${muster.edgeUrl}/nixos/machines/VICTIM-1.ipxe`);
    return text.includes('token.cpio') && text;
  });

  const impostor = createStranger(muster, {mac: '52:54:00:00:03:0a', serial: 'IMPOSTOR'});
  const claimed = {...victim.evidence, macAddresses: [victim.mac, impostor.mac]};
  const {token} = await impostor.fetchBootJson();
  const answer = await impostor.enrol(token, {evidence: claimed});
  t.is(answer.status, 200);
  t.not(answer.body.machineId, machineId);
  const doubtful = await getMachine(muster, String(answer.body.machineId));
  t.is(doubtful?.state, Machine_State.PENDING);
  t.regex(doubtful?.quarantineReason ?? '', /booted from a NIC that is not that machine's/);

  const after = await getMachine(muster, machineId);
  t.is(after?.quarantineReason, '');
  t.deepEqual(after?.macAddresses, before?.macAddresses);
  t.deepEqual(after?.updateTime, before?.updateTime);
  t.is((await victim.renew(machineId)).status, 200);
  t.is(await fetchText(`${muster.edgeUrl}/nixos/machines/VICTIM-1.ipxe`), script);
  t.is((await impostor.renew(machineId)).status, 401);
});

test.serial('a machine that lists the MAC of another takes nothing from it', async t => {
  const {muster} = t.context;
  // Known by its NIC alone: its firmware says nothing of use.
  const plain = {uuid: '00000000-0000-0000-0000-000000000000', serial: 'To be filled by O.E.M.'};
  const victim = createStranger(muster, {mac: '52:54:00:00:04:0b', ...plain});
  const {machineId} = await enrolStranger(victim);
  const own = `${muster.edgeUrl}/nixos/machines/52-54-00-00-04-0b.ipxe`;
  await until('the answer of the edge', async () => (await fetchText(own)).includes('token.cpio'));

  const squatter = createStranger(muster, {mac: '52:54:00:00:04:0a', serial: 'SQUATTER'});
  const {token} = await squatter.fetchBootJson();
  const evidence = {...squatter.evidence, macAddresses: [squatter.mac, victim.mac]};
  const answer = await squatter.enrol(token, {evidence});
  t.is(answer.status, 200);
  t.not(answer.body.machineId, machineId);
  t.deepEqual((await getMachine(muster, String(answer.body.machineId)))?.macAddresses, [
    squatter.mac,
  ]);

  const other = `${muster.edgeUrl}/nixos/machines/SQUATTER.ipxe`;
  await until('its own answer', async () => (await fetchText(other)).includes('token.cpio'));
  t.regex(await fetchText(own), /token\.cpio/);

  const rebooted = createStranger(muster, {mac: victim.mac, ...plain});
  t.is((await enrolStranger(rebooted)).machineId, machineId);
  t.is((await getMachine(muster, machineId))?.quarantineReason, '');
});

test.serial(
  'a key that was replaced and is heard again puts its machine into quarantine',
  async t => {
    const {muster} = t.context;
    const identity = {mac: '52:54:00:00:05:01', uuid: randomUUID(), serial: 'TWICE-1'};
    const old = createStranger(muster, identity);
    const enrolled = await enrolStranger(old);
    const nats = await connectAgent(old, enrolled);
    t.teardown(() => nats.close());

    const boot = randomUUID();
    const next = createStranger(muster, identity);
    const {token} = await next.fetchBootJson({session: boot});
    t.is((await next.enrol(token)).body.machineId, enrolled.machineId);
    // Its connection is cut at once, its login is worth nothing, and it cannot renew.
    await nats.closed();
    await t.throwsAsync(logInAgent(old, enrolled), {message: /authorization/i});
    const renewal = await old.renew(enrolled.machineId);
    t.is(renewal.status, 401);
    t.is(reasonOf(renewal), 'REASON_KEY_REVOKED');
    t.regex(
      (await getMachine(muster, enrolled.machineId))?.quarantineReason ?? '',
      /replaced is still in use/,
    );
    await until('the event', async () =>
      (await eventsOf(muster, 'machine.quarantined')).some(
        event => event.machineId === enrolled.machineId,
      ),
    );
    t.is(reasonOf(await old.enrol(enrolled.boot.token)), 'REASON_KEY_REVOKED');
  },
);

test.serial('a renewal needs this machine, this key, and a fresh nonce', async t => {
  const {muster} = t.context;
  const a = createStranger(muster, {mac: '52:54:00:00:06:0a', serial: 'RENEW-A'});
  const b = createStranger(muster, {mac: '52:54:00:00:06:0b', serial: 'RENEW-B'});
  const {machineId} = await enrolStranger(a);
  const other = await enrolStranger(b);
  const refusals: readonly (readonly [string, Awaited<ReturnType<typeof a.renew>>])[] = [
    ['the signature of another', await a.renew(machineId, {signedBy: b.privateKey})],
    ['a key of another', await b.renew(machineId)],
    ['a key of another, named', await a.renew(machineId, {publicKey: b.publicKey})],
    ['a key nobody knows', await a.renew(machineId, {publicKey: createUser().getPublicKey()})],
    [
      'a nonce of another',
      await a.renew(machineId, {nonce: await createNonce(muster, other.machineId)}),
    ],
    [
      'a made-up nonce',
      await a.renew(machineId, {nonce: Buffer.alloc(54, 7).toString('base64url')}),
    ],
    ['no nonce', await a.renew(machineId, {nonce: 'x'})],
    ['a machine nobody knows', await a.renew(randomUUID())],
  ];
  for (const [what, answer] of refusals) {
    t.is(answer.status, 401, what);
    t.false('natsJwt' in answer.body, what);
  }
  const malformed = await callAgentService(muster, 'RenewAgent', {
    machineId: '../..',
    publicKey: 'U',
    nonce: '',
    signature: '',
  });
  t.is(malformed.status, 400);
  for (const id of [machineId, other.machineId])
    t.is((await getMachine(muster, id))?.quarantineReason, '');
  t.is((await a.renew(machineId)).status, 200);

  await muster.client(MachineService).rejectMachine({id: machineId, reason: 'a test'});
  const rejected = await a.renew(machineId);
  t.true([401, 403].includes(rejected.status));
  t.false('natsJwt' in rejected.body);
});
