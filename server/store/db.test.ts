import {setImmediate} from 'node:timers/promises';
import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';

const postgres = await startPostgres();
test.after.always(() => postgres[Symbol.asyncDispose]());

/** Until the pool has made its connections anew. */
async function answers(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch {
      await setImmediate();
    }
  }
}

for (const [what, pauseTurns] of [
  ['at once', 0],
  ['when the connection belongs to others already', 200],
] as const)
  test.serial(
    `a transaction that lost its connection writes nothing any more: ${what}`,
    async t => {
      await using database = await postgres.createDatabase();
      const {sql} = database;
      await sql`create table marks (name text)`;
      const lost = Promise.withResolvers<void>();
      const after: unknown[] = [];

      const transaction = sql.begin(async tx => {
        await tx`insert into marks values ('before')`;
        const [own] = await tx<{pid: number}[]>`select pg_backend_pid() as pid`;
        await sql`select pg_terminate_backend(${own?.pid ?? 0})`;
        await tx`select 1`.catch(() => undefined);
        for (let turn = 0; turn < pauseTurns; turn++) await sql`select 1`.catch(() => undefined);
        // Small ones wait for the next turn of the event loop, large ones are written at once.
        for (const name of ['after', 'x'.repeat(5000)])
          after.push(await tx`insert into marks values (${name})`.catch((error: unknown) => error));
        lost.resolve();
      });

      await t.throwsAsync(transaction);
      await lost.promise;
      t.true(after.every(result => result instanceof Error));
      await answers(() => sql`select 1`);
      t.deepEqual([...(await sql`select name from marks`)], []);
    },
  );

test.serial('PostgreSQL killed under many transactions fails them and nothing else', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  await sql`create table marks (name text)`;
  const work = (index: number) =>
    sql.begin(async tx => {
      for (let step = 0; step < 100; step++) {
        await tx`insert into marks values (${`${index}`})`;
        await setImmediate();
      }
    });
  const running = Array.from({length: 40}, (_, index) => work(index));
  await sql`select 1`;
  await postgres.stop('SIGKILL');
  const results = await Promise.allSettled(running);
  await postgres.start();
  await answers(() => sql`select 1`);

  const done = results.filter(({status}) => status === 'fulfilled').length;
  const [kept] = await sql<{count: number}[]>`select count(*)::int as count from marks`;
  // With fsync off a kill of the process alone loses nothing: what was acknowledged is there, whole.
  t.is((kept?.count ?? 0) % 100, 0);
  t.true((kept?.count ?? 0) >= done * 100);
});
