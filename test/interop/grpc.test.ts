import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {create} from '@bufbuild/protobuf';
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {createGrpcWebTransport} from '@connectrpc/connect-node';
import {findTrailerError} from '@connectrpc/connect/protocol-grpc';
import * as grpc from '@grpc/grpc-js';
import {ViolationsSchema} from '@muster/proto/gen/buf/validate/validate_pb.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '@muster/proto/gen/grpc/health/v1/health_pb.ts';
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from '@muster/proto/gen/grpc/reflection/v1/reflection_pb.ts';
import {EventService, type WatchEventsResponse} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {createGrpcClient} from '../helpers/grpc-client.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';

let muster: Muster;
test.before(async () => {
  muster = await startMuster();
});
test.after.always(() => muster[Symbol.asyncDispose]());

const connect = async (token?: string) =>
  createGrpcClient(new URL(muster.serverUrl).host, token ?? (await muster.localToken()));

const expectMachine = (serviceTag: string) =>
  muster.client(MachineService).createMachine({machine: {serviceTag}});

const rejection = (call: Promise<unknown>): Promise<grpc.ServiceError> =>
  call.then(
    () => Promise.reject(new Error('It was not refused')),
    (error: grpc.ServiceError) => error,
  );

test('a call with grpc-js gives a machine', async t => {
  using client = await connect();
  const {createMachine, getMachine} = MachineService.method;
  await client.unary(createMachine, {machine: {serviceTag: 'GRPC-7XK1'}});
  const {machine} = await client.unary(getMachine, {id: 'GRPC-7XK1'});
  t.like(machine, {serviceTag: 'GRPC-7XK1', state: Machine_State.EXPECTED});
});

test('a refusal has its gRPC code, and the broken rules as a detail', async t => {
  using client = await connect();
  const {getMachine, listMachines} = MachineService.method;
  const missing = await rejection(client.unary(getMachine, {id: 'nobody'}));
  t.is(missing.code, grpc.status.NOT_FOUND);

  const refused = await rejection(client.unary(listMachines, {pageSize: 5000}));
  t.is(refused.code, grpc.status.INVALID_ARGUMENT);
  const [packed] = refused.metadata.get('grpc-status-details-bin');
  t.true(Buffer.isBuffer(packed));
  const trailer = new Headers({
    'grpc-status': String(refused.code),
    'grpc-status-details-bin': Buffer.from(packed ?? '').toString('base64'),
  });
  const [violations] = findTrailerError(trailer)?.findDetails(ViolationsSchema) ?? [];
  t.is(violations?.violations[0]?.field?.elements[0]?.fieldName, 'page_size');

  using stranger = await connect('');
  const anonymous = await rejection(stranger.unary(getMachine, {id: 'nobody'}));
  t.is(anonymous.code, grpc.status.UNAUTHENTICATED);
});

test('a watcher gets what was and what comes, until it cancels', async t => {
  using client = await connect();
  await expectMachine('GRPC-7XK2');
  const stream = client.serverStream(EventService.method.watchEvents, {
    after: 0n,
    typePrefix: 'machine.',
  });
  const messages = stream[Symbol.asyncIterator]() as AsyncIterator<WatchEventsResponse, undefined>;
  const next = async () => (await messages.next()).value?.event;
  const first = await next();
  t.is(first?.type, 'machine.expected');

  const {machine} = await expectMachine('GRPC-7XK3');
  let last = first;
  while (last && last.machineId !== machine?.id) last = await next();
  t.true((last?.position ?? 0n) > (first?.position ?? 0n));

  const ended = rejection(next());
  stream.cancel();
  t.is((await ended).code, grpc.status.CANCELLED);
});

test('reflection lists every service, and gives the file of one', async t => {
  using client = await connect('');
  const questions = client.bidi(ServerReflection.method.serverReflectionInfo);
  const ask = async (
    messageRequest: Parameters<typeof create<typeof ServerReflectionRequestSchema>>[1] & object,
  ) => {
    const answer = once(questions, 'data');
    questions.write(create(ServerReflectionRequestSchema, messageRequest));
    const [{messageResponse}] = (await answer) as [ServerReflectionResponse];
    return messageResponse;
  };
  const list = await ask({messageRequest: {case: 'listServices', value: ''}});
  const names =
    list.case === 'listServicesResponse' ? list.value.service.map(({name}) => name) : [];
  for (const noun of 'Agent Boot Build Event Hardware Image Machine Metrics Operation Service Session User'.split(
    ' ',
  ))
    t.true(names.includes(`muster.v1.${noun}Service`), noun);
  t.true(names.includes(Health.typeName));

  const symbol = 'muster.v1.BootService.ExplainBoot';
  const file = await ask({messageRequest: {case: 'fileContainingSymbol', value: symbol}});
  t.true(file.case === 'fileDescriptorResponse' && file.value.fileDescriptorProto.length > 1);
  questions.end();
});

test('the health service speaks for the server and for each service', async t => {
  using client = await connect('');
  const {check} = Health.method;
  for (const service of ['', MachineService.typeName])
    t.is((await client.unary(check, {service})).status, HealthCheckResponse_ServingStatus.SERVING);
  t.is((await rejection(client.unary(check, {service: 'nobody'}))).code, grpc.status.NOT_FOUND);
});

test('gRPC-Web calls, and hears refusals', async t => {
  const authorization = `Bearer ${await muster.localToken()}`;
  const transport = createGrpcWebTransport({baseUrl: muster.serverUrl, httpVersion: '1.1'});
  const machines = createClient(MachineService, transport);
  await expectMachine('GRPC-7XK4');
  const {machine} = await machines.getMachine({id: 'GRPC-7XK4'}, {headers: {authorization}});
  t.is(machine?.serviceTag, 'GRPC-7XK4');

  const refused = await t.throwsAsync(machines.getMachine({id: 'GRPC-7XK4'}));
  t.is(ConnectError.from(refused).code, Code.Unauthenticated);
});

for (const [accept, pattern] of [
  ['text/event-stream', /^data: (\{.*\})$/],
  ['*/*', /^(\{.*\})$/],
] as const)
  test(`curl -N watches events as ${accept}`, async t => {
    const {machine} = await expectMachine(accept === '*/*' ? 'GRPC-7XK5' : 'GRPC-7XK6');
    const child = spawn(
      'curl',
      [
        ...[
          '-sSN',
          '-H',
          `Accept: ${accept}`,
          '-H',
          'Authorization: Bearer ' + (await muster.localToken()),
        ],
        `${muster.serverUrl}/api/v1/events/watch?after=0&machine_id=${machine?.id}`,
      ],
      {stdio: ['ignore', 'pipe', 'inherit']},
    );
    const [line] = (await once(createInterface({input: child.stdout}), 'line')) as [string];
    const {event} = JSON.parse(pattern.exec(line)?.[1] ?? 'null') as {event: object};
    t.like(event, {type: 'machine.expected', machine_id: machine?.id, actor: 'local'});
    t.is(typeof Reflect.get(event, 'position'), 'number');
    child.kill();
    await once(child, 'exit');
  });
