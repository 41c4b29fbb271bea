import dgram from 'node:dgram';
import test from 'ava';
import * as fc from 'fast-check';
import {anAnswer, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';
import {rawHttp} from './testing/raw-http.ts';

const target = fc.oneof(
  fc.webPath(),
  fc.string({unit: 'binary-ascii', maxLength: 60}).map(text => `/boot.ipxe?${encodeURI(text)}`),
  fc
    .tuple(
      fc.constantFrom('/boot.ipxe', '/boot/token.cpio', '/boot/token.json', '/boot/report', '/x'),
      fc.array(
        fc.tuple(
          fc.constantFrom('mac', 'uuid', 'serial', 'image', 'session', 'step', 'errno', 'product'),
          fc.string({unit: 'binary', maxLength: 40}),
        ),
        {maxLength: 6},
      ),
    )
    .map(([path, pairs]) => `${path}?${new URLSearchParams(pairs.map(([a, b]) => [a, b]))}`),
  fc
    .string({unit: 'binary-ascii', maxLength: 40})
    .map(text => `/nixos/machines/${encodeURIComponent(text)}.ipxe`),
);

async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(await startMusterServer());
  publishBook(server, [anAnswer({machineId: 'a', serial: 'A-1'})]);
  const edge = stack.use(await startTestEdge({stateDir: folder.path, serverUrl: server.url}));
  await edge.until(() => edge.machines() === 1);
  return {edge, [Symbol.asyncDispose]: () => stack.disposeAsync()};
}

test('any request target gets an answer, and never an internal error', async t => {
  await using app = await setUp();
  const before = await app.edge.text('/nixos/machines/A-1.ipxe');
  await fc.assert(
    fc.asyncProperty(target, async asked => {
      const response = await app.edge.get(asked);
      await response.arrayBuffer();
      t.true([200, 400, 404, 502, 503].includes(response.status), `${asked}: ${response.status}`);
    }),
    {numRuns: 200},
  );
  t.is(await app.edge.text('/nixos/machines/A-1.ipxe'), before);
});

test('any bytes on a connection harm nobody', async t => {
  await using app = await setUp();
  const line = fc.string({unit: 'binary-ascii', maxLength: 60});
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({maxLength: 200}).map(bytes => Buffer.from(bytes)),
        line.map(text => Buffer.from(`GET ${text}`)),
        line.map(text => Buffer.from(`GET /nixos/machines/A-1.ipxe HTTP/1.1\r\n${text}`)),
      ),
      async bytes => {
        await rawHttp(
          app.edge.httpPort,
          [bytes, '\r\n\r\n\r\n', 'Connection: close\r\n\r\n'],
          () => true,
        );
      },
    ),
    {numRuns: 40},
  );
  t.regex(await app.edge.text('/nixos/machines/A-1.ipxe'), /decision for a/);
});

test('any datagram on the TFTP port harms nobody', async t => {
  await using app = await setUp();
  const socket = dgram.createSocket('udp4');
  t.teardown(() => socket.close());
  const packets = fc.sample(
    fc.oneof(
      fc.uint8Array({maxLength: 700}),
      fc
        .tuple(fc.integer({min: 0, max: 9}), fc.uint8Array({maxLength: 700}))
        .map(([opcode, rest]) => Uint8Array.from([0, opcode, ...rest])),
    ),
    1000,
  );
  for (const packet of packets)
    await new Promise<void>(resolve =>
      socket.send(packet, app.edge.tftpPort ?? 0, '127.0.0.1', () => resolve()),
    );
  await app.edge.until(async () =>
    /tftp_transfers_total\{outcome="malformed"\} \d{3}/.test(await app.edge.text('/metrics')),
  );
  t.regex(await app.edge.text('/nixos/machines/A-1.ipxe'), /decision for a/);
});
