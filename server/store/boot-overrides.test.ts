import {randomUUID} from 'node:crypto';
import test from 'ava';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {clearOverride, noEntry} from './boot-overrides.ts';
import {findMachine, insertMachine, updateMachine} from './machines.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

const time = new Date('2026-05-06T07:08:09.123Z');

async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const id = randomUUID();
  const times = {stateTime: time, createTime: time, updateTime: time};
  await insertMachine(sql, {id, state: 'ready', ...times});
  return {
    sql,
    id,
    find: () => findMachine(sql, id),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('a server that knows no times of boot decisions sets and clears them', async t => {
  await using site = await setUp();
  const {sql, id, find} = site;
  await sql`update machines set override_action = 'local_disk', entry_action = 'registration' where id = ${id}`;
  const set = await find();
  t.like(set, {overrideAction: 'local_disk', overrideActor: '', entryAction: 'registration'});
  t.true(set?.overrideTime instanceof Date);
  t.true(set?.entryTime instanceof Date);

  // A hello uses it up; the other one stays as it is.
  await sql`update machines set override_action = null, override_image_id = null where id = ${id}`;
  t.like(await find(), {
    overrideAction: undefined,
    overrideTime: undefined,
    entryAction: 'registration',
    entryTime: set?.entryTime,
  });
  const decided = {overrideActor: 'user:olga', overrideTime: time};
  await updateMachine(sql, id, {...decided, overrideAction: 'local_disk'});
  await sql`update machines set override_action = null where id = ${id}`;
  t.like(await find(), {overrideActor: '', overrideTime: undefined});
});

test('what a server says of them is kept as it is', async t => {
  await using site = await setUp();
  const {sql, id, find} = site;
  await updateMachine(sql, id, {
    overrideAction: 'retry',
    overrideActor: 'user:olga',
    overrideTime: time,
    entryAction: 'local_disk',
    entryActor: 'user:mia',
    entryTime: time,
  });
  t.like(await find(), {
    overrideActor: 'user:olga',
    overrideTime: time,
    entryActor: 'user:mia',
    entryTime: time,
  });
  await clearOverride(sql, id);
  t.like(await find(), {overrideTime: undefined, entryActor: 'user:mia', entryTime: time});
  await updateMachine(sql, id, noEntry);
  t.like(await find(), {entryAction: undefined, entryActor: '', entryTime: undefined});
});
