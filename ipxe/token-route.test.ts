import {once} from 'node:events';
import {readFile, writeFile} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test from 'ava';
import {create, fromJsonString} from '@bufbuild/protobuf';
import {decodeJwt} from 'jose';
import {pino} from 'pino';
import {BootFileSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {BootSettingsSchema} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {createBook} from './book.ts';
import {createHops} from './hops.ts';
import {loadIdentity} from './identity.ts';
import {createMetrics} from './metrics.ts';
import {createNeighbours} from './neighbours.ts';
import {createRefuse, toExchange} from './respond.ts';
import {createSessions} from './sessions.ts';
import {settings, temporaryFolder} from './testing/edge.ts';
import {createTokenRoute} from './token-route.ts';

/** The token route behind a real port, with a neighbour table that says whose address 127.0.0.1 is. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const arp = path.join(folder.path, 'arp');
  await writeFile(arp, 'header\n127.0.0.1 0x1 0x2 52:54:00:aa:00:01 * lo\n');
  const logFile = path.join(folder.path, 'log');
  const log = pino({level: 'info'}, pino.destination({dest: logFile, sync: true}));
  const nowMs = () => performance.now();
  const newId = () => crypto.randomUUID();
  const metrics = createMetrics();
  const book = createBook();
  book.apply({
    reset: true,
    revision: 1n,
    answers: [],
    removedMachineIds: [],
    images: undefined,
    settings: create(BootSettingsSchema, settings),
  });
  const hops = stack.use(
    createHops({
      send: () => Promise.resolve(),
      metrics,
      log,
      newId,
      nowMs: () => performance.now(),
    }),
  );
  const serveToken = createTokenRoute({
    edgeUrl: '',
    identity: await loadIdentity(folder.path),
    issuer: () => 'edge-1',
    book,
    sessions: createSessions({nowMs, newId}),
    neighbours: createNeighbours({nowMs, file: arp}),
    hops,
    metrics,
    refuse: createRefuse({metrics, log, nowMs}),
    log,
    newId,
  });
  const server = http.createServer((request, response) => {
    const exchange = toExchange(request, response);
    if (exchange) void serveToken(exchange, 'json');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const {port} = server.address() as AddressInfo;
  return {
    metrics,
    logFile,
    async claims(mac: string) {
      const response = await fetch(`http://127.0.0.1:${port}/boot/token.json?mac=${mac}`);
      return decodeJwt(fromJsonString(BootFileSchema, await response.text()).token);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('a machine that is behind its address', async t => {
  await using app = await setUp();
  t.is((await app.claims('52-54-00-aa-00-01')).nbr, 'match');
  t.regex(await app.metrics.text(), /neighbour_mismatches_total 0\n|neighbour_mismatches_total\n/);
});

test('a token asked for with the MAC of another machine says so, is counted and logged', async t => {
  await using app = await setUp();
  t.like(await app.claims('52-54-00-aa-00-02'), {nbr: 'mismatch', nmac: '52:54:00:aa:00:01'});
  t.regex(await app.metrics.text(), /neighbour_mismatches_total 1\n/);
  t.regex(await readFile(app.logFile, 'utf8'), /a MAC that is not behind its address/);
});
