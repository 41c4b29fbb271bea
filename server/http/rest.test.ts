import {createConnectRouter} from '@connectrpc/connect';
import type {ServiceImpl} from '@connectrpc/connect';
import {type DescMethod, type JsonValue, type Message, toJson} from '@bufbuild/protobuf';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test, {type ExecutionContext} from 'ava';
import {serve} from '../../test/helpers/one-port.ts';
import {DomainError} from '../errors.ts';
import {compileRoutes} from './rest-routes.ts';

/** Answers nothing of use, but keeps the last request of each method as canonical JSON. */
function recorder() {
  const last: Record<string, JsonValue> = {};
  const keep = (method: DescMethod, message: Message) => {
    last[method.name] = toJson(method.input, message);
  };
  const {method} = MachineService;
  const machines: Partial<ServiceImpl<typeof MachineService>> = {
    listMachines(request) {
      keep(method.listMachines, request);
      return {machines: [machine], nextPageToken: 'more'};
    },
    getMachine(request) {
      keep(method.getMachine, request);
      if (request.id === 'none') throw new DomainError('not_found', 'Cannot find machine "none"');
      return {machine};
    },
    createMachine(request) {
      keep(method.createMachine, request);
      return {machine};
    },
    updateMachine(request) {
      keep(method.updateMachine, request);
      return {machine};
    },
    enrollMachine(request) {
      keep(method.enrollMachine, request);
      return {machine};
    },
    commandMachine(request) {
      keep(method.commandMachine, request);
      return {commandId: 'c1'};
    },
  };
  return {last, machines};
}

const id = '0199c0de-0000-7000-8000-000000000000';
const machine = {
  id,
  state: Machine_State.ENROLLED,
  clockSkewMs: -5n,
  macAddresses: ['52:54:00:12:34:56'],
  hardware: {memoryBytes: 2n ** 60n, diskBytes: 64n},
};

async function setUp() {
  const {last, machines} = recorder();
  const server = await serve({
    routes(router) {
      router.service(MachineService, machines);
      router.service(UserService, {getCurrentUser: () => ({user: {username: 'me'}})});
      router.service(EventService, {
        async *watchEvents({after}) {
          for (const position of [(after ?? 0n) + 1n, (after ?? 0n) + 2n])
            yield {event: {position}, position};
          if (after === 7n) throw new DomainError('unavailable', 'Cannot follow: cut off');
        },
      });
      router.service(BuildService, {createBuild: () => ({build: {id: 'b1'}})});
    },
  });
  const call = async (
    verb: string,
    path: string,
    {
      body,
      token = 'admin',
      headers = {},
    }: {body?: string; token?: string; headers?: Record<string, string>} = {},
  ) => {
    const authorization = token === '' ? undefined : {authorization: `Bearer ${token}`};
    const response = await fetch(server.url + path, {
      method: verb,
      headers: {...authorization, ...headers},
      ...(body === undefined ? {} : {body}),
    });
    const text = await response.text();
    return {status: response.status, headers: response.headers, text};
  };
  return {call, last, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()};
}

type Case = {
  verb: string;
  path: string;
  body?: JsonValue;
  method: string;
  request: JsonValue;
};

const cases: readonly Case[] = [
  {verb: 'GET', path: '/api/v1/machines', method: 'ListMachines', request: {}},
  {
    verb: 'GET',
    path: '/api/v1/machines?page_size=5&states=ready&states=STATE_ACTIVE&pageToken=x',
    method: 'ListMachines',
    request: {pageSize: 5, states: ['STATE_READY', 'STATE_ACTIVE'], pageToken: 'x'},
  },
  {
    verb: 'GET',
    path: '/api/v1/machines/52%3A54%3a00:12:34:56',
    method: 'GetMachine',
    request: {id: '52:54:00:12:34:56'},
  },
  {
    verb: 'PUT',
    path: `/api/v1/machines/${id}`,
    body: {hostname: 'server01', nixos_config: '{ ... }', imageConfig: {host_name: 'a'}},
    method: 'UpdateMachine',
    request: {
      machine: {id, hostname: 'server01', nixosConfig: '{ ... }', imageConfig: {hostName: 'a'}},
      updateMask: 'hostname,nixosConfig,imageConfig',
    },
  },
  {
    verb: 'PATCH',
    path: `/api/v1/machines/${id}?update_mask=description,image_config.packages`,
    body: {hostname: 'x'},
    method: 'UpdateMachine',
    request: {machine: {id, hostname: 'x'}, updateMask: 'description,imageConfig.packages'},
  },
  {
    verb: 'PUT',
    path: `/api/v1/machines/${id}`,
    body: {id: 'other', description: ''},
    method: 'UpdateMachine',
    request: {machine: {id}, updateMask: 'description'},
  },
  {
    verb: 'POST',
    path: '/api/v1/enroll',
    body: {
      service_tag: 'A1',
      hardware: {cpu: {count: 2}, disks: [1, null, 'x'], unknown_KEY: true},
    },
    method: 'EnrollMachine',
    request: {
      serviceTag: 'A1',
      hardware: {cpu: {count: 2}, disks: [1, null, 'x'], unknown_KEY: true},
    },
  },
  {
    verb: 'POST',
    path: '/api/v1/machines',
    body: {state: 'expected', clock_skew_ms: '9007199254740993', uuid: null},
    method: 'CreateMachine',
    request: {machine: {state: 'STATE_EXPECTED', clockSkewMs: '9007199254740993'}},
  },
  {
    verb: 'POST',
    path: `/api/v1/machines/${id}/command`,
    body: {command: 'power_off'},
    method: 'CommandMachine',
    request: {id, command: 'COMMAND_POWER_OFF'},
  },
];

const becomes = test.macro({
  title: (_title, {verb, path, body, method}: Case) =>
    `${verb} ${path} ${JSON.stringify(body) ?? ''} is ${method}`,
  async exec(t: ExecutionContext, {verb, path, body, method, request}: Case) {
    await using app = await setUp();
    const {status, text} = await app.call(verb, path, body ? {body: JSON.stringify(body)} : {});
    t.is(status, 200, text);
    t.deepEqual(app.last[method], request);
  },
});

for (const entry of cases) test(becomes, entry);

test('a resource is bare, in the dialect, with every field', async t => {
  await using app = await setUp();
  const {text, headers} = await app.call('GET', `/api/v1/machines/${id}`);
  t.is(headers.get('content-type'), 'application/json');
  t.like(JSON.parse(text), {
    id,
    state: 'enrolled',
    presence: 'unspecified',
    clock_skew_ms: -5,
    hostname: '',
    mac_addresses: ['52:54:00:12:34:56'],
    hardware: {memory_bytes: '1152921504606846976', disk_bytes: 64},
  });
});

test('a list is bare and its next page is named in a header', async t => {
  await using app = await setUp();
  const {text, headers} = await app.call('GET', '/api/v1/machines');
  t.is((JSON.parse(text) as unknown[]).length, 1);
  t.is(headers.get('next-page-token'), 'more');
});

test('an empty body is an empty request, and HEAD has the headers of GET', async t => {
  await using app = await setUp();
  t.is((await app.call('POST', `/api/v1/machines/${id}/build`)).status, 200);
  const head = await app.call('HEAD', '/api/v1/users/me');
  t.is(head.status, 200);
  t.is(head.text, '');
  t.true(Number(head.headers.get('content-length')) > 10);
});

const refusals: readonly (readonly [string, string, string | undefined, number, RegExp])[] = [
  ['GET', '/api/v1/machines?colour=red', undefined, 400, /unknown query parameter "colour"/],
  ['GET', '/api/v1/machines?page_size=many', undefined, 400, /page_size|pageSize/],
  [
    'GET',
    '/api/v1/machines?page_size=1&page_size=2',
    undefined,
    400,
    /"page_size" is given 2 times/,
  ],
  ['GET', '/api/v1/machines?states=asleep', undefined, 400, /"states" must be one of "expected"/],
  ['GET', '/api/v1/machines/%zz', undefined, 400, /malformed percent-encoding/],
  ['GET', '/api/v1/machines?page_size=9999', undefined, 400, /"page_size" must be/],
  ['PUT', `/api/v1/machines/${id}`, '{"host": "a"}', 400, /unknown field "host"/],
  ['PUT', `/api/v1/machines/${id}`, '{"hostname": ', 400, /not JSON/],
  ['PUT', `/api/v1/machines/${id}`, '[]', 400, /the body must be a JSON object/],
  [
    'PUT',
    `/api/v1/machines/${id}`,
    '{"nixos_config":"a","nixosConfig":"b"}',
    400,
    /one field twice/,
  ],
  ['PUT', `/api/v1/machines/${id}?machine.uuid=1`, '{}', 400, /belongs into the body/],
  ['POST', '/api/v1/machines', '{"clock_skew_ms": 9007199254740993}', 400, /send it as a string/],
  ['POST', '/api/v1/machines', '{"mac_addresses": "x"}', 400, /must be an array/],
  ['POST', '/api/v1/enroll', '{"__proto__": {"a": 1}}', 400, /unknown field "__proto__"/],
  ['GET', '/api/v1/machines/none', undefined, 404, /Cannot find machine "none"/],
  ['GET', '/api/v1/nothing', undefined, 404, /no such path/],
  ['GET', '/', undefined, 404, /no such path/],
  ['DELETE', '/api/v1/machines', undefined, 405, /it takes (GET, HEAD, POST|POST, GET, HEAD)/],
];

for (const [verb, path, body, status, message] of refusals) {
  test(`${verb} ${path} ${body ?? ''} is refused with ${status}`, async t => {
    await using app = await setUp();
    const answer = await app.call(verb, path, body === undefined ? {} : {body});
    t.is(answer.status, status, answer.text);
    const {error} = JSON.parse(answer.text) as {error: {code: string; message: string}};
    t.regex(error.message, message);
    t.regex(error.code, /^[a-z_]+$/);
    if (status === 405) t.regex(answer.headers.get('allow') ?? '', /GET/);
  });
}

test('REST asks for the same permissions and says who could', async t => {
  await using app = await setUp();
  const without = await app.call('GET', '/api/v1/machines', {token: ''});
  t.is(without.status, 401);
  t.is(without.headers.get('www-authenticate'), 'Bearer');
  const viewer = await app.call('POST', '/api/v1/machines', {token: 'viewer', body: '{}'});
  t.is(viewer.status, 403);
  t.regex(viewer.text, /it needs role \\"operator\\" or \\"admin\\"/);
});

test('a broken rule is a sentence and a detail', async t => {
  await using app = await setUp();
  const {text} = await app.call('GET', '/api/v1/machines?page_size=9999');
  const {error} = JSON.parse(text) as {error: {details: {type: string}[]}};
  t.is(error.details[0]?.type, 'buf.validate.Violations');
});

test('a stream is one object a line, or server-sent events; a late error is its last word', async t => {
  await using app = await setUp();
  const lines = await app.call('GET', '/api/v1/events/watch?after=7');
  t.is(lines.headers.get('content-type'), 'application/x-ndjson');
  const objects = lines.text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as object);
  t.like(objects[0], {event: {position: 8}});
  t.like(objects[2], {error: {code: 'unavailable', message: 'Cannot follow: cut off'}});

  const events = await app.call('GET', '/api/v1/events/watch', {
    headers: {accept: 'text/event-stream'},
  });
  t.is(events.headers.get('content-type'), 'text/event-stream');
  t.regex(events.text, /^data: \{"event":\{.*"position":1,.*\}\nid: 1\n\ndata: .*\nid: 2\n\n$/);

  const headers = {accept: 'text/event-stream', 'last-event-id': '41'};
  const resumed = await app.call('GET', '/api/v1/events/watch?after=3', {headers});
  t.regex(resumed.text, /^data: \{"event":\{.*"position":42,/);
  const wrong = await app.call('GET', '/api/v1/events/watch', {
    headers: {...headers, 'last-event-id': '18446744073709551616'},
  });
  t.is(wrong.status, 400);
  t.regex(wrong.text, /Cannot go on after event/);

  const refused = await app.call('GET', '/api/v1/events/watch', {token: ''});
  t.is(refused.status, 401);
});

test('two methods on one route do not start', t => {
  const router = createConnectRouter();
  router.service(MachineService, {});
  t.throws(() => compileRoutes([...router.handlers, ...router.handlers]), {message: /both claim/});
});
