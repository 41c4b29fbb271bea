import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {migrate} from './migrate.ts';

test('migrates once, also when several servers start together', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const [applied] = await sql<{count: number}[]>`select count(*)::int as count from migrations`;
  t.true((applied?.count ?? 0) > 0);
  t.deepEqual(await Promise.all([migrate(sql), migrate(sql), migrate(sql)]), [[], [], []]);
});

test('refuses a database whose applied migration was changed', async t => {
  await using postgres = await startPostgres();
  await postgres.sql`update migrations set sha256 = 'other' where name = '0001_journal.sql'`;
  await t.throwsAsync(migrate(postgres.sql), {message: /"0001_journal.sql" was changed/});
});
