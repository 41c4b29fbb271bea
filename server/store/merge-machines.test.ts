import {randomUUID} from 'node:crypto';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import type {Sql} from './db.ts';
import {moveEvidence} from './evidence.ts';
import {deleteMachine, insertMachine} from './machines.ts';
import {listMerged, moveRecords} from './merge-machines.ts';

const postgres = postgresOf(test);

const time = new Date('2026-05-01T10:00:00Z');
const later = new Date('2026-05-01T11:00:00Z');

async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const add = async () => {
    const id = randomUUID();
    const times = {stateTime: time, createTime: time, updateTime: time};
    await insertMachine(sql, {...times, id, state: 'enrolled'});
    return id;
  };
  const [from, to] = [await add(), await add()];
  return {
    sql,
    from,
    to,
    merge: () =>
      sql.begin(async tx => {
        await moveRecords(tx, {from, to, time: later});
        await moveEvidence(tx, {from, to});
      }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Tables that stay with the id that they were written for: the journal is hashed, and the rest is worth nothing once the agent is logged out. */
const stay: ReadonlySet<string> = new Set([
  'events',
  'machine_search',
  'machine_presence',
  'agent_reports',
  'metrics_sessions',
]);
const moved: ReadonlySet<string> = new Set([
  'agent_keys',
  'boot_sessions',
  'boot_tokens',
  'builds',
  'bulk_children',
  'commands',
  'component_stays',
  'group_members',
  'hardware_intake',
  'hardware_versions',
  'held_images',
  'image_tests',
  'imported_records',
  'issue_conditions',
  'issue_mutes',
  'issues',
  'machine_evidence',
  'machine_hardware',
  'machine_rules',
  'metrics',
  'metrics_chunks',
  'metrics_hours',
  'metrics_minutes',
  'operations',
]);

test('somebody has thought about every table that names a machine', async t => {
  await using site = await setUp();
  const rows = await site.sql<{tableName: string}[]>`
    select distinct c.table_name from information_schema.columns as c
    join information_schema.tables using (table_schema, table_name)
    where column_name = 'machine_id' and table_schema = 'public' and table_name !~ '^metrics_([0-9p]|(chunks|minutes)_)'
    order by 1
  `;
  const unknown = rows
    .map(({tableName}) => tableName)
    .filter(name => !stay.has(name) && !moved.has(name));
  t.deepEqual(unknown, [], 'say in merge-machines.ts what becomes of its rows, then here');
});

/** An image that waits for a test of it. */
async function insertTestedImage(sql: Sql, machineId: string): Promise<void> {
  const imageId = 'a'.repeat(64);
  await sql`
    insert into images (id, kind, variant, backend, input_key, manifest, memory_required_bytes, create_time)
    values (${imageId}, 'machine', 'virtual', 'debian', 'key', '{}', 1, ${time})
  `;
  await sql`
    insert into image_tests (id, image_id, image_path, image_type, test_type, firmwares, plan, names, machine_id, actor, create_time)
    values (${randomUUID()}, ${imageId}, 'x', 'custom', 'hello', '{bios}', '{}', '{hello}', ${machineId}, 'x', ${time})
  `;
  await sql`
    insert into held_images (machine_id, image_id, actor, verdict, reason, create_time, update_time)
    values (${machineId}, ${imageId}, 'x', 'waiting', 'y', ${time}, ${time})
  `;
}

test('issues, components, groups and reports of both are those of the one that stays', async t => {
  await using site = await setUp();
  const {sql, from, to} = site;
  const issue = (machineId: string, component: string) => sql`
    insert into issues (id, machine_id, source, kind, component, severity, summary, next_step, evidence, since_time, raise_time)
    values (${randomUUID()}, ${machineId}, 'hardware', 'disk_failing', ${component}, 'critical', 'x', 'y', '{}', ${time}, ${time})
  `;
  for (const [machineId, component] of [
    [from, 'a'],
    [from, 'b'],
    [to, 'a'],
  ] as const)
    await issue(machineId, component);
  const mute = (machineId: string, kind: string) => sql`
    insert into issue_mutes (id, kind, machine_id, expire_time, reason, muted_by, create_time)
    values (${randomUUID()}, ${kind}, ${machineId}, ${time}, 'x', 'y', ${time})
  `;
  for (const [machineId, kind] of [
    [from, 'fan'],
    [from, 'offline'],
    [to, 'fan'],
  ] as const)
    await mute(machineId, kind);
  await sql`insert into issue_conditions values (${from}, 'fan', 'fan1', ${time})`;
  await insertTestedImage(sql, from);
  const [component, group] = [randomUUID(), randomUUID()];
  await sql`insert into components (id, kind, serial, model, create_time) values (${component}, 'disk', 'S', 'M', ${time})`;
  await sql`
    insert into component_stays (component_id, machine_id, slot, arrive_time) values (${component}, ${from}, 'bay-0', ${time})
  `;
  await sql`
    insert into groups (id, name, description, tags, filter, create_time, update_time)
    values (${group}, 'lab', '', '{}', '', ${time}, ${time})
  `;
  for (const machineId of [from, to])
    await sql`insert into group_members (group_id, machine_id) values (${group}, ${machineId})`;
  for (const [machineId, value] of [
    [from, 'A'],
    [from, 'B'],
    [to, 'A'],
  ] as const)
    await sql`insert into machine_evidence (machine_id, kind, value) values (${machineId}, 'system_serial', ${value})`;
  await site.merge();

  const open = await sql`
    select component, machine_id from issues where clear_time is null order by component
  `;
  t.deepEqual(
    open.map(({component: name, machineId}) => [name, machineId]),
    [
      ['a', to],
      ['b', to],
    ],
  );
  for (const table of moved)
    t.is((await sql`select 1 from ${sql(table)} where machine_id = ${from}`).length, 0, table);
  t.is((await sql`select 1 from issue_mutes where machine_id = ${to}`).length, 2);
  t.is((await sql`select 1 from image_tests where machine_id = ${to}`).length, 1);
  // It was built for a record that is no more.
  t.is((await sql`select 1 from held_images`).length, 0);
  t.is((await sql`select 1 from group_members where machine_id = ${to}`).length, 1);
  t.is((await sql`select 1 from component_stays where machine_id = ${to}`).length, 1);
  t.is((await sql`select 1 from machine_evidence where machine_id = ${to}`).length, 2);
});

test('of two inventories the one that was confirmed last is the present one, with what it is searched by', async t => {
  await using site = await setUp();
  const {sql, from, to} = site;
  for (const [machineId, confirmed, threads] of [
    [from, later, 64],
    [to, time, 8],
  ] as const) {
    await sql`
      insert into machine_hardware (machine_id, sha256, body, update_time, confirm_time)
      values (${machineId}, ${Buffer.from(machineId)}, ${Buffer.from(machineId)}, ${confirmed}, ${confirmed})
    `;
    await sql`update machines set cpu_threads = ${threads} where id = ${machineId}`;
    await sql`
      update machine_search set hardware_text = ${`w${threads}`}, facts = '{"a": 1}' where machine_id = ${machineId}
    `;
  }
  await site.merge();
  const [row] = await sql`
    select body, cpu_threads, hardware_text, text from machines join machine_hardware on machine_id = id
    join machine_search using (machine_id) where id = ${to}
  `;
  t.like(row, {cpuThreads: 64, hardwareText: 'w64'});
  t.is(String(row?.['body']), from);
  t.regex(String(row?.['text']), /w64/);
  t.is((await sql`select 1 from machine_search where hardware_text <> ''`).length, 1);
});

test('inventories that wait are those of the one that stays, each report once', async t => {
  await using site = await setUp();
  const {sql, from, to} = site;
  const [own, common] = [randomUUID(), randomUUID()];
  for (const [machineId, reportId] of [
    [from, own],
    [from, common],
    [to, common],
  ] as const)
    await sql`
      insert into hardware_intake (machine_id, report_id, sender_id, receive_time, sequence, confirm_time, body)
      values (${machineId}, ${reportId}, ${machineId}, ${time}, 1, ${time}, '')
    `;
  await site.merge();
  const rows = await sql<{senderId: string; reportId: string}[]>`
    select sender_id, report_id from hardware_intake where machine_id = ${to} order by sender_id = ${to}
  `;
  t.deepEqual(
    [...rows],
    [
      {senderId: from, reportId: own},
      {senderId: to, reportId: common},
    ],
  );
  t.is((await sql`select 1 from hardware_intake where machine_id = ${from}`).length, 0);
});

test('a record that took others in hands them on', async t => {
  await using site = await setUp();
  const {sql, from, to} = site;
  const first = randomUUID();
  const times = {stateTime: time, createTime: time, updateTime: time};
  await insertMachine(sql, {...times, id: first, state: 'retired', mergedInto: from});
  await site.merge();
  t.deepEqual(await listMerged(sql, to), [first]);
});

test('a record that took others in is removed with them', async t => {
  await using site = await setUp();
  const {sql, from, to} = site;
  await sql`update machines set merged_into = ${to} where id = ${from}`;
  await deleteMachine(sql, to);
  t.is((await sql`select id from machines`).length, 0);
});
