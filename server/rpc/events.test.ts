import {randomUUID} from 'node:crypto';
import {createClient, createRouterTransport} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {createEvents} from '../domain/events.ts';
import {startRelay} from '../relay.ts';
import {appendEvent} from '../store/events.ts';
import {listenFor} from '../store/notifications.ts';
import {createWakeUps} from '../wake-ups.ts';
import {eventService} from './events.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const positions = createWakeUps();
  stack.use(await listenFor(sql, 'positions', positions.notify));
  const publish = () => Promise.resolve();
  stack.use(await startRelay({sql, publish, log: silentLogger}));
  const transport = createRouterTransport(({service}) => {
    service(EventService, eventService(createEvents({sql, positions})));
  });
  const owned = stack.move();
  return {
    client: createClient(EventService, transport),
    write: (type: string, data: Record<string, unknown> = {}, machineId?: string) =>
      appendEvent(sql, {
        id: randomUUID(),
        time: new Date('2026-01-01T00:00:00Z'),
        type,
        actor: 'user:alice',
        subject: 'machines/1',
        machineId,
        data,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a watcher gets the past from its position and then what happens', async t => {
  await using app = await setUp();
  for (let number = 1; number <= 450; number += 1) await app.write('machine.ready', {number});

  const stop = new AbortController();
  const seen: unknown[] = [];
  const watching = app.client.watchEvents({after: 10n}, {signal: stop.signal});
  for await (const {event} of watching) {
    seen.push(event?.data?.number);
    if (seen.length === 440) await app.write('machine.active', {number: 451, snake_case: true});
    if (event?.type !== 'machine.active') continue;
    t.deepEqual(event.data, {number: 451, snake_case: true});
    t.like(event, {actor: 'user:alice', subject: 'machines/1', position: 451n});
    break;
  }
  t.deepEqual(
    seen,
    Array.from({length: 441}, (_, index) => index + 11),
  );
});

test('a reader that stands still holds no other back', async t => {
  await using app = await setUp();
  const slow = app.client.watchEvents({after: 0n})[Symbol.asyncIterator]();
  const fast = app.client.watchEvents({after: 0n})[Symbol.asyncIterator]();
  await app.write('machine.ready');
  t.is((await slow.next()).value?.event?.position, 1n);

  for (let number = 2; number <= 300; number += 1) await app.write('machine.ready');
  for (let number = 1; number <= 300; number += 1)
    t.is((await fast.next()).value?.event?.position, BigInt(number));
  for (let number = 2; number <= 300; number += 1)
    t.is((await slow.next()).value?.event?.position, BigInt(number));
  await Promise.all([slow.return?.(), fast.return?.()]);
});

test('filters by machine and by the beginning of the type', async t => {
  await using app = await setUp();
  const machineId = randomUUID();
  await app.write('machine.ready', {}, machineId);
  await app.write('build.succeeded', {}, machineId);
  await app.write('build.failed');

  const types: string[] = [];
  for await (const {event} of app.client.watchEvents({after: 0n, typePrefix: 'build.'})) {
    types.push(event?.type ?? '');
    if (types.length === 2) break;
  }
  t.deepEqual(types, ['build.succeeded', 'build.failed']);
  const {events} = await app.client.listEvents({machineId, pageSize: 10});
  t.deepEqual(
    events.map(event => event.type),
    ['machine.ready', 'build.succeeded'],
  );
  t.is((await app.client.listEvents({after: 2n ** 64n - 1n})).events.length, 0);
});

test('without a position a watcher gets only what is new', async t => {
  await using app = await setUp();
  await app.write('machine.ready');
  for await (const {event} of app.client.watchEvents({after: 0n})) {
    t.is(event?.position, 1n);
    break;
  }
  const writing = setInterval(() => void app.write('machine.active'), 20);
  t.teardown(() => clearInterval(writing));
  for await (const {event} of app.client.watchEvents({})) {
    t.is(event?.type, 'machine.active');
    break;
  }
  clearInterval(writing);
});
