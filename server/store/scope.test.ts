import {randomUUID} from 'node:crypto';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {type AuditedCall, runInCall, type Scope} from '../audited-call.ts';
import {conceal} from '../domain/concealed.ts';
import type {Sql} from './db.ts';
import {findMachine, findMachineForUpdate, insertMachine} from './machines.ts';
import {insertWorkspace} from './workspaces.ts';

const postgres = postgresOf(test);

const callOf = (scope: () => Scope): AuditedCall => ({
  id: randomUUID(),
  caller: () => 'user:mia',
  address: () => '',
  scope,
  method: 'MachineService.GetMachine',
  request: () => undefined,
  elapsedMs: () => 1,
  ended: false,
  told: new WeakSet(),
});

async function addMachineIn(sql: Sql, workspaceId: string | undefined): Promise<string> {
  const [id, now] = [randomUUID(), new Date()];
  const workspaceTime = workspaceId === undefined ? undefined : now;
  const times = {stateTime: now, createTime: now, updateTime: now};
  await insertMachine(sql, {id, state: 'ready', workspaceId, workspaceTime, ...times});
  return id;
}

async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const [workspaceId, now] = [randomUUID(), new Date()];
  const rest = {description: '', machinesMax: 0, createTime: now, updateTime: now};
  await insertWorkspace(sql, {id: workspaceId, name: 'blue', ...rest});
  const [inside, free] = [await addMachineIn(sql, workspaceId), await addMachineIn(sql, undefined)];
  const seen = async () =>
    Promise.all([inside, free].map(async id => (await findMachine(sql, id)) !== undefined));
  return {
    sql,
    workspaceId,
    inside,
    free,
    seen,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('the server itself sees everything, a caller what the call may see, and nothing before that is said', async t => {
  await using world = await setUp();
  const {seen, workspaceId} = world;
  t.deepEqual(await seen(), [true, true]);
  const within = (scope: Scope) =>
    runInCall(
      callOf(() => scope),
      seen,
    );
  t.deepEqual(await within('everywhere'), [true, true]);
  t.deepEqual(await within([workspaceId]), [true, false]);
  t.deepEqual(await within([workspaceId, randomUUID()]), [true, false]);
  t.deepEqual(await within([randomUUID()]), [false, false]);
  t.deepEqual(await within([]), [false, false]);
});

test('the scope is asked for at each query, in transactions too, and outlives the call', async t => {
  await using world = await setUp();
  const {sql, workspaceId, inside, seen} = world;
  let scope: Scope = [workspaceId];
  const call = callOf(() => scope);
  await runInCall(call, async () => {
    t.truthy(await sql.begin(tx => findMachineForUpdate(tx, inside)));
    scope = [];
    t.is(await sql.begin(tx => findMachineForUpdate(tx, inside)), undefined);
    scope = [workspaceId];
    call.ended = true;
    t.deepEqual(await seen(), [true, false]);
  });
});

test('texts name machines of others as such, and nothing else is changed in them', async t => {
  await using world = await setUp();
  const {sql, workspaceId, inside, free} = world;
  const nobody = randomUUID();
  const text = `"${inside}" looks like "${free}" and "${nobody}"`;
  t.deepEqual(await conceal(sql, [text]), [text]);
  const told = await runInCall(
    callOf(() => [workspaceId]),
    () => conceal(sql, [text, 'none']),
  );
  t.deepEqual(told, [`"${inside}" looks like "another machine" and "${nobody}"`, 'none']);
});
