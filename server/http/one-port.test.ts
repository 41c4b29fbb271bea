import {execFile} from 'node:child_process';
import http2 from 'node:http2';
import net from 'node:net';
import {promisify} from 'node:util';
import {Code, ConnectError, createClient, type Transport} from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import {Health} from '@muster/proto/gen/grpc/health/v1/health_pb.ts';
import {ServerReflection} from '@muster/proto/gen/grpc/reflection/v1/reflection_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {createGrpcClient} from '../../test/helpers/grpc-client.ts';
import {serve} from '../../test/helpers/one-port.ts';
import {addHealth} from '../rpc/health.ts';
import {addReflection} from '../rpc/reflection.ts';

const execute = promisify(execFile);

const setUp = () =>
  serve({
    routes(router) {
      router.service(MachineService, {
        getMachine: ({id}) => ({machine: {id, hostname: 'r7'}}),
        createMachine: ({machine}) => ({machine: {id: machine?.serviceTag ?? ''}}),
      });
      router.service(EventService, {
        async *watchEvents() {
          yield {event: {position: 1n}};
          yield {event: {position: 2n}};
        },
      });
      addHealth(router, () => ({database: true}));
      addReflection(router);
    },
  });

const authorize = {
  interceptors: [
    (next => request => {
      request.header.set('authorization', 'Bearer admin');
      return next(request);
    }) satisfies NonNullable<Parameters<typeof createConnectTransport>[0]['interceptors']>[number],
  ],
};

/** A client of node:http2 that holds 10 MB cannot read the answer within its own limit of 10 MB a session. */
const roomy = {maxSessionMemory: 100};

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'Connect JSON over HTTP/1.1': baseUrl =>
    createConnectTransport({baseUrl, httpVersion: '1.1', useBinaryFormat: false, ...authorize}),
  'Connect binary over HTTP/1.1': baseUrl =>
    createConnectTransport({baseUrl, httpVersion: '1.1', useBinaryFormat: true, ...authorize}),
  'Connect JSON over HTTP/2': baseUrl =>
    createConnectTransport({
      baseUrl,
      httpVersion: '2',
      useBinaryFormat: false,
      nodeOptions: roomy,
      ...authorize,
    }),
  'gRPC over HTTP/2': baseUrl => createGrpcTransport({baseUrl, nodeOptions: roomy, ...authorize}),
  'gRPC-Web over HTTP/1.1': baseUrl =>
    createGrpcWebTransport({baseUrl, httpVersion: '1.1', ...authorize}),
};

for (const [name, createTransport] of Object.entries(transports)) {
  test(`one port speaks ${name}: call, refusal, stream, oversized body`, async t => {
    await using server = await setUp();
    const transport = createTransport(server.url);
    const machines = createClient(MachineService, transport);
    t.is((await machines.getMachine({id: 'r7'})).machine?.hostname, 'r7');

    const refused = await t.throwsAsync(machines.getMachine({id: ''}));
    t.is(ConnectError.from(refused).code, Code.InvalidArgument);

    const positions: bigint[] = [];
    for await (const {event} of createClient(EventService, transport).watchEvents({}))
      positions.push(event?.position ?? 0n);
    t.deepEqual(positions, [1n, 2n]);

    const large = {machine: {nixosConfig: 'x'.repeat(10 * 1024 * 1024)}};
    const tooLarge = ConnectError.from(await t.throwsAsync(machines.createMachine(large)));
    t.is(tooLarge.code, Code.ResourceExhausted, tooLarge.message);
    t.regex(tooLarge.rawMessage, /4194304/);
  });
}

test('an independent gRPC client calls, and is told its lack of a token', async t => {
  await using server = await setUp();
  const address = `127.0.0.1:${server.port}`;
  const {getMachine} = MachineService.method;
  using viewer = createGrpcClient(address, 'viewer');
  t.is((await viewer.unary(getMachine, {id: 'r7'})).machine?.hostname, 'r7');
  using stranger = createGrpcClient(address, '');
  await t.throwsAsync(stranger.unary(getMachine, {id: 'r7'}), {message: /^16 UNAUTHENTICATED/});
});

test('reflection lists the services and gives the file of a symbol; health says serving', async t => {
  await using server = await setUp();
  const transport = createGrpcTransport({baseUrl: server.url});
  const reflection = createClient(ServerReflection, transport);
  const ask = async function* () {
    yield {messageRequest: {case: 'listServices', value: ''}} as const;
    yield {
      messageRequest: {case: 'fileContainingSymbol', value: 'muster.v1.MachineService.GetMachine'},
    } as const;
    yield {messageRequest: {case: 'fileByFilename', value: 'nothing.proto'}} as const;
    yield {
      messageRequest: {
        case: 'allExtensionNumbersOfType',
        value: 'google.protobuf.MethodOptions',
      },
    } as const;
  };
  const answers = await Array.fromAsync(reflection.serverReflectionInfo(ask()));
  const [list, file, missing, extensions] = answers.map(({messageResponse}) => messageResponse);
  t.true(
    list?.case === 'listServicesResponse' &&
      list.value.service.some(({name}) => name === 'muster.v1.MachineService'),
  );
  t.true(file?.case === 'fileDescriptorResponse' && file.value.fileDescriptorProto.length > 3);
  t.like(missing, {case: 'errorResponse', value: {errorCode: Code.NotFound}});
  t.true(
    extensions?.case === 'allExtensionNumbersResponse' &&
      extensions.value.extensionNumber.includes(50_501),
  );

  const health = createClient(Health, transport);
  t.is((await health.check({service: 'muster.v1.EventService'})).status, 1);
  await t.throwsAsync(health.check({service: 'nobody'}), {message: /no such service/});
});

test('curl speaks REST over HTTP/1.1 and HTTP/2, and hears why 10 MB are too many', async t => {
  await using server = await setUp();
  const curl = async (...options: readonly string[]) => {
    const {stdout} = await execute('curl', ['-sS', '-w', '%{http_code}', ...options]);
    return stdout;
  };
  for (const version of ['--http1.1', '--http2-prior-knowledge']) {
    const url = `${server.url}/api/v1/machines`;
    const token = ['-H', 'Authorization: Bearer admin'];
    t.regex(await curl(version, ...token, `${url}/r7`), /"hostname":"r7".*\n200$/);

    const body = `{"description": "${'x'.repeat(10 * 1024 * 1024)}"}`;
    const answer = execute('curl', [
      '-sS',
      '-w',
      '%{http_code}',
      version,
      ...token,
      '-d',
      '@-',
      url,
    ]);
    answer.child.stdin?.end(body);
    t.regex((await answer).stdout, /larger than 4194304 bytes.*\n413$/);
  }
  t.is(await curl(`${server.url}/healthz`), '{"status":"ok"}\n200');
  t.regex(await curl(`${server.url}/metrics`), /200$/);
  t.regex(await curl('-i', `${server.url}/setup`), /content-security-policy: default-src 'none'/i);
});

test('malformed requests are answered and the server lives on', async t => {
  await using server = await setUp();
  const raw = async (text: string) => {
    const socket = net.connect(server.port, '127.0.0.1');
    socket.end(text);
    return Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString();
  };
  const path = '/muster.v1.MachineService/GetMachine';
  t.regex(
    await raw(`POST ${path} HTTP/1.0\r\n\r\n`),
    /^HTTP\/1.1 400 [^]*Host or path is malformed/,
  );
  t.regex(await raw(`POST ${path} HTTP/1.1\r\nHost: [\r\n\r\n`), /^HTTP\/1.1 400/);
  t.regex(await raw('GET // HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 404/);
  t.regex(await raw('nonsense\r\n\r\n'), /^HTTP\/1.1 400/);

  const session = http2.connect(server.url);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/json',
  });
  stream.end('{"id": ');
  const headers = (await new Promise(resolve => {
    stream.once('response', resolve);
  })) as http2.IncomingHttpStatusHeader;
  t.is(headers[':status'], 400);
  session.close();
});
