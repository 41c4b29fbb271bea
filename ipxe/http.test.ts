import {once} from 'node:events';
import net from 'node:net';
import test from 'ava';
import * as fc from 'fast-check';
import {pino} from 'pino';
import {type Logger, silentLogger} from '@muster/runtime/log.ts';
import {listenHttp, parseHotRequest} from './http.ts';
import {createMetrics} from './metrics.ts';
import {toReply} from './replies.ts';
import {rawHttp} from './testing/raw-http.ts';

const ready = toReply('#!ipxe\nexit 1\n');

async function setUp(
  options: {connectionsMax?: number; connectionsPerAddressMax?: number; log?: Logger} = {},
) {
  const metrics = createMetrics();
  const slow: string[] = [];
  const listener = await listenHttp({
    httpHost: '127.0.0.1',
    httpPort: 0,
    connectionsMax: 1000,
    connectionsPerAddressMax: 1000,
    ready: tag => (tag === 'KNOWN' ? ready : undefined),
    handler: (request, response) => {
      slow.push(request.url ?? '');
      response.end('slow');
    },
    metrics,
    log: silentLogger,
    ...options,
  });
  return {
    port: listener.port,
    metrics,
    slow,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const hot = get('/nixos/machines/KNOWN.ipxe');
const times = (text: string, part: string) => text.split(part).length - 1;

test('a ready answer is one write, byte for byte what was rendered', async t => {
  await using server = await setUp();
  const closing = get('/nixos/machines/KNOWN.ipxe', 'Connection: close\r\n');
  t.is(await rawHttp(server.port, [closing]), ready.closing.toString());
  t.regex(ready.closing.toString(), /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n/);
  t.deepEqual(server.slow, []);
});

test('a connection is used again, and handed over to node:http with what it sent', async t => {
  await using server = await setUp();
  const socket = net.connect(server.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const ask = async (request: string) => {
    socket.write(request);
    const [data]: Buffer[] = await once(socket, 'data');
    return data?.toString();
  };
  t.is(await ask(hot), ready.whole.toString());
  t.is(await ask(hot), ready.whole.toString());
  t.regex((await ask(get('/other'))) ?? '', /slow$/);
  t.regex((await ask(hot)) ?? '', /slow$/);
  t.deepEqual(server.slow, ['/other', '/nixos/machines/KNOWN.ipxe']);
});

test('requests in one segment, and one in two segments, are answered by node:http', async t => {
  await using server = await setUp();
  const last = get('/last', 'Connection: close\r\n');
  const pipelined = await rawHttp(server.port, [hot + hot + last]);
  t.is(times(pipelined, 'slow'), 3);
  const split = await rawHttp(server.port, [hot.slice(0, 20), hot.slice(20) + last]);
  t.is(times(split, 'slow'), 2);
});

for (const [what, request] of [
  ['a body', get('/nixos/machines/KNOWN.ipxe', 'Content-Length: 5\r\n')],
  ['chunks', get('/nixos/machines/KNOWN.ipxe', 'Transfer-Encoding : chunked\r\n')],
  ['a query', get('/nixos/machines/KNOWN.ipxe?x=1')],
  ['an encoded tag', get('/nixos/machines/KN%4fWN.ipxe')],
  ['an older version', 'GET /nixos/machines/KNOWN.ipxe HTTP/1.0\r\n\r\n'],
  ['another method', 'HEAD /nixos/machines/KNOWN.ipxe HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['an unknown suffix', get('/nixos/machines/KNOWN.txt')],
] as const)
  test(`a request with ${what} goes the long way`, t => {
    t.is(parseHotRequest(Buffer.from(request)), undefined);
  });

test('any bytes are a hot request or not', t => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 200}), bytes => {
      t.notThrows(() => parseHotRequest(Buffer.from(bytes)));
      t.notThrows(() =>
        parseHotRequest(Buffer.concat([Buffer.from('GET /nixos/machines/'), bytes])),
      );
    }),
  );
});

const isRefused = test.macro({
  async exec(t, request: string, status: number) {
    await using server = await setUp();
    t.regex(await rawHttp(server.port, [request]), new RegExp(`^HTTP/1.1 ${status} `));
    t.is(
      await rawHttp(server.port, [get('/x', 'Connection: close\r\n')]).then(text =>
        times(text, 'slow'),
      ),
      1,
    );
  },
  title: providedTitle => providedTitle ?? '',
});

test('headers of 20 KB are refused', isRefused, get('/x', `X: ${'y'.repeat(20_000)}\r\n`), 431);
test(
  'no HTTP at all is refused',
  isRefused,
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  400,
);
test(
  'two lengths are refused',
  isRefused,
  get('/x', 'Content-Length: 1\r\nContent-Length: 2\r\n'),
  400,
);

test('a connection that its client resets is no refused request', async t => {
  const line = Promise.withResolvers<string>();
  const log = pino({level: 'debug'}, {write: line.resolve});
  await using server = await setUp({log});
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(get('/x'));
  await once(socket, 'data');
  socket.resetAndDestroy();
  t.regex(await line.promise, /ECONNRESET/);
  t.notRegex(await server.metrics.text(), /kind="refused"/);
});

test('a connection that sends its request drop by drop is cut off', async t => {
  await using server = await setUp();
  const text = await rawHttp(server.port, ['GET /nixos/machines/KNOWN.ipxe HTTP/1.1\r\n']);
  t.regex(text, /^HTTP\/1.1 408 /);
});

test('a connection that says nothing is cut off', async t => {
  await using server = await setUp();
  t.is(await rawHttp(server.port, []), '');
});

test('one address gets a limited number of connections', async t => {
  await using server = await setUp({connectionsPerAddressMax: 1});
  const first = net.connect(server.port, '127.0.0.1');
  t.teardown(() => first.destroy());
  first.write(hot);
  await once(first, 'data');
  t.is(await rawHttp(server.port, []).catch(() => ''), '');
  t.regex(await server.metrics.text(), /connections_refused_total 1/);
});
