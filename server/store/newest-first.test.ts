import {randomUUID} from 'node:crypto';
import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {runInCall} from '../audited-call.ts';
import {bootSessionStates, countBootSessions, listBootSessions} from './boot-sessions.ts';
import {listBootOverrides} from './boot-overrides.ts';
import type {Database, Sql} from './db.ts';
import {listImageTests} from './image-tests.ts';
import {countBuilds, countOperations, listBuilds, listOperations} from './operation-lists.ts';

const rows = 20_000;
/** Of a page of 50: what one state's index gives, and the machine or build that belongs to each row. */
const readMax = 400;
const page = {since: undefined, until: undefined, before: undefined, limit: 51};
const boots = {machineId: undefined, states: [], imageId: undefined, ...page};
const operations = {machineId: undefined, states: [], kinds: [], ...page};
const builds = {
  machineId: undefined,
  states: [],
  kind: undefined,
  imageId: undefined,
  template: undefined,
  ...page,
};
const imageTests = {
  imageId: undefined,
  machineId: undefined,
  statuses: [],
  testType: undefined,
  imageType: undefined,
  ...page,
};
const machineId = '00000000-0000-7000-8000-000000000005';
const rare = 'b'.repeat(64);
const [few, many] = [randomUUID(), randomUUID()];

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
  await fill(postgres.sql);
});
test.after.always(() => postgres[Symbol.asyncDispose]());

/** 2000 machines, and 20,000 boots, operations with their builds, and tests; few of them are under way or have failed. */
async function fill(sql: Database): Promise<void> {
  for (const id of [few, many])
    await sql`
      insert into workspaces (id, name, description, machines_max, create_time, update_time)
      values (${id}, ${id}, '', 0, now(), now())
    `;
  await sql`
    insert into machines (id, state, state_time, create_time, update_time, trust, workspace_id, workspace_time, entry_action, entry_time)
    select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'active', now(), now(), now(), 'approved',
      case when n <= 3 then ${few}::uuid when n <= 1000 then ${many}::uuid end,
      case when n <= 1000 then now() - interval '1 year' end, 'local_disk', now() - n * interval '1 second'
    from generate_series(1, 2000) as n
  `;
  const machine = sql`('00000000-0000-7000-8000-' || lpad(to_hex(1 + n % 2000), 12, '0'))::uuid`;
  await sql`
    insert into boot_sessions (id, edge_session, machine_id, state, image_id, start_time, heard_time)
    select gen_random_uuid(), n::text, ${machine}, case when n % 5000 = 7 then 'open' when n % 500 = 3 then 'stalled' else 'completed' end,
      case when n % 1000 = 3 then ${rare} else ${'a'.repeat(64)} end, now() - n * interval '1 minute', now()
    from generate_series(1, ${rows}) as n
  `;
  await sql`
    insert into operations (id, kind, state, machine_id, actor, create_time, end_time)
    select gen_random_uuid(), case when n % 2000 = 1 then 'bulk' else 'build' end,
      case when n % 5000 = 7 then 'running' when n % 1000 = 3 then 'failed' else 'succeeded' end, ${machine}, 'user:a',
      now() - n * interval '1 minute', case when n % 5000 <> 7 then now() end
    from generate_series(1, ${rows}) as n
  `;
  await sql`
    insert into builds (id, image_kind, variant, backend, machine_id, live, template_names)
    select id, 'machine', 'virtual', 'debian', machine_id, false, '{common}' from operations where kind = 'build'
  `;
  await sql`
    insert into image_tests (id, image_path, image_type, test_type, firmwares, plan, names, actor, status, create_time)
    select gen_random_uuid(), '/images/x', 'custom', 'boot', '{bios}', '{}', '{}', 'user:a',
      case when n % 1000 = 3 then 'failed' else 'passed' end, now() - n * interval '1 minute'
    from generate_series(1, ${rows}) as n
  `;
  await sql`analyze`;
}

type Read = (sql: Sql) => Promise<readonly object[] | number>;

const readsFew = test.macro({
  async exec(t, table: string, read: Read, expected: number) {
    await postgres.sql.begin(async tx => {
      const found = await read(tx);
      t.is(typeof found === 'number' ? found : found.length, expected);
      const [row] = await tx<{read: number}[]>`
        select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_xact_user_tables where relname = ${table}
      `;
      t.true((row?.read ?? rows) <= readMax, `${row?.read} rows of ${table} were read`);
    });
  },
  title: (name = '') => `${name}: a page reads a few rows of many`,
});

const middle = {time: '2020-01-01 00:00:00+00', id: randomUUID()};
const boot = (query: Partial<Parameters<typeof listBootSessions>[1]>) => (sql: Sql) =>
  listBootSessions(sql, {...boots, ...query});
test('boots of all', readsFew, 'boot_sessions', boot({}), 51);
test('boots before all there are', readsFew, 'boot_sessions', boot({before: middle}), 0);
test('boots of two states', readsFew, 'boot_sessions', boot({states: ['open', 'stalled']}), 44);
test('boots of one image', readsFew, 'boot_sessions', boot({imageId: rare}), 20);
test('boots of a machine', readsFew, 'boot_sessions', boot({machineId}), 10);
test(
  'boots of a day',
  readsFew,
  'boot_sessions',
  boot({since: daysAgo(1), states: ['stalled']}),
  3,
);
test(
  'the number of boots under way',
  readsFew,
  'boot_sessions',
  sql => countBootSessions(sql, {...boots, states: ['open']}),
  4,
);

const operation = (query: Partial<Parameters<typeof listOperations>[1]>) => (sql: Sql) =>
  listOperations(sql, {...operations, ...query});
test('operations of all', readsFew, 'operations', operation({}), 51);
test('operations that failed', readsFew, 'operations', operation({states: ['failed']}), 20);
test('operations of a kind', readsFew, 'operations', operation({kinds: ['bulk', 'rollout']}), 10);
test(
  'operations of a kind that failed',
  readsFew,
  'operations',
  operation({kinds: ['build'], states: ['failed', 'running']}),
  24,
);
test('operations of a machine', readsFew, 'operations', operation({machineId}), 10);
test(
  'the number of operations under way',
  readsFew,
  'operations',
  sql => countOperations(sql, {...operations, states: ['queued', 'running']}),
  4,
);

const build = (query: Partial<Parameters<typeof listBuilds>[1]>) => (sql: Sql) =>
  listBuilds(sql, {...builds, ...query});
test('builds of all', readsFew, 'builds', build({}), 51);
test('builds under way', readsFew, 'builds', build({states: ['queued', 'running']}), 4);
test('builds of a machine', readsFew, 'builds', build({machineId}), 10);
test('builds of a template that all have', readsFew, 'builds', build({template: 'common'}), 51);
test('builds of a template that none has', readsFew, 'builds', build({template: 'other'}), 0);
test('builds of an image', readsFew, 'builds', build({imageId: rare}), 0);
test(
  'the number of builds under way',
  readsFew,
  'builds',
  sql => countBuilds(sql, {...builds, states: ['queued', 'running']}),
  4,
);

const imageTest = (query: Partial<Parameters<typeof listImageTests>[1]>) => (sql: Sql) =>
  listImageTests(sql, {...imageTests, ...query});
test('tests of all', readsFew, 'image_tests', imageTest({}), 51);
test('tests that failed', readsFew, 'image_tests', imageTest({statuses: ['failed', 'error']}), 20);

const override = (sql: Sql) =>
  listBootOverrides(sql, {
    machineId: undefined,
    persistent: undefined,
    now: new Date(),
    before: undefined,
    limit: 51,
  });
test('what people decided', readsFew, 'machines', override, 51);

const seenBy = (workspaceId: string, read: Read) => (sql: Sql) =>
  runInCall(
    {
      id: uuidv7(),
      caller: () => 'user:mia',
      address: () => '',
      scope: () => [workspaceId],
      method: 'BootService.ListBootSessions',
      request: () => undefined,
      elapsedMs: () => 1,
      ended: false,
      told: new WeakSet(),
    },
    () => read(sql),
  );
test('boots of a workspace of 3', readsFew, 'boot_sessions', seenBy(few, boot({})), 30);
test('boots of a workspace of 997', readsFew, 'boot_sessions', seenBy(many, boot({})), 51);
test('builds of a workspace of 997', readsFew, 'builds', seenBy(many, build({})), 51);

test('every state of a boot is one that the list knows', async t => {
  const found = await postgres.sql<{state: string}[]>`select distinct state from boot_sessions`;
  t.deepEqual(found.map(({state}) => state).toSorted(), [...bootSessionStates].toSorted());
});

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000);
}
