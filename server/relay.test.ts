import {randomUUID} from 'node:crypto';
import {fromBinary} from '@bufbuild/protobuf';
import {DeliverPolicy, jetstream, jetstreamManager} from '@nats-io/jetstream';
import {EventSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {ensureStreams} from '@muster/runtime/bus.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {startNats, type TestNats} from '../test/helpers/nats.ts';
import {startPostgres, type TestPostgres} from '../test/helpers/postgres.ts';
import {findBrokenLink} from './domain/journal.ts';
import {type PublishEvent, startRelay} from './relay.ts';
import type {Database, Sql} from './store/db.ts';
import {appendEvent} from './store/events.ts';
import {listEntries} from './store/journal.ts';
import {listenFor} from './store/notifications.ts';
import {createWakeUps} from './wake-ups.ts';

let postgres: TestPostgres;
let nats: TestNats;
test.before(async () => {
  [postgres, nats] = await Promise.all([startPostgres(), startNats()]);
});
test.after.always(async () => {
  await postgres[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const id = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const write = (sql: Sql, eventId: string, data = {}) =>
  appendEvent(sql, {id: eventId, time: new Date(), type: 'test.happened', actor: 'system', data});
const nobody: PublishEvent = () => Promise.reject(new Error('The bus is away'));

/** Resolves with the ids in position order once that many have one. */
async function placed(sql: Database, count: number): Promise<readonly string[]> {
  const changes = createWakeUps();
  await using listening = await listenFor(sql, 'positions', changes.notify);
  void listening;
  for (;;) {
    const seen = changes.version;
    const entries = await listEntries(sql, {after: 0, limit: 10_000});
    if (entries.length >= count) return entries.map(entry => entry.id);
    await changes.after(seen, AbortSignal.timeout(20_000));
  }
}

test('a transaction that commits late gets a later position, whatever its ids', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  await using relay = await startRelay({sql, publish: nobody, log: silentLogger});
  void relay;

  const firstWrote = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const first = sql.begin(async tx => {
    await write(tx, id(1));
    firstWrote.resolve();
    await mayCommit.promise;
  });
  await firstWrote.promise;
  await sql.begin(tx => write(tx, id(2)));
  t.deepEqual(await placed(sql, 1), [id(2)]);

  mayCommit.resolve();
  await first;
  t.deepEqual(await placed(sql, 2), [id(2), id(1)]);
});

test('positions are gapless under many writers, two relays and rolled back transactions', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  await using one = await startRelay({sql, publish: nobody, log: silentLogger});
  await using two = await startRelay({sql, publish: nobody, log: silentLogger});
  void [one, two];

  const writes = Array.from({length: 200}, (_, index) =>
    sql.begin(async tx => {
      await write(tx, randomUUID(), {index, text: 'é"\\', nested: {b: 1.5, a: [null]}});
      if (index % 4 === 0) throw new Error('rolled back');
    }),
  );
  await Promise.allSettled(writes);
  t.is((await placed(sql, 150)).length, 150);

  const entries = await listEntries(sql, {after: 0, limit: 1000});
  t.deepEqual(
    entries.map(entry => entry.position),
    Array.from({length: 150}, (_, index) => index + 1),
  );
  t.is(await findBrokenLink(sql), undefined);
});

test('the chain tells which entry was changed or removed', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  await using relay = await startRelay({sql, publish: nobody, log: silentLogger});
  void relay;
  for (let number = 1; number <= 5; number += 1) await write(sql, id(number));
  await placed(sql, 5);

  await sql`update events set actor = 'user:mallory' where position = 3`;
  t.is(await findBrokenLink(sql), 3);
  await sql`update events set actor = 'system' where position = 3`;
  await sql`delete from events where position = 2`;
  t.is(await findBrokenLink(sql), 2);
});

test('while the bus is away nothing is tried, and once it is there everything goes', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  const published: string[] = [];
  const second = Promise.withResolvers<void>();
  let isThere = false;
  await using relay = await startRelay({
    sql,
    isConnected: () => isThere,
    log: silentLogger,
    async publish(_subject, _payload, messageId) {
      published.push(messageId);
      if (published.length === 2) second.resolve();
    },
  });
  await write(sql, id(1));
  await write(sql, id(2));
  await placed(sql, 2);
  t.deepEqual(published, []);
  isThere = true;
  relay.connected();
  await second.promise;
  t.deepEqual(published, [id(1), id(2)]);
});

test.serial('a relay that dies between publishing and marking causes no duplicates', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  await using stack = new AsyncDisposableStack();
  const connection = stack.adopt(await nats.connectServer(), nats => nats.close());
  await ensureStreams(await jetstreamManager(connection));
  const js = jetstream(connection);
  const duplicates: boolean[] = [];
  const publish: PublishEvent = async (subject, payload, msgID) => {
    duplicates.push((await js.publish(subject, payload, {msgID})).duplicate);
  };

  // The first relay stands still after its third message is stored, and loses its connection and the lock: it can mark none.
  const storedThree = Promise.withResolvers<void>();
  const death = Promise.withResolvers<never>();
  let count = 0;
  await using first = await startRelay({
    sql,
    log: silentLogger,
    publish: async (...message) => {
      await publish(...message);
      count += 1;
      if (count < 3) return;
      storedThree.resolve();
      await death.promise;
    },
  });
  void first;
  await sql.begin(async tx => {
    for (let number = 1; number <= 6; number += 1) await write(tx, id(number));
  });
  await storedThree.promise;
  await sql`
    select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())
  `;
  const [marked] = await sql<{count: number}[]>`
    select count(*)::int as count from events where published
  `;
  t.is(marked?.count, 0);

  await using second = await startRelay({sql, publish, log: silentLogger});
  void second;
  const consumer = await js.consumers.get('EVENTS', {deliver_policy: DeliverPolicy.All});
  const seen: number[] = [];
  for await (const message of await consumer.consume()) {
    const event = fromBinary(EventSchema, message.data);
    t.is(message.subject, 'muster.events.test.happened');
    seen.push(Number(event.position));
    if (event.position === 6n) break;
  }
  t.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
  t.is(duplicates.filter(Boolean).length, 3);
  death.reject(new Error('The relay is dead'));
});

test('goes on with positions and messages after PostgreSQL was killed', async t => {
  await using own = await startPostgres();
  const published: string[] = [];
  const third = Promise.withResolvers<void>();
  await using relay = await startRelay({
    sql: own.sql,
    log: silentLogger,
    publish: async (_subject, _payload, messageId) => {
      if (!published.includes(messageId)) published.push(messageId);
      if (published.length === 3) third.resolve();
    },
  });
  void relay;
  await write(own.sql, id(1));
  await write(own.sql, id(2));
  await placed(own.sql, 2);

  await own.stop('SIGKILL');
  await own.start();
  await write(own.sql, id(3));
  await third.promise;
  t.deepEqual(published, [id(1), id(2), id(3)]);
  t.is(await findBrokenLink(own.sql), undefined);
});
