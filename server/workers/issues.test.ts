import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {openIssueLab} from '../../test/helpers/issues.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {startRelay} from '../relay.ts';
import type {Database} from '../store/db.ts';
import {listenFor} from '../store/notifications.ts';
import {createWakeUps} from '../wake-ups.ts';
import {startIssueWorker} from './issues.ts';

const postgres = postgresOf(test);

/** A server's worker over this database, with the relay that gives events their positions. */
async function startWorker(sql: Database) {
  await using stack = new AsyncDisposableStack();
  const lab = await openIssueLab(sql);
  const positions = createWakeUps();
  stack.use(await listenFor(sql, 'positions', positions.notify));
  stack.use(await startRelay({sql, publish: async () => undefined, log}));
  const {evaluation, issueMutes: mutes} = lab;
  stack.use(startIssueWorker({sql, evaluation, mutes, positions, log}));
  const owned = stack.move();
  return {...lab, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** Resolves when the journal has so many events of this type. */
async function journalHas(sql: Database, type: string, count: number): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>();
  const look = () =>
    void sql`select from events where type = ${type}`.then(
      rows => rows.length >= count && resolve(),
    );
  await using _listening = await listenFor(sql, 'events', look);
  look();
  await promise;
}

const twoDays = "interval '2 days'";

test('the sweep finds what came with time alone, on more machines than a page has', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  const ids = await Promise.all(Array.from({length: 620}, () => createTestMachine(sql, 'pending')));
  await sql`update machines set state_time = now() - ${sql.unsafe(twoDays)}`;
  await using _worker = await startWorker(sql);
  await journalHas(sql, 'issue.raised', ids.length);
  const rows = await sql`select distinct machine_id from issues where kind = 'stuck'`;
  t.is(rows.length, ids.length);
});

test('a machine that the journal tells of is looked at at once, by one server of two', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  const machineId = await createTestMachine(sql, 'enrolled');
  const stuckId = await createTestMachine(sql, 'pending');
  await sql`update machines set state_time = now() - ${sql.unsafe(twoDays)} where id = ${stuckId}`;
  await using one = await startWorker(sql);
  await using _two = await startWorker(sql);
  // Both machines are on one page: with this issue the first sweep has been at the other one, too.
  await journalHas(sql, 'issue.raised', 1);
  const startMs = performance.now();
  await sql.begin(async tx => {
    await tx`update machines set quarantine_reason = 'a tie' where id = ${machineId}`;
    const move = {machineId, to: 'failed', actor: 'system', reason: 'It would not build'} as const;
    await one.transitions.transition(tx, move);
  });
  await journalHas(sql, 'issue.raised', 2);
  t.true(performance.now() - startMs < 15_000, 'not only with the next sweep');
  t.deepEqual(await one.open(machineId), ['duplicate_identity critical']);
  t.deepEqual(await one.told(machineId), ['issue.raised duplicate_identity']);
});
