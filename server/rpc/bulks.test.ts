import {Code} from '@connectrpc/connect';
import {CreateBulkRequest_Operation as Action} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {createTestBulks, type TestBulks} from '../../test/helpers/bulks.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {refused} from '../../test/helpers/refusal.ts';
import {takePlace} from '../store/bulks.ts';
import type {Database} from '../store/db.ts';

const postgres = postgresOf(test);

const setUp = (userId?: string) => onDatabase(postgres, sql => createTestBulks(sql, userId));

const addMachines = (sql: Database, count: number) =>
  Promise.all(Array.from({length: count}, () => createTestMachine(sql, 'enrolled')));

async function start(
  app: TestBulks,
  request: Parameters<TestBulks['bulk']['createBulk']>[0],
): Promise<string> {
  const {operation} = await app.bulk.createBulk(request);
  return operation?.id ?? '';
}

const eventsOf = async (sql: Database, type: string) =>
  sql<{machineId: string; actor: string}[]>`
    select machine_id, actor from events where type = ${type} order by sequence
  `;

test('an update changes each machine once, as the one who asked, and says what it did', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 12);
  const [first = ''] = ids;
  await app.sql`update machines set description = 'Rack 7' where id = ${first}`;
  const id = await start(app, {
    machineIds: [...ids, first, 'NO-SUCH-TAG'],
    operation: Action.UPDATE,
    data: {description: 'Rack 7', notes: 'moved'},
    updateMask: {paths: ['description']},
  });
  t.like(await app.get(id), {state: Operation_State.QUEUED, action: 'update', kind: 'bulk'});
  const operation = await app.drive(id);

  t.like(operation, {
    state: Operation_State.FAILED,
    error: 'Of 13 machines 1 failed',
    progressPercent: 100,
    children: {total: 13, succeeded: 12, failed: 1},
  });
  const told = await app.told(id);
  t.is(told[0], 'succeeded Nothing to change');
  t.deepEqual([...new Set(told.slice(1, 12))], ['succeeded Changed description']);
  t.is(told[12], 'failed Cannot find machine "NO-SUCH-TAG"');
  const events = await eventsOf(app.sql, 'machine.updated');
  t.deepEqual(events.map(({machineId}) => machineId).sort(), ids.slice(1).sort());
  t.deepEqual([...new Set(events.map(({actor}) => actor))], ['user:alice']);
  const audited = await app.sql`
    select distinct actor, address, method, call_id from audit_entries where action = 'machine.updated'
  `;
  t.deepEqual(
    audited.map(row => ({...row})),
    [{actor: 'user:alice', address: '10.0.0.7', method: 'BulkService.CreateBulk', callId: id}],
  );
});

test('a group and a filter mean the machines of the moment at which it starts', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 5);
  await app.sql`update machines set labels = '{"rack": "r7"}' where id = ${ids[0] ?? ''}`;
  await app.groups.create('user:alice', {
    name: 'rack7',
    description: '',
    tags: [],
    filter: 'labels.rack = r7',
    priority: 0,
    templates: [],
    bootProfile: undefined,
  });
  const byGroup = await start(app, {
    groupId: 'RACK7',
    operation: Action.LABEL,
    setLabels: {'Seen_by/bulk': 'yes'},
    removeLabels: ['rack'],
  });
  const byFilter = await start(app, {
    filter: '-labels.rack = r7',
    operation: Action.LABEL,
    setLabels: {rack: 'r8'},
  });
  await app.drive(byGroup);
  t.is((await app.drive(byFilter)).children?.succeeded, 4, 'not the one that lost its label');
  const {labels} = await app.machines.get(ids[0] ?? '');
  t.deepEqual(labels, {'Seen_by/bulk': 'yes'});
  t.like(await app.get(byGroup), {selection: 'group "RACK7"', children: {total: 1}});
});

test('what is asked for is refused when it is not clear', async t => {
  await using app = await setUp();
  const [machineId = ''] = await addMachines(app.sql, 1);
  const update = {operation: Action.UPDATE, data: {notes: 'x'}};
  const table: readonly (readonly [Parameters<typeof start>[1], Code, RegExp])[] = [
    [
      {machineIds: [machineId], operation: Action.ASSIGN},
      Code.InvalidArgument,
      /without a workspace: name it/,
    ],
    [
      {machineIds: [machineId], operation: Action.BUILD, workspace: 'team-a'},
      Code.InvalidArgument,
      /belongs to operations "assign" and "release"/,
    ],
    [update, Code.InvalidArgument, /exactly one of machine_ids, group_id and filter/],
    [{...update, filter: 'state = READY', groupId: 'g'}, Code.InvalidArgument, /exactly one/],
    [{...update, filter: 'state = READY'}, Code.InvalidArgument, /no machine in filter state/],
    [{...update, filter: 'state ='}, Code.InvalidArgument, /Cannot use this filter/],
    [{...update, groupId: 'web'}, Code.NotFound, /Cannot find group "web"/],
    [{machineIds: [machineId], operation: Action.UPDATE}, Code.InvalidArgument, /without a change/],
    [
      {machineIds: [machineId], operation: Action.UPDATE, data: {product: 'R740'}},
      Code.InvalidArgument,
      /Cannot change "product"/,
    ],
    [{machineIds: [machineId], operation: Action.LABEL}, Code.InvalidArgument, /without a label/],
    [{...update, machineIds: [machineId], setLabels: {a: 'b'}}, Code.InvalidArgument, /belong to/],
    [
      {machineIds: [machineId], operation: Action.BUILD, data: {notes: 'x'}},
      Code.InvalidArgument,
      /belongs to operation "update"/,
    ],
  ];
  for (const [request, code, message] of table) {
    const answer = await refused(app.bulk.createBulk(request));
    t.is(answer.code, code, String(message));
    t.regex(answer.rawMessage ?? '', message);
  }
  t.is((await app.sql`select 1 from operations`).length, 0);
});

test('a dry run tells what would be done and what would be refused, and changes nothing', async t => {
  await using app = await setUp();
  const ready = await createTestMachine(app.sql, 'ready');
  const retired = await createTestMachine(app.sql, 'retired');
  const blank = await createTestMachine(app.sql, 'active', {imageConfig: undefined});
  const machineIds = [ready, retired, blank];
  const before = await app.sql`select * from machines order by id`;
  const id = await start(app, {machineIds, operation: Action.BUILD, dryRun: true, maxFailures: 5});
  t.like(await app.drive(id), {dryRun: true, children: {succeeded: 1, failed: 2}});
  const [first, second = '', third = ''] = await app.told(id);
  t.is(first, 'succeeded Started a build');
  t.regex(second, /^failed Cannot build for machine .*: it is retired$/);
  t.regex(third, /^failed .*neither image_config nor/);
  t.deepEqual(await app.sql`select * from machines order by id`, before);
  t.is((await app.sql`select 1 from builds`).length, 0);
  t.is((await app.sql`select 1 from operations where kind = 'build'`).length, 0);
  t.deepEqual(
    (await app.sql<{type: string}[]>`select type from events order by sequence`).map(
      ({type}) => type,
    ),
    ['bulk.started', 'bulk.failed'],
  );
});

test('builds run so many at a time, and a child is over with its build', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 3);
  const id = await start(app, {machineIds: ids, operation: Action.BUILD, concurrency: 2});
  await app.drive(id);
  t.like((await app.get(id)).children, {running: 2, queued: 1});
  const builds = () => app.sql<{id: string}[]>`select id from builds where live order by id`;
  const [one, two] = await builds();
  await app.builds.cancel('user:bob', one?.id ?? '');
  const builder = app.builder('b1');
  const {attempt} = await builder.claimBuild({buildId: two?.id ?? ''});
  const failed = {outcome: 2, error: 'No disk left'} as const;
  await builder.finishBuild({buildId: two?.id ?? '', attempt, ...failed});
  await app.drive(id);
  t.like((await app.get(id)).children, {failed: 2, running: 1});
  const told = await app.told(id);
  t.deepEqual(told.slice(0, 2).sort(), [
    `failed Build "${one?.id}" was cancelled`,
    `failed Build "${two?.id}" failed: No disk left`,
  ]);

  await app.operations.cancelOperation({id});
  await app.drive(id);
  t.is((await builds()).length, 0, 'its builds are cancelled with it');
  t.like(await app.drive(id), {state: Operation_State.CANCELLED, children: {cancelled: 1}});
});

test('a reboot is over when the machine came back, or said that it will not', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 2);
  const expected = await createTestMachine(app.sql, 'expected');
  const id = await start(app, {machineIds: [...ids, expected], operation: Action.REBOOT});
  await app.drive(id);
  const [first, second] = await app.children(id);
  t.truthy(first?.commandId);
  t.is(first?.step, 'rebooting');
  await app.sql.begin(tx => app.commands.finishByBoot(tx, first?.machineId ?? ''));
  const result = {commandId: second?.commandId ?? '', succeeded: false, message: 'No permission'};
  await app.sql.begin(tx => app.commands.finish(tx, second?.machineId ?? '', result));
  t.like(await app.drive(id), {children: {succeeded: 1, failed: 2}});
  t.deepEqual((await app.told(id)).slice(0, 2), [
    'succeeded Told it to reboot; the machine came back from a boot',
    'failed No permission',
  ]);
});

test('with one failure too many nothing further begins', async t => {
  await using app = await setUp();
  const bad = await Promise.all([1, 2].map(() => createTestMachine(app.sql, 'retired')));
  const good = await addMachines(app.sql, 20);
  const request = {operation: Action.BUILD, concurrency: 1, maxFailures: 1};
  const id = await start(app, {...request, machineIds: [...bad, ...good]});
  const operation = await app.drive(id);
  t.like(operation, {
    state: Operation_State.FAILED,
    error: 'Of 22 machines 2 failed, 20 were skipped',
    children: {failed: 2, skipped: 20},
  });
  t.is((await app.told(id))[2], 'skipped 2 machines failed, more than the 1 that are allowed');
  t.is((await app.sql`select 1 from builds`).length, 0);
});

test('one that is cancelled begins nothing further, and says what was done', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 150);
  const id = await start(app, {machineIds: ids, operation: Action.UPDATE, data: {notes: 'x'}});
  await app.turn(id);
  await app.operations.cancelOperation({id});
  const {state, children} = await app.drive(id);
  t.is(state, Operation_State.CANCELLED);
  t.is(children?.succeeded, 100);
  t.is(children?.cancelled, 50);
  t.is((await eventsOf(app.sql, 'machine.updated')).length, 100);
  t.like(await app.operations.cancelOperation({id}), {
    operation: {state: Operation_State.CANCELLED},
  });
});

test('so many machines are worked on at a time, by all servers together', async t => {
  await using app = await setUp();
  await app.sql.begin(async first => {
    t.true(await takePlace(first, 'a', 2));
    await app.sql.begin(async second => {
      t.true(await takePlace(second, 'a', 2));
      await app.sql.begin(async third => {
        t.false(await takePlace(third, 'a', 2));
        t.true(await takePlace(third, 'b', 2), 'another operation has places of its own');
      });
    });
    t.true(await takePlace(first, 'a', 2), 'a place is free again');
  });
});

test('servers share the work: each machine is changed once', async t => {
  await using app = await setUp();
  await using second = await createTestBulks(app.sql);
  const ids = await addMachines(app.sql, 120);
  const request = {machineIds: ids, operation: Action.UPDATE, data: {notes: 'x'}};
  const id = await start(app, {...request, concurrency: 3});
  await Promise.all([app.drive(id), second.drive(id)]);
  const {state} = await app.drive(id);
  t.is(state, Operation_State.SUCCEEDED);
  t.is((await eventsOf(app.sql, 'machine.updated')).length, 120);
  t.deepEqual([...new Set(await app.told(id))], ['succeeded Changed notes']);
});

test('machines that are in service are not deleted, the others are gone with what is told of them kept', async t => {
  await using app = await setUp();
  const retired = await createTestMachine(app.sql, 'retired', {hostname: 'old', uuid: 'U-1'});
  const active = await createTestMachine(app.sql, 'active');
  const [building = ''] = await addMachines(app.sql, 1);
  await app.sql`update machines set state = 'expected' where id = ${building}`;
  const {id: buildId} = await app.builds.createForMachine('user:bob', building);
  const machineIds = [retired, active, building];
  const id = await start(app, {machineIds, operation: Action.DELETE});
  t.like(await app.drive(id), {children: {succeeded: 1, failed: 2}});
  t.deepEqual(await app.told(id), [
    'succeeded Deleted',
    `failed Cannot delete machine "${active}": it is active, and only machines that are not in service are deleted`,
    `failed Cannot delete machine "${building}": build "${buildId}" is made for it; wait for it or cancel it`,
  ]);
  t.like((await app.children(id))[0], {machine: 'old', machineId: retired});
  t.is((await app.sql`select 1 from machines where id = ${retired}`).length, 0);
  const [entry] = await app.sql`
    select actor, before from audit_entries where action = 'machine.deleted'
  `;
  t.like(entry, {actor: 'user:alice', before: {uuid: 'U-1', state: 'retired'}});
});

test('the operations of a machine are those over many that it is one of, too, until they are old', async t => {
  await using app = await setUp();
  const [first = '', second = ''] = await addMachines(app.sql, 2);
  const data = {notes: 'x'};
  const one = await start(app, {machineIds: [first], operation: Action.UPDATE, data});
  const both = await start(app, {machineIds: [first, second], operation: Action.UPDATE, data});
  const listed = async (machineId: string) =>
    (await app.operations.listOperations({machineId})).operations.map(({id}) => id);
  t.deepEqual(await listed(first), [both, one]);
  t.deepEqual(await listed(second), [both]);
  await app.drive(one);
  await app.work.forget(new Date(Date.now() + 60_000));
  t.deepEqual(await listed(first), [both], 'what is not over is kept');
  t.is((await app.sql`select 1 from bulk_children where bulk_id = ${one}`).length, 0);
});

test('children are listed by pages and by state', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 5);
  const retired = await createTestMachine(app.sql, 'retired');
  const id = await start(app, {machineIds: [...ids, retired], operation: Action.BUILD});
  await app.drive(id);
  const numbers: number[] = [];
  let pageToken = '';
  do {
    const page = await app.operations.listOperationChildren({
      operationId: id,
      pageSize: 4,
      pageToken,
    });
    numbers.push(...page.children.map(({number}) => number));
    ({nextPageToken: pageToken} = page);
  } while (pageToken !== '');
  t.deepEqual(numbers, [1, 2, 3, 4, 5, 6]);
  const failed = await app.operations.listOperationChildren({operationId: id, states: [4]});
  t.deepEqual(
    failed.children.map(({machineId}) => machineId),
    [retired],
  );
  const answer = await refused(
    app.operations.listOperationChildren({operationId: id, pageToken: 'x'}),
  );
  t.is(answer.code, Code.InvalidArgument);
});

test('whoever may no longer act begins nothing further', async t => {
  const userId = '0198c0de-0000-7000-8000-000000000001';
  await using app = await setUp(userId);
  await app.sql`insert into users (id, username, create_time) values (${userId}, 'alice', now())`;
  await app.sql`
    insert into role_bindings (user_id, workspace_id, role, create_time) values (${userId}, null, 'operator', now())
  `;
  const ids = await addMachines(app.sql, 120);
  const request = {machineIds: ids, operation: Action.UPDATE, data: {notes: 'x'}};
  const id = await start(app, request);
  await app.turn(id);
  await app.sql`update users set disable_time = now() where id = ${userId}`;
  t.like(await app.drive(id), {children: {succeeded: 100, skipped: 20}});
  t.is((await app.told(id))[110], 'skipped "user:alice", who is responsible for it, was disabled');
});

test('an error that nobody foresaw is the outcome of its machine, not the end of all', async t => {
  await using app = await setUp();
  const ids = await addMachines(app.sql, 3);
  await app.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
    create trigger refuse before update on machines for each row when (old.id = '${ids[1]}') execute function refuse();
  `);
  const id = await start(app, {machineIds: ids, operation: Action.UPDATE, data: {notes: 'x'}});
  t.like(await app.drive(id), {children: {succeeded: 2, failed: 1}});
  t.is((await app.told(id))[1], 'failed Internal error: the log of the server has it');
});
