import {randomUUID} from 'node:crypto';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampDate} from '@bufbuild/protobuf/wkt';
import {Code, ConnectError} from '@connectrpc/connect';
import type {ListBuildsRequestSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind as Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type ListOperationsRequestSchema,
  type Operation,
  Operation_State as State,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import test from 'ava';
import {createTestBuilds, createTestMachine} from '../../test/helpers/builds.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {addImage} from '../../test/helpers/server-machines.ts';
import type {Sql} from '../store/db.ts';

const postgres = postgresOf(test);

const states = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;

type Page<Row> = {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
  readonly totalSize: number;
};

/** All pages, whose rows are as many as the server has counted. */
async function readAll<Row>(
  read: (page: {pageSize: number; pageToken: string; countTotal: boolean}) => Promise<Page<Row>>,
): Promise<readonly Row[]> {
  const found: Row[] = [];
  let pageToken = '';
  let total: number | undefined;
  do {
    const page = await read({pageSize: 4, pageToken, countTotal: pageToken === ''});
    found.push(...page.rows);
    total ??= page.totalSize;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  if (total !== found.length) throw new Error(`${found.length} rows, but ${total} were counted`);
  return found;
}

/** 60 operations, three at each minute; two thirds of them builds of two machines or of the registration image. */
async function addOperations(sql: Sql, facts: {machineIds: readonly string[]; imageId: string}) {
  const now = Date.now();
  for (let n = 0; n < 60; n += 1) {
    const [id, state] = [randomUUID(), states[n % 5] ?? 'queued'];
    const machineId = facts.machineIds[n % 4] ?? null;
    const kind = n % 3 < 2 ? 'build' : n % 2 === 0 ? 'bulk' : 'rollout';
    const createTime = new Date(now - Math.floor(n / 3) * 60_000 - 30_000);
    const endTime = n % 5 > 1 ? new Date(now) : null;
    const row = {id, kind, state, machineId, actor: 'user:a', createTime, endTime};
    await sql`insert into operations ${sql(row)}`;
    const many = {id, action: 'reboot', selection: 'all', actor: 'user:a', concurrency: 1};
    if (kind !== 'build') await sql`insert into bulks ${sql(many)}`;
    if (kind !== 'build') continue;
    const build = {
      id,
      imageKind: machineId ? 'machine' : 'registration',
      variant: 'virtual',
      backend: 'nix',
      machineId,
      live: false,
      templateNames: n % 7 === 0 ? ['base', 'web'] : [],
      imageId: n % 6 === 0 ? facts.imageId : null,
    };
    await sql`insert into builds ${sql(build)}`;
  }
}

async function setUp() {
  const app = await onDatabase(postgres, sql => createTestBuilds(sql));
  const {sql} = app;
  const machineIds = [await createTestMachine(sql, 'ready'), await createTestMachine(sql, 'ready')];
  const {id: imageId} = await addImage(sql, {});
  await addOperations(sql, {machineIds, imageId});
  return {
    ...app,
    sql,
    machineIds,
    imageId,
    readOperations: (query: MessageInitShape<typeof ListOperationsRequestSchema>) =>
      readAll(async page => {
        const {operations: rows, ...rest} = await app.operations.listOperations({
          ...query,
          ...page,
        });
        return {rows, ...rest};
      }),
    readBuilds: (query: MessageInitShape<typeof ListBuildsRequestSchema>) =>
      readAll(async page => {
        const {builds: rows, ...rest} = await app.client.listBuilds({...query, ...page});
        return {rows, ...rest};
      }),
  };
}

const timeOf = (operation: Operation | undefined): number =>
  operation?.createTime ? timestampDate(operation.createTime).getTime() : 0;
const idsOf = (rows: readonly {readonly id: string}[]): readonly string[] => rows.map(({id}) => id);
const stateFilters: readonly (readonly State[])[] = [
  [],
  [State.FAILED],
  [State.QUEUED, State.RUNNING],
];

test('operations are narrowed by state, kind, machine and time, newest first, page by page', async t => {
  await using app = await setUp();
  const all = await app.readOperations({});
  t.is(new Set(idsOf(all)).size, 60);
  t.deepEqual(
    idsOf(all),
    idsOf(all.toSorted((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1))),
  );
  const [since, until] = [timeOf(all[45]), timeOf(all[20])];
  const times = {since: new Date(since).toISOString(), until: new Date(until).toISOString()};
  for (const wantedStates of stateFilters)
    for (const kinds of [[], ['build'], ['bulk', 'rollout']])
      for (const machineId of ['', ...app.machineIds])
        for (const span of [{since: '', until: ''}, times]) {
          const wanted = all.filter(
            operation =>
              (wantedStates.length === 0 || wantedStates.includes(operation.state)) &&
              (kinds.length === 0 || kinds.includes(operation.kind)) &&
              (machineId === '' || operation.machineId === machineId) &&
              (span.since === '' || (timeOf(operation) >= since && timeOf(operation) < until)),
          );
          const query = {states: [...wantedStates], kinds, machineId, ...span};
          t.deepEqual(idsOf(await app.readOperations(query)), idsOf(wanted));
        }
  t.is((await app.readOperations({since: '90s'})).length, 3);
});

test('builds are narrowed by state, machine, image, template and time, newest first, page by page', async t => {
  await using app = await setUp();
  const all = await app.readBuilds({});
  t.is(new Set(idsOf(all)).size, 40);
  const templates = new Map(
    (await app.sql<{id: string; templateNames: string[]}[]>`select * from builds`).map(
      ({id, templateNames}) => [id, templateNames],
    ),
  );
  const [since, until] = [timeOf(all[30]?.operation), timeOf(all[10]?.operation)];
  const times = {since: new Date(since).toISOString(), until: new Date(until).toISOString()};
  for (const wantedStates of stateFilters)
    for (const narrowed of [
      {},
      {machineId: app.machineIds[0] ?? ''},
      {kind: Kind.REGISTRATION},
      {kind: Kind.MACHINE},
      {imageId: app.imageId},
      {template: 'web'},
      {template: 'none'},
    ])
      for (const span of [{since: '', until: ''}, times]) {
        const wanted = all.filter(build => {
          const {id, operation} = build;
          const of: Record<string, unknown> = {
            machineId: build.machineId,
            kind: build.kind,
            imageId: build.imageId,
          };
          return (
            (wantedStates.length === 0 || wantedStates.includes(operation?.state ?? 0)) &&
            Object.entries(narrowed).every(([name, value]) =>
              name === 'template' ? templates.get(id)?.includes(`${value}`) : of[name] === value,
            ) &&
            (span.since === '' || (timeOf(operation) >= since && timeOf(operation) < until))
          );
        });
        const query = {states: [...wantedStates], ...narrowed, ...span};
        t.deepEqual(idsOf(await app.readBuilds(query)), idsOf(wanted));
      }
});

test('a filter that cannot be is refused', async t => {
  await using app = await setUp();
  const refusals = [
    app.client.listBuilds({since: '2026-02-31T25:00:00Z'}),
    app.client.listBuilds({pageToken: randomUUID()}),
    app.operations.listOperations({until: '0000-01-01T00:00:00Z'}),
    app.operations.listOperations({machineId: 'x'}),
  ];
  for (const refusal of refusals) {
    const error = await t.throwsAsync(refusal, {instanceOf: ConnectError});
    t.is(error?.code, Code.InvalidArgument);
  }
});
