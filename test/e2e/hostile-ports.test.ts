import dgram from 'node:dgram';
import {once} from 'node:events';
import http2 from 'node:http2';
import net, {type Socket} from 'node:net';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import anyTest, {type ExecutionContext, type TestFn} from 'ava';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {ready, until} from '../helpers/processes.ts';
import {readMetric} from '../helpers/stranger.ts';

type Context = {muster: Muster; pids: readonly (number | undefined)[]};
const test = anyTest as TestFn<Context>;
test.before(async t => {
  const muster = await startMuster();
  t.context = {muster, pids: [muster.server.pid, muster.edge.pid]};
});
test.after.always(t => t.context.muster[Symbol.asyncDispose]());

/** Both still answer, and are the processes that they were. */
async function areWell(t: ExecutionContext<Context>): Promise<void> {
  const {muster, pids} = t.context;
  await ready(`${muster.serverUrl}/readyz`);
  await ready(`${muster.edgeUrl}/readyz`);
  t.deepEqual([muster.server.pid, muster.edge.pid], [...pids]);
  t.true(muster.server.alive() && muster.edge.alive());
}

const portOf = (url: string) => Number(new URL(url).port);

/** From another address of the loopback network, so that limits for each address spare everybody else. */
async function open(port: number, localAddress = '127.0.0.2'): Promise<Socket> {
  const socket = net.connect({port, host: '127.0.0.1', localAddress});
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The whole answer to these bytes. */
async function ask(port: number, bytes: string | Buffer): Promise<string> {
  const socket = await open(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  socket.setTimeout(20_000, () => socket.destroy(new Error('No end in sight')));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

const json = {'content-type': 'application/json'};

async function post(
  url: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = json,
): Promise<number> {
  const response = await fetch(url, {method: 'POST', body, headers});
  await response.arrayBuffer();
  return response.status;
}

const get = (target: string, headers = '') =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;

test.serial(
  'bodies that are too large, no text, or a bomb are refused by the one port',
  async t => {
    const {serverUrl} = t.context.muster;
    const enroll = `${serverUrl}/muster.v1.AgentService/EnrollAgent`;
    const large = JSON.stringify({bootToken: 'x'.repeat(10 * 1024 * 1024)});
    const bomb = await promisify(gzip)(Buffer.alloc(200 * 1024 * 1024, ' '));
    t.is(await post(enroll, large), 429);
    t.is(await post(`${serverUrl}/api/v1/login`, large), 413);
    const notText = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]);
    t.is(await post(enroll, notText), 400);
    t.is(await post(`${serverUrl}/api/v1/login`, notText), 400);
    const before = await readMetric(serverUrl, 'process_resident_memory_bytes');
    t.is(await post(enroll, bomb, {...json, 'content-encoding': 'gzip'}), 429);
    t.is(await post(`${serverUrl}/api/v1/login`, bomb, {...json, 'content-encoding': 'gzip'}), 400);
    t.is(await post(enroll, 'junk', {...json, 'content-encoding': 'gzip'}), 400);
    const grown = (await readMetric(serverUrl, 'process_resident_memory_bytes')) - before;
    t.true(grown < 100 * 1024 * 1024, `the bomb took ${grown} bytes`);
    t.is(await post(enroll, '['.repeat(200_000)), 400);
    t.is(await post(enroll, '{}', {'content-type': 'text/html'}), 415);

    // A frame of gRPC that says that four gigabytes follow.
    const session = http2.connect(serverUrl);
    t.teardown(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/muster.v1.AgentService/EnrollAgent',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const answered = once(stream, 'response');
    stream.end(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    await answered;
    stream.close();
    await areWell(t);
  },
);

test.serial('no path of the edge leads out of it, and none breaks it', async t => {
  const {edgeUrl} = t.context.muster;
  const port = portOf(edgeUrl);
  const digest = 'a'.repeat(64);
  const long = 'x'.repeat(64 * 1024);
  const cases: readonly (readonly [string, RegExp])[] = [
    [get('/images/sha256/../../etc/passwd'), /^HTTP\/1\.1 404 /],
    [get('/images/sha256/%2e%2e/%2e%2e/etc/passwd'), /^HTTP\/1\.1 404 /],
    [get('/images/sha256/..%2f..%2fetc%2fpasswd'), /^HTTP\/1\.1 404 /],
    [get(`/images/sha256/${digest}/..%2f..%2f..%2fetc%2fpasswd`), /^HTTP\/1\.1 404 /],
    [get(`/images/sha256/${digest}/vmlinuz%00.txt`), /^HTTP\/1\.1 400 /],
    [get('/loaders/../edge.seed'), /^HTTP\/1\.1 404 /],
    [get('/loaders/..%5c..%5cedge.seed'), /^HTTP\/1\.1 404 /],
    [get('/nixos/machines/../../edge.seed.ipxe'), /^HTTP\/1\.1 (404|200) /],
    [get('//etc/passwd'), /^HTTP\/1\.1 404 /],
    [get('http://127.0.0.1:8080/etc/passwd'), /^HTTP\/1\.1 40[04] /],
    [get('/%'), /^HTTP\/1\.1 400 /],
    [get('/%ff%fe'), /^HTTP\/1\.1 400 /],
    [get('*'), /^HTTP\/1\.1 40[04] /],
    [get('/a\0b'), /^HTTP\/1\.1 400 /],
    [get(`/${long}`), /^HTTP\/1\.1 431 /],
    [get(`/boot.ipxe?mac=${long}`), /^HTTP\/1\.1 431 /],
    [get('/healthz', `X: ${long}\r\n`), /^HTTP\/1\.1 431 /],
    [get('/healthz', 'X: y\r\n'.repeat(5000)), /^HTTP\/1\.1 431 /],
    [get('/healthz', 'Content-Length: x\r\n'), /^HTTP\/1\.1 400 /],
    [get('/healthz', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), /^HTTP\/1\.1 400 /],
    [get('/healthz').replace('GET', 'DELETE'), /^HTTP\/1\.1 405 /],
    [get('/healthz').replace('GET', 'PUT'), /^HTTP\/1\.1 405 /],
    [get('/boot.ipxe').replace('GET', 'POST'), /^HTTP\/1\.1 405 /],
    [get('/healthz').replace('GET', 'BREW'), /^HTTP\/1\.1 400 /],
    ['\x16\x03\x01\x02\x00\x01', /^HTTP\/1\.1 400 /],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 (400|505) /],
    [get('/boot/token.json?mac=zz'), /^HTTP\/1\.1 400 /],
    [get('/boot/token.json?mac=52-54-00-00-00-01&image=../../x'), /^HTTP\/1\.1 400 /],
    [get('/boot/token.json?mac=52-54-00-00-00-01&session=%00'), /^HTTP\/1\.1 200 /],
    [get('/boot/report?step=%0d%0aX:%20y&errno=%00'), /^HTTP\/1\.1 200 /],
    [get('/boot.ipxe?serial=zz&uuid=%00&mac=%ff&mac=&mac='), /^HTTP\/1\.1 200 /],
  ];
  for (const [request, expected] of cases) {
    const answer = await ask(port, request);
    const [line = ''] = request.split('\r\n', 1);
    t.regex(answer, expected, line.slice(0, 100));
    t.notRegex(answer, /root:|SUA|Internal error/);
  }
  const ranges = [
    'bytes=5-1',
    'bytes=-',
    'bytes=99999999999999999999-',
    'lines=1-2',
    'bytes=0-0,1-1,2-2',
    `bytes=${'0-0,'.repeat(1000)}`,
  ];
  for (const range of ranges) {
    const response = await fetch(`${edgeUrl}/loaders/snponly.efi`, {headers: {range}});
    const {status} = response;
    await response.arrayBuffer();
    t.true([200, 206, 416].includes(status), `${range.slice(0, 40)}: ${status}`);
  }
  t.true((await readMetric(edgeUrl, 'muster_edge_requests_total{kind="refused"}')) > 10);
  await areWell(t);
});

test.serial(
  'packets that are no TFTP, or ask for what they must not, get an error at most',
  async t => {
    const {muster} = t.context;
    const {tftpPort, edgeUrl} = muster;
    const socket = dgram.createSocket('udp4');
    t.teardown(() => socket.close());
    const send = (packet: Buffer) =>
      new Promise<void>(resolve => {
        socket.send(packet, tftpPort, '127.0.0.1', () => resolve());
      });
    const request = (opcode: number, ...words: readonly string[]) =>
      Buffer.concat([Buffer.from([0, opcode]), ...words.map(word => Buffer.from(`${word}\0`))]);
    const refused: readonly Buffer[] = [
      request(1, '../../../../etc/passwd', 'octet'),
      request(1, '/etc/passwd', 'octet'),
      request(1, '..\\..\\edge.seed', 'octet'),
      request(1, 'edge.seed', 'octet'),
      request(1, 'snponly.efi', 'mail'),
      request(1, 'snponly.efi', 'junk'),
      request(2, 'snponly.efi', 'octet'),
      request(2, '../../tmp/x', 'octet'),
    ];
    for (const packet of refused) {
      const answer = Promise.withResolvers<Buffer>();
      socket.once('message', answer.resolve);
      await send(packet);
      t.is((await answer.promise).readUInt16BE(), 5, packet.toString('latin1'));
    }

    const malformed = async () =>
      readMetric(edgeUrl, 'muster_edge_tftp_transfers_total{outcome="malformed"}');
    const before = await malformed();
    const junk = [
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.from([0, 1]),
      Buffer.from([0xff, 0xff, 0, 0]),
      Buffer.alloc(65_000, 0x41),
      request(1, 'x'.repeat(60_000), 'octet'),
      Buffer.from('\0\x01snponly.efi'),
      request(1, '', 'octet'),
      request(1, 'snponly.efi', 'octet', ...Array.from({length: 8000}, () => 'blksize')),
      Buffer.from([0, 4, 0, 1]),
      Buffer.from([0, 5, 0, 1]),
    ];
    for (const packet of junk) await send(packet);
    await until('the count of junk', async () => (await malformed()) > before);
    const machine = await createProcessMachine(muster, 'tftp', {
      mac: '52:54:00:00:00:77',
      serial: 'T-1',
    });
    t.true((await machine.fetchLoader()).length > 100_000);
    await areWell(t);
  },
);

test.serial('slow, silent and many connections keep nobody from an answer', async t => {
  const {muster} = t.context;
  const ports = [portOf(muster.serverUrl), portOf(muster.edgeUrl)];
  const head = 'GET /healthz HTTP/1.1\r\nHost: x\r\n';
  const beginnings = [head, 'GET /nixos/machines/', 'PRI', ''];
  const slow: Socket[] = [];
  for (const port of ports)
    for (const beginning of beginnings) {
      const socket = await open(port, '127.0.0.3');
      if (beginning) socket.write(beginning);
      slow.push(socket);
    }
  const drops = setInterval(() => {
    for (const [index, socket] of slow.entries())
      if (index % beginnings.length === 0 && socket.writable) socket.write('a: b\r\n');
  }, 500);
  t.teardown(() => clearInterval(drops));

  const junk: Socket[] = [];
  const kinds = [
    Buffer.alloc(4000, 0xff),
    'GET / HTTP/1.1\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ];
  for (const port of ports)
    junk.push(
      ...(await Promise.all(
        Array.from({length: 300}, async (_, index) => {
          const socket = await open(port);
          socket.resume();
          socket.write(kinds[index % kinds.length] ?? '');
          return socket;
        }),
      )),
    );
  for (const url of [`${muster.serverUrl}/healthz`, `${muster.edgeUrl}/boot.ipxe`]) {
    const startMs = performance.now();
    t.is((await fetch(url)).status, 200);
    t.true(performance.now() - startMs < 10_000);
  }
  for (const [index, socket] of junk.entries()) {
    if (index % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  // Cut off by the limit on heads, or on the first byte. HTTP/2 is given more time.
  await Promise.all(
    slow
      .filter((_, index) => beginnings[index % beginnings.length] !== 'PRI')
      .map(async socket => socket.closed || once(socket.resume(), 'close')),
  );
  for (const socket of slow) socket.destroy();
  await areWell(t);
});
