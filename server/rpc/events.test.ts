import {randomUUID} from 'node:crypto';
import {createClient} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {createEventFeed} from '../domain/event-feed.ts';
import {createEvents} from '../domain/events.ts';
import {startRelay} from '../relay.ts';
import {appendEvent} from '../store/events.ts';
import {listenFor} from '../store/notifications.ts';
import {createWakeUps} from '../wake-ups.ts';
import {eventService} from './events.ts';
import {serveInMemory} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp({eventsMax}: {readonly eventsMax?: number} = {}) {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const positions = createWakeUps();
  stack.use(await listenFor(sql, 'positions', positions.notify));
  const publish = () => Promise.resolve();
  stack.use(await startRelay({sql, publish, log: silentLogger}));
  const feed = createEventFeed({sql, positions, ...(eventsMax === undefined ? {} : {eventsMax})});
  const transport = serveInMemory(({service}) => {
    service(
      EventService,
      eventService(createEvents({sql, now: () => new Date(), positions, feed})),
    );
  });
  const owned = stack.move();
  return {
    sql,
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
  let begins: bigint | undefined;
  for await (const {event, position} of app.client.watchEvents({})) {
    // Where it stands comes first, so that a break before the first event loses nothing.
    if (begins === undefined) {
      begins = position;
      t.is(event, undefined);
      continue;
    }
    t.is(event?.type, 'machine.active');
    t.is(position, begins + 1n);
    break;
  }
  clearInterval(writing);
});

test('filters by types and by an expression, in the past and live', async t => {
  await using app = await setUp();
  await app.write('machine.ready', {number: 1});
  await app.write('machine.failed', {reason: 'timeout of the bus', number: 2});
  await app.write('build.failed', {reason: 'Timeout', number: 3, tags: ['a', 'b']});

  const seen: unknown[] = [];
  const request = {after: 0n, types: ['machine.failed', 'build.'], filter: 'data.reason:timeout'};
  for await (const {event} of app.client.watchEvents(request)) {
    seen.push(event?.data?.number);
    if (seen.length === 2) {
      await app.write('build.failed', {reason: 'disk full', number: 4});
      await app.write('build.failed', {reason: 'timeout', number: 5});
    }
    if (seen.length === 3) break;
  }
  t.deepEqual(seen, [2, 3, 5]);

  const wrong = app.client.watchEvents({filter: 'colour = red'})[Symbol.asyncIterator]();
  const error = await t.throwsAsync(() => wrong.next());
  t.regex(error.message, /events have no field "colour".*character 1/);
});

test('a reader that falls behind the limit is told what it missed, and others miss nothing', async t => {
  await using app = await setUp({eventsMax: 50});
  const slow = app.client.watchEvents({after: 0n})[Symbol.asyncIterator]();
  await app.write('machine.ready');
  t.is((await slow.next()).value?.event?.position, 1n);
  // Both are live now: the past is over.
  const fast = app.client.watchEvents({after: 1n})[Symbol.asyncIterator]();
  for (let number = 2; number <= 200; number += 1) {
    await app.write('machine.ready');
    t.is((await fast.next()).value?.event?.position, BigInt(number));
  }

  const seen: {readonly event?: {readonly position: bigint}; readonly position: bigint}[] = [];
  let missed: {readonly from: bigint; readonly to: bigint} | undefined;
  while (!missed) {
    const {value} = await slow.next();
    if (value) seen.push(value);
    missed = value?.missed;
  }
  // Some were on their way already; from there to the end they are missed, without a hole.
  t.is(missed.from, BigInt(seen.length + 1));
  t.is(missed.to, 200n);
  t.is(seen.at(-1)?.position, 200n);
  await app.write('machine.active');
  t.is((await slow.next()).value?.event?.position, 201n);
  await Promise.all([slow.return?.(), fast.return?.()]);
});

test('a position older than the journal is answered with what is gone', async t => {
  await using app = await setUp();
  for (let number = 1; number <= 10; number += 1) await app.write('machine.ready');
  const all = app.client.watchEvents({after: 0n})[Symbol.asyncIterator]();
  for (let number = 1; number <= 10; number += 1) await all.next();
  await all.return?.();
  await app.sql`delete from events where position < 6`;

  const watching = app.client.watchEvents({after: 2n})[Symbol.asyncIterator]();
  const first = (await watching.next()).value;
  t.deepEqual([first?.missed?.from, first?.missed?.to, first?.position], [3n, 5n, 5n]);
  t.is((await watching.next()).value?.event?.position, 6n);
  await watching.return?.();

  const error = await t.throwsAsync(app.client.listEvents({after: 2n}));
  t.regex(error.message, /the journal begins at 6 now; .* go on after 5/);
  t.is((await app.client.listEvents({after: 5n})).events.length, 5);
  t.is((await app.client.listEvents({})).events.length, 5);
});

test('viewers that come and go, fast and slow, each get everything once and in order', async t => {
  await using app = await setUp();
  const total = 600;
  const view = async (after: bigint) => {
    const seen: bigint[] = [];
    for await (const {position} of app.client.watchEvents({after})) {
      seen.push(position);
      if (position === BigInt(total)) break;
    }
    return seen;
  };
  const views: Promise<readonly bigint[]>[] = [];
  for (let number = 0; number < total; number += 1) {
    if (number % 60 === 0) views.push(view(BigInt(Math.floor(number / 2))));
    await app.write('machine.ready', {number});
  }
  for (const [index, seen] of (await Promise.all(views)).entries()) {
    const first = Math.floor((index * 60) / 2) + 1;
    t.deepEqual(
      seen,
      Array.from({length: total - first + 1}, (_, step) => BigInt(first + step)),
    );
  }
});
