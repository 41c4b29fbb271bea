import {createUser, type KeyPair} from '@nats-io/nkeys';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {evidenceWith, wireMachines} from '../../test/helpers/server-machines.ts';

const postgres = postgresOf(test);

const mac = '3c:ec:ef:00:00:0a';

async function setUp() {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql);
  return {
    ...server,
    async enrol(session: string, key: KeyPair) {
      const bootToken = await server.token({session, mac});
      const request = {
        bootToken,
        publicKey: key.getPublicKey(),
        imageInputKey: '',
        bootId: session,
        agentVersion: '1',
      };
      const {machineId} = await server.enrolment.enrol({
        ...request,
        evidence: evidenceWith({macAddresses: [mac]}),
      });
      return machineId;
    },
    async renew(machineId: string, key: KeyPair, signer = key) {
      const nonce = await server.renewal.createNonce(machineId);
      const signature = signer.sign(Buffer.from(`muster-renew-v1\n${machineId}\n${nonce}`));
      return server.renewal.renew({machineId, publicKey: key.getPublicKey(), nonce, signature});
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('the current key gets a new login, long after the old one expired', async t => {
  await using app = await setUp();
  const key = createUser();
  const machineId = await app.enrol('s1', key);
  app.clock.now = new Date(app.clock.now.getTime() + 30 * 86_400_000);
  t.like(await app.renew(machineId, key), {expiresInSeconds: 3600});
});

test('a signature by another key proves nothing and doubts nobody', async t => {
  await using app = await setUp();
  const [old, current] = [createUser(), createUser()];
  const machineId = await app.enrol('s1', old);
  await app.enrol('s2', current);
  await t.throwsAsync(app.renew(machineId, current, createUser()), {message: /signature/});
  await t.throwsAsync(app.renew(machineId, old, createUser()), {message: /signature/});
  t.is((await app.machines.get(machineId)).quarantineReason, '');
});

test('a replaced key that is still in use quarantines its machine', async t => {
  await using app = await setUp();
  const [old, current] = [createUser(), createUser()];
  const machineId = await app.enrol('s1', old);
  await app.enrol('s2', current);
  await t.throwsAsync(app.renew(machineId, old), {message: /this key was replaced/});
  t.regex((await app.machines.get(machineId)).quarantineReason, /still in use/);
  // The machine itself stays connected: locate, re-inventory, reboot.
  t.like(await app.renew(machineId, current), {expiresInSeconds: 3600});
});

test('a nonce is for one machine and one minute', async t => {
  await using app = await setUp();
  const key = createUser();
  const machineId = await app.enrol('s1', key);
  const nonce = await app.renewal.createNonce(machineId);
  const signature = key.sign(Buffer.from(`muster-renew-v1\n${machineId}\n${nonce}`));
  app.clock.now = new Date(app.clock.now.getTime() + 61_000);
  const late = app.renewal.renew({machineId, publicKey: key.getPublicKey(), nonce, signature});
  await t.throwsAsync(late, {message: /nonce/});
});

test('a rejected machine renews nothing', async t => {
  await using app = await setUp();
  const key = createUser();
  const machineId = await app.enrol('s1', key);
  await app.machines.reject('user:eve', machineId, '');
  await t.throwsAsync(app.renew(machineId, key), {message: /this key was revoked/});
});
