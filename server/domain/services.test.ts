import {randomUUID} from 'node:crypto';
import {createUser} from '@nats-io/nkeys';
import {uuidv7} from '@muster/runtime/ids.ts';
import test, {type ExecutionContext} from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {DomainError} from '../errors.ts';
import {masterKey} from '../secrets.ts';
import {loadNatsKeys} from './nats-keys.ts';
import {createNatsTrust} from './nats-trust.ts';
import {createServices, listLiveBuilders} from './services.ts';

const postgres = postgresOf(test);

const newKey = () => createUser().getPublicKey();
const debian = {name: 'debian', available: true, missing: ''};
const nix = {name: 'nix', available: false, missing: 'no nix command on this host'};

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const clock = {ms: Date.now()};
  const now = () => new Date(clock.ms);
  const keys = await loadNatsKeys({sql, now, key: masterKey(Buffer.alloc(32, 1))});
  const trust = createNatsTrust({sql, now, keys});
  const services = createServices({sql, now, newId: () => uuidv7(clock.ms), trust});
  const invite = async (name: string, kind: 'edge' | 'builder' = 'builder') =>
    (await services.createJoinCode('user:root', {kind, name})).code;
  const owned = stack.move();
  return {sql, clock, now, services, invite, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

async function kindOf(t: ExecutionContext, call: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(call, {instanceOf: DomainError});
  return error?.kind ?? '';
}

test('a code joins one key; again the same answer, another key is refused', async t => {
  await using app = await setUp();
  const code = await app.invite('b1');
  const publicKey = newKey();
  const first = await app.services.join({code, publicKey});
  t.like(first, {kind: 'builder', name: 'b1', publicKey});
  app.clock.ms += 3_600_000;
  t.deepEqual(await app.services.join({code, publicKey}), first);
  t.is(await kindOf(t, app.services.join({code, publicKey: newKey()})), 'permission_denied');
  t.is(await app.services.findServiceKey(first.id), publicKey);
});

test('of two keys that present a code at once, one joins', async t => {
  await using app = await setUp();
  const code = await app.invite('e1', 'edge');
  const both = await Promise.allSettled([
    app.services.join({code, publicKey: newKey()}),
    app.services.join({code, publicKey: newKey()}),
  ]);
  t.is(both.filter(({status}) => status === 'fulfilled').length, 1);
  t.is((await app.services.list({pageSize: 0, pageToken: ''})).services.length, 1);
});

test('an unknown code, an old one, and a name in use are refused', async t => {
  await using app = await setUp();
  t.is(
    await kindOf(t, app.services.join({code: 'muster_join_nothing', publicKey: newKey()})),
    'permission_denied',
  );
  const [late, two, three] = [
    await app.invite('b1'),
    await app.invite('b2'),
    await app.invite('b2'),
  ];
  await app.services.join({code: two, publicKey: newKey()});
  t.is(await kindOf(t, app.services.join({code: three, publicKey: newKey()})), 'already_exists');
  t.is(await kindOf(t, app.invite('b2')), 'already_exists');
  app.clock.ms += 15 * 60_000;
  t.is(
    await kindOf(t, app.services.join({code: late, publicKey: newKey()})),
    'failed_precondition',
  );
});

test('a revoked service is worth nothing, and its name is free again', async t => {
  await using app = await setUp();
  const publicKey = newKey();
  const code = await app.invite('b1');
  const {id} = await app.services.join({code, publicKey});
  t.truthy((await app.services.issueCredential(id)).jwt);
  await app.services.revoke('user:root', id);
  await app.services.revoke('user:root', id);

  t.is(await app.services.findServiceKey(id), undefined);
  t.is(await kindOf(t, app.services.issueCredential(id)), 'permission_denied');
  t.is(await kindOf(t, app.services.join({code, publicKey})), 'permission_denied');
  t.is(await kindOf(t, app.services.revoke('user:root', randomUUID())), 'not_found');
  t.like(await app.sql`select public_key from revocations`, {length: 1, 0: {publicKey}});
  t.truthy(await app.services.join({code: await app.invite('b1'), publicKey: newKey()}));
});

test('builders that reported within 30 seconds are live; only changes are events', async t => {
  await using app = await setUp();
  const {id} = await app.services.join({code: await app.invite('b1'), publicKey: newKey()});
  const report = () => app.services.report(id, {version: '1', backends: [debian, nix]});
  await report();
  await report();
  t.deepEqual(await listLiveBuilders(app.sql, app.now()), [
    {builder: 'b1', backends: [debian, nix]},
  ]);
  t.like(await app.sql`select type from events where type = 'service.updated'`, {length: 1});

  app.clock.ms += 30_000;
  t.deepEqual(await listLiveBuilders(app.sql, app.now()), []);
});

test('services are listed newest first in pages', async t => {
  await using app = await setUp();
  for (const name of ['b1', 'b2', 'b3']) {
    app.clock.ms += 10;
    await app.services.join({code: await app.invite(name), publicKey: newKey()});
  }
  const first = await app.services.list({pageSize: 2, pageToken: ''});
  t.deepEqual(
    first.services.map(({name}) => name),
    ['b3', 'b2'],
  );
  const second = await app.services.list({pageSize: 2, pageToken: first.nextPageToken});
  t.deepEqual([second.services.map(({name}) => name), second.nextPageToken], [['b1'], '']);
});
