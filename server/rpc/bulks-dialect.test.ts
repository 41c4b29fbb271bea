import {BulkService} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {createTestBulks} from '../../test/helpers/bulks.ts';
import {serve} from '../../test/helpers/one-port.ts';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {createOperations} from '../domain/operations.ts';
import {bulkService} from './bulks.ts';
import {operationService} from './operations.ts';

type Body = Record<string, unknown> & {readonly error?: {readonly message: string}};

test('the bulk requests of Metal Enrollment work as its README has them', async t => {
  await using postgres = await startPostgres();
  await using database = await postgres.createDatabase();
  await using app = await createTestBulks(database.sql);
  const operations = createOperations({
    sql: database.sql,
    now: () => new Date(),
    cancel: {bulk: app.bulks.cancel},
  });
  const identify = () => Promise.resolve({name: 'user:alice', role: 'operator'} as const);
  await using server = await serve({
    identify,
    routes: router => {
      router.service(BulkService, bulkService(app.bulks));
      router.service(OperationService, operationService(operations, app.bulks));
    },
  });
  const call = async (verb: string, path: string, body?: string) => {
    const headers = {authorization: 'Bearer x', 'content-type': 'application/json'};
    const response = await fetch(server.url + path, {
      method: verb,
      headers,
      ...(body ? {body} : {}),
    });
    return {status: response.status, body: (await response.json()) as Body};
  };
  const group = await app.groups.create('user:alice', {
    name: 'group-id',
    description: '',
    tags: [],
    filter: '',
    priority: 0,
    templates: [],
    bootProfile: undefined,
  });
  const tags = ['id1', 'id2', 'id3'];
  const ids = await Promise.all(
    tags.map(serviceTag => createTestMachine(database.sql, 'enrolled', {serviceTag})),
  );
  await app.groups.add('user:alice', group.id, ids[0] ?? '');

  const updated = await call(
    'POST',
    '/api/v1/bulk',
    `{
    "group_id": "group-id",
    "operation": "update",
    "data": {
      "description": "Updated via bulk operation"
    }
  }`,
  );
  t.is(updated.status, 200, updated.body.error?.message);
  t.like(updated.body, {kind: 'bulk', action: 'update', state: 'queued', children: {total: 1}});
  await app.drive(String(updated.body['id']));
  t.is((await app.machines.get('id1')).description, 'Updated via bulk operation');
  t.is((await app.machines.get('id2')).description, '');

  const built = await call(
    'POST',
    '/api/v1/bulk',
    `{
    "machine_ids": ["id1", "id2", "id3"],
    "operation": "build"
  }`,
  );
  t.is(built.status, 200, built.body.error?.message);
  const id = String(built.body['id']);
  await app.drive(id);
  t.is((await database.sql`select 1 from builds where live`).length, 3);
  const children = await call('GET', `/api/v1/operations/${id}/children?page_size=2`);
  t.like(children.body, {length: 2, 0: {machine_id: ids[0], state: 'running', step: 'building'}});
  t.like((await call('GET', `/api/v1/operations/${id}`)).body, {children: {running: 3}});

  for (const [body, message] of [
    ['{"operation": "update", "data": {"notes": "x"}}', /exactly one of/],
    ['{"machine_ids": ["id1"], "operation": "explode"}', /must be one of "update", "build"/],
    ['{"machine_ids": ["id1"]}', /operation/],
    ['{"machine_ids": ["id1"], "operation": "update", "data": {"bmc": 1}}', /unknown field/],
  ] as const) {
    const refused = await call('POST', '/api/v1/bulk', body);
    t.is(refused.status, 400, body);
    t.regex(refused.body.error?.message ?? '', message);
  }
});
