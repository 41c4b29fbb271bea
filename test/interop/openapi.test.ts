import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import formats from 'ajv-formats';
import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js';
import test, {type ExecutionContext} from 'ava';
import {administrator, type RunningServer, startRunningServer} from '../helpers/running-server.ts';

type Operation = {
  readonly responses: Readonly<Record<string, {readonly $ref?: string}>>;
};
type Document = {readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>};

let server: RunningServer;
let token: string;
let document: Document;
const ajv = new Ajv2020({strict: false, allErrors: true});
formats.default(ajv);
for (const format of ['uint32', 'uint64']) ajv.addFormat(format, true);

test.before(async () => {
  server = await startRunningServer();
  token = await server.localToken();
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
  ajv.addSchema(document, 'muster');
});
test.after.always(() => server[Symbol.asyncDispose]());

/** What the document says at this place, as a function of ajv. */
function schemaAt(...place: readonly string[]): ValidateFunction {
  const pointer = place.map(part => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const name = `muster#/${pointer}`;
  const known = ajv.getSchema(name);
  if (!known) throw new Error(`The document has nothing at ${pointer}`);
  return known;
}

function responseSchema(verb: string, path: string, status: number, type = 'application/json') {
  const responses = document.paths[path]?.[verb]?.responses ?? {};
  const key = String(status) in responses ? String(status) : 'default';
  const shared = responses[key]?.$ref?.split('/').slice(1);
  return schemaAt(
    ...(shared ?? ['paths', path, verb, 'responses', key]),
    ...['content', type, 'schema'],
  );
}

type Call = {
  readonly query?: string;
  readonly id?: string;
  readonly body?: unknown;
  token?: string;
};

/** Calls the route and holds the answer, whatever its status, against what the document says about it. */
async function conforms(
  t: ExecutionContext,
  route: string,
  {query = '', id = '', body, token: other}: Call = {},
) {
  const [verb = '', path = ''] = route.split(' ');
  const address = server.url + path.replace(/\{[^}]+\}/, id) + query;
  const response = await fetch(address, {
    method: verb.toUpperCase(),
    headers: {authorization: `Bearer ${other ?? token}`},
    ...(body === undefined ? {} : {body: JSON.stringify(body)}),
  });
  const answer: unknown = await response.json();
  const schema = responseSchema(verb, path, response.status);
  t.true(schema(answer), `${route}: ${ajv.errorsText(schema.errors)}\n${JSON.stringify(answer)}`);
  return {status: response.status, answer: answer as Record<string, unknown>};
}

test.serial('answers of a running server are what the document says', async t => {
  const created = await conforms(t, 'post /api/v1/machines', {
    body: {
      service_tag: 'OPENAPI-1',
      mac_addresses: ['52:54:00:00:0a:01'],
      image_config: {host_name: 'one', packages: ['vim'], files: [{path: '/etc/motd'}]},
    },
  });
  t.is(created.status, 200);
  const id = String(created.answer['id']);
  const changed = await conforms(t, 'put /api/v1/machines/{id}', {id, body: {hostname: 'one'}});
  t.is(changed.answer['hostname'], 'one');
  const calls: readonly (readonly [string, Call, number])[] = [
    ['get /api/v1/machines', {query: '?page_size=1&states=expected'}, 200],
    ['get /api/v1/machines/{id}', {id}, 200],
    ['get /api/v1/boot/explain', {query: '?machine=OPENAPI-1'}, 200],
    ['put /api/v1/machines/{machine_id}/boot-override', {id, body: {action: 'local_disk'}}, 200],
    ['delete /api/v1/machines/{machine_id}/boot-override', {id}, 200],
    ['get /api/v1/machines/{machine_id}/boot-sessions', {id}, 200],
    [
      'post /api/v1/enroll',
      {token: '', body: {service_tag: 'OPENAPI-2', hardware: {a: [1, null]}}},
      200,
    ],
    ['post /api/v1/login', {token: '', body: administrator}, 200],
    ['post /api/v1/users', {body: {username: 'eve', password: 'long enough', role: 'viewer'}}, 200],
    ['get /api/v1/users', {}, 200],
    ['get /api/v1/users/me', {}, 200],
    ['get /api/v1/events', {query: '?after=0'}, 200],
    ['get /api/v1/services', {}, 200],
    ['post /api/v1/services/join-codes', {body: {kind: 'builder', name: 'b1'}}, 200],
    ['get /api/v1/nats-config', {}, 200],
    ['get /api/v1/builds', {}, 200],
    ['get /api/v1/operations', {}, 200],
    ['get /api/v1/images', {}, 200],
    ['get /api/v1/machines/{id}', {id: 'nobody'}, 404],
    ['get /api/v1/machines', {query: '?page_size=5000'}, 400],
    ['get /api/v1/machines', {query: '?colour=red'}, 400],
    ['get /api/v1/machines', {token: 'forged'}, 401],
    ['post /api/v1/machines/{machine_id}/build', {id, body: {}}, 400],
  ];
  for (const [route, call, status] of calls)
    t.is((await conforms(t, route, call)).status, status, route);

  const metrics = {memory_total_bytes: 68_719_476_736, memory_used_bytes: 7};
  const sample = await conforms(t, 'post /api/v1/machines/{machine_id}/metrics', {
    id,
    body: metrics,
  });
  t.like(sample.answer, metrics);
});

test.serial('a schema that fits everything would be found out', t => {
  const schema = responseSchema('get', '/api/v1/machines/{id}', 200);
  for (const wrong of [{}, [], {id: 1}, {error: {}}]) t.false(schema(wrong));
});

for (const type of ['application/x-ndjson', 'text/event-stream'])
  test.serial(`each item of a stream is what the document says, as ${type}`, async t => {
    const child = spawn('curl', [
      ...['-sSN', '-H', `Accept: ${type}`, '-H', `Authorization: Bearer ${token}`],
      `${server.url}/api/v1/events/watch?after=0`,
    ]);
    const [line] = (await once(createInterface({input: child.stdout}), 'line')) as [string];
    child.kill();
    await once(child, 'exit');
    const schema = responseSchema('get', '/api/v1/events/watch', 200, type);
    t.true(schema(JSON.parse(line.replace('data: ', ''))), ajv.errorsText(schema.errors));
  });

const id = '0199c0de-0000-7000-8000-000000000000';

/** Route, body, and whether it is well-formed. What is, may still be refused for what it asks. */
const bodies: readonly (readonly [string, unknown, boolean])[] = [
  ['post /api/v1/users', {username: 'a', password: '0123456789', role: 'viewer'}, true],
  ['post /api/v1/users', {username: 'A', password: '0123456789', role: 'viewer'}, false],
  ['post /api/v1/users', {username: 'b', password: '012345678', role: 'viewer'}, false],
  ['post /api/v1/users', {username: 'b', password: '0123456789', role: 'unspecified'}, false],
  ['post /api/v1/users', {username: 'b', password: '0123456789', role: 'king'}, false],
  ['post /api/v1/users', {username: 'b', role: 'viewer'}, false],
  ['post /api/v1/users', {password: '0123456789', role: 'viewer'}, false],
  ['post /api/v1/users', {username: 'b', password: '0123456789'}, false],
  ['post /api/v1/users', {username: 'b', password: 1234567890, role: 'viewer'}, false],
  ['post /api/v1/users', {username: 'c', password: '0123456789', role: 'admin', age: 3}, false],
  ['post /api/v1/login', {username: '', password: 'x'}, false],
  ['post /api/v1/enroll', {service_tag: 'T', hardware: [1]}, false],
  ['post /api/v1/enroll', {service_tag: 'T'.repeat(129)}, false],
  ['post /api/v1/enroll', {service_tag: 'TAG-1'}, true],
  ['post /api/v1/machines', {service_tag: 'CASE-7K1', mac_addresses: '52:54:00:00:0a:02'}, false],
  ['post /api/v1/machines', {service_tag: 'CASE-7K1', hostname: '-x'}, false],
  ['post /api/v1/machines', {service_tag: 'CASE-7K1', image_config: {packages: ['Vim']}}, false],
  ['post /api/v1/machines', {service_tag: 'CASE-7K1', image_config: {files: [{path: 'x'}]}}, false],
  [
    'post /api/v1/machines',
    {service_tag: 'CASE-7K1', image_config: {files: [{mode: '0644'}]}},
    false,
  ],
  [
    'post /api/v1/machines',
    {service_tag: 'CASE-7K2', clock_skew_ms: '-7', state: 'expected'},
    true,
  ],
  ['post /api/v1/machines', {service_tag: 'CASE-7K3', clock_skew_ms: 1.5}, false],
  ['put /api/v1/machines/{machine_id}/boot-override', {}, false],
  ['put /api/v1/machines/{machine_id}/boot-override', {action: 'unspecified'}, false],
  ['post /api/v1/machines/{machine_id}/metrics', {cpu_usage_percent: 101}, false],
];

test.serial('the schema of a request and the server agree on what is well-formed', async t => {
  for (const [route, body, wellFormed] of bodies) {
    const [verb = '', path = ''] = route.split(' ');
    const place = ['requestBody', 'content', 'application/json', 'schema'];
    const schema = schemaAt('paths', path, verb, ...place);
    const told = `${route} ${JSON.stringify(body)}`;
    t.is(schema(body), wellFormed, `${told}: ${ajv.errorsText(schema.errors)}`);
    const {status} = await conforms(t, route, {id, body});
    t.is(status === 400, !wellFormed, `${told} is answered with ${status}`);
  }
});
