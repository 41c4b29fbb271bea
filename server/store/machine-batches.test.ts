import {randomUUID} from 'node:crypto';
import test from 'ava';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {findMachinesForUpdate, insertMachines, updateMachines} from './machine-batches.ts';
import {findMachine, insertMachine} from './machines.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

const time = new Date('2026-05-06T07:08:09.123Z');
const times = {stateTime: time, createTime: time, updateTime: time};
const full = {
  ...times,
  state: 'expected',
  hostname: 'web"1',
  macAddresses: ['3c:ec:ef:00:00:01', 'a,b{}"'],
  labels: {camelCase: '1', 'a/b': 'ü\n'},
  templates: [{name: 'base', version: 0, parameters: {someKey: [1]}}],
  imageConfig: {
    hostName: 'x',
    packages: ['vim'],
    sshAuthorizedKeys: [],
    files: [],
    kernelArguments: [],
  },
  memoryBytes: 2 ** 45,
  clockSkewMs: -1500,
  expected: true,
  bootTime: undefined,
} as const;

test('rows of different columns are what they are when each is inserted by itself', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  const rows = [full, {...times, state: 'ready', notes: 'n'} as const, {...full, notes: ''}];
  const [many, single] = [rows.map(() => randomUUID()), rows.map(() => randomUUID())];
  // In one transaction: a row tells which one it was.
  await sql.begin(async tx => {
    const byId = (ids: readonly string[]) =>
      rows.map((row, index) => ({...row, id: ids[index] ?? ''}));
    await insertMachines(tx, byId(many));
    for (const row of byId(single)) await insertMachine(tx, row);
  });
  for (const [index, id] of many.entries()) {
    const {id: _id, ...here} = (await findMachine(sql, id)) ?? {id};
    const {id: _other, ...there} = (await findMachine(sql, single[index] ?? '')) ?? {id};
    t.deepEqual(here, there);
  }
  t.is((await findMachine(sql, many[0] ?? ''))?.memoryBytes, 2 ** 45);
});

test('each machine gets its own change, and nobody else is touched', async t => {
  await using database = await postgres.createDatabase();
  const {sql} = database;
  const ids = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const;
  await insertMachines(
    sql,
    ids.map(id => ({...full, id, overrideSession: 's'})),
  );
  await updateMachines(
    sql,
    new Map([
      [ids[0], {hostname: 'first', labels: {x: '1'}}],
      [ids[1], {hostname: 'second', labels: {}}],
      [ids[2], {overrideSession: undefined}],
      [randomUUID(), {hostname: 'nobody'}],
      [ids[3], {}],
    ]),
  );
  const found = await findMachinesForUpdate(sql, [...ids, randomUUID()]);
  t.is(found.size, 4);
  t.like(found.get(ids[0]), {hostname: 'first', labels: {x: '1'}, overrideSession: 's'});
  t.deepEqual(found.get(ids[1])?.labels, {});
  t.like(found.get(ids[1]), {hostname: 'second', notes: ''});
  t.like(found.get(ids[2]), {hostname: 'web"1', overrideSession: undefined});
  t.like(found.get(ids[3]), {hostname: 'web"1', overrideSession: 's', memoryBytes: 2 ** 45});
});
