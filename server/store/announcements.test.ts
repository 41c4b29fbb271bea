import {once} from 'node:events';
import test from 'ava';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {announce} from './announcements.ts';
import {listenFor} from './notifications.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

const signal = () => AbortSignal.timeout(20_000);

/** A database, and what is heard on the channel from the first of it on. */
async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  await sql`create table changes (id int primary key)`;
  const heard: number[] = [];
  const ear = new EventTarget();
  let isListening = false;
  const look = async () => {
    heard.push((await sql`select from changes`).length);
    ear.dispatchEvent(new Event('heard'));
  };
  const listening = await listenFor(sql, 'changes', () => {
    if (isListening) void look();
  });
  isListening = true;
  return {
    sql,
    heard,
    async hears(isEnough: () => boolean) {
      while (!isEnough()) await once(ear, 'heard', {signal: signal()});
    },
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

test('a transaction is announced when others can see it', async t => {
  await using app = await setUp();
  await app.sql.begin(async tx => {
    await tx`insert into changes values (1)`;
    await announce(tx, 'changes');
    await tx`select pg_sleep(0.05)`;
    t.deepEqual(app.heard, []);
  });
  await app.hears(() => app.heard.length === 1);
  t.deepEqual(app.heard, [1]);
});

test('the last of many at once is announced, and not each by itself', async t => {
  await using app = await setUp();
  const ids = Array.from({length: 200}, (_, id) => id);
  await Promise.all(
    ids.map(id =>
      app.sql.begin(async tx => {
        await tx`insert into changes values (${id})`;
        await tx.savepoint(point => announce(point, 'changes'));
      }),
    ),
  );
  await app.hears(() => app.heard.at(-1) === ids.length);
  t.true(app.heard.length < ids.length, String(app.heard.length));
});

test('outside of a transaction, and in what runs on after one, it is told at once', async t => {
  await using app = await setUp();
  await announce(app.sql, 'changes');
  await app.hears(() => app.heard.length === 1);
  let later: (() => Promise<void>) | undefined;
  const go = Promise.withResolvers<void>();
  await app.sql.begin(async () => {
    later = async () => {
      await go.promise;
      await announce(app.sql, 'changes');
    };
    void later();
  });
  go.resolve();
  await app.hears(() => app.heard.length === 2);
  t.is(app.heard.length, 2);
});

test('a listener that is told of what was taken back sees nothing of it, and a lost connection ends nobody', async t => {
  await using app = await setUp();
  await t.throwsAsync(
    app.sql.begin(async tx => {
      await tx`insert into changes values (1)`;
      await announce(tx, 'changes');
      await tx`select pg_terminate_backend(pg_backend_pid())`;
    }),
  );
  await app.hears(() => app.heard.length === 1);
  t.deepEqual(app.heard, [0]);
  await app.sql.begin(tx => announce(tx, 'changes'));
  await app.hears(() => app.heard.length === 2);
});
