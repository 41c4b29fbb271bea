import {randomUUID} from 'node:crypto';
import test from 'ava';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import type {Database} from '../store/db.ts';
import {findMachine, insertMachine, type MachineState} from '../store/machines.ts';
import {createTransitions} from './transitions.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

const now = () => new Date('2026-01-02T00:00:00Z');
const transitions = createTransitions({now, newId: randomUUID});

async function machineIn(sql: Database, state: MachineState): Promise<string> {
  const id = randomUUID();
  const time = new Date('2026-01-01T00:00:00Z');
  await insertMachine(sql, {id, state, stateTime: time, createTime: time, updateTime: time});
  return id;
}

test('writes the state and its event in one transaction', async t => {
  const {sql} = postgres;
  const machineId = await machineIn(sql, 'pending');
  await sql.begin(tx =>
    transitions.transition(tx, {machineId, to: 'enrolled', actor: 'user:eve', reason: 'Accepted'}),
  );

  t.like(await findMachine(sql, machineId), {
    state: 'enrolled',
    stateReason: 'Accepted',
    stateTime: now(),
  });
  t.like(await sql`select type, actor, data from events where machine_id = ${machineId}`, {
    length: 1,
    0: {type: 'machine.enrolled', actor: 'user:eve', data: {from: 'pending', reason: 'Accepted'}},
  });
});

test('of two transitions at once one wins and the other is judged by its result', async t => {
  const {sql} = postgres;
  const machineId = await machineIn(sql, 'pending');
  const move = (to: MachineState) =>
    sql.begin(tx => transitions.transition(tx, {machineId, to, actor: 'user:eve', reason: ''}));
  const results = await Promise.allSettled([move('retired'), move('rejected')]);
  const state = (await findMachine(sql, machineId))?.state;
  const refused = results.filter(result => result.status === 'rejected').length;
  // rejected may still become retired, retired never becomes rejected.
  t.true(state === 'retired' && refused <= 1, `${state}, ${refused} refused`);
});

const builds = test.macro(async (t, from: MachineState, expected: readonly MachineState[]) => {
  const {sql} = postgres;
  const machineId = await machineIn(sql, from);
  const actor = 'system';
  const state = async () => (await findMachine(sql, machineId))?.state;
  await sql.begin(tx => transitions.buildStarted(tx, {machineId, actor, reason: 'Build'}));
  const started = await state();
  await sql.begin(tx => transitions.buildFailed(tx, {machineId, actor, reason: 'No disk'}));
  const failed = await state();
  await sql.begin(tx => transitions.imageReady(tx, {machineId, imageId: 'i1', actor}));
  t.deepEqual([started, failed, await state()], [...expected]);
  t.is((await findMachine(sql, machineId))?.desiredImageId, 'i1');
});
test('builds for an ENROLLED machine', builds, 'enrolled', ['provisioning', 'failed', 'ready']);
test('builds for a READY machine', builds, 'ready', ['ready', 'ready', 'ready']);
test('never moves an ACTIVE machine', builds, 'active', ['active', 'active', 'active']);
test('builds ahead for an EXPECTED one', builds, 'expected', ['expected', 'expected', 'expected']);

test('refuses to build for a REJECTED machine', async t => {
  const {sql} = postgres;
  const machineId = await machineIn(sql, 'rejected');
  await t.throwsAsync(
    sql.begin(tx => transitions.buildStarted(tx, {machineId, actor: 'user:eve', reason: ''})),
    {message: `Cannot build for machine "${machineId}": it is rejected`},
  );
});

test('a change that touches the boot answer notes its transaction, another does not', async t => {
  const {sql} = postgres;
  const machineId = await machineIn(sql, 'enrolled');
  const xid = async () =>
    (
      await sql<{xid: string}[]>`select boot_xid::text as xid from machines where id = ${machineId}`
    )[0]?.xid;
  const first = await xid();
  await sql`update machines set description = 'x' where id = ${machineId}`;
  t.is(await xid(), first);
  await sql.begin(tx => transitions.imageReady(tx, {machineId, imageId: 'i1', actor: 'system'}));
  t.not(await xid(), first);
});
