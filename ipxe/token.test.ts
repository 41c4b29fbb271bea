import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {fromJsonString} from '@bufbuild/protobuf';
import {BootFileSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {verifyToken} from '@muster/runtime/tokens.ts';
import {createNeighbours, parseArpTable} from './neighbours.ts';
import {anImage, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';
import {edgeAddress} from './token.ts';

const query = `mac=52-54-00-aa-00-01&uuid=4c4c4544-0042-4310-8031-b1c04f313233&serial=414243&image=${anImage('1').id}`;

async function setUp(settings: Record<string, string> = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(await startMusterServer());
  publishBook(server, []);
  const edge = stack.use(
    await startTestEdge({stateDir: folder.path, serverUrl: server.url, settings}),
  );
  await edge.until(async () => (await edge.get('/readyz')).ok);
  const bootFile = async (target: string, init?: RequestInit) =>
    fromJsonString(BootFileSchema, await (await edge.get(target, init)).text());
  const claims = (token: string) =>
    verifyToken(token, 'boot', issuer =>
      Promise.resolve(issuer === server.state.serviceId ? server.state.publicKey : undefined),
    );
  return {
    server,
    edge,
    folder,
    bootFile,
    claims,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('boot.json holds what a boot needs, with addresses as the machine reached the edge', async t => {
  await using app = await setUp();
  const file = await app.bootFile(`/boot/token.json?${query}`, {
    headers: {'x-forwarded-host': 'evil'},
  });
  t.like(file, {
    edgeUrl: app.edge.url,
    enrollUrl: 'http://127.0.0.1:8080',
    natsServers: ['127.0.0.1:4222'],
    siteCa: '-----BEGIN CERTIFICATE-----\n',
    bootMacAddress: '52:54:00:aa:00:01',
  });
  t.true(file.tokenUrl.startsWith(`${app.edge.url}/boot/token.json?mac=52-54-00-aa-00-01&`));
});

test('the token is signed by this edge and says what was seen', async t => {
  await using app = await setUp();
  const file = await app.bootFile(`/boot/token.json?${query}`);
  const claims = await app.claims(file.token);
  t.like(claims, {
    iss: app.server.state.serviceId,
    sid: file.session,
    mac: '52:54:00:aa:00:01',
    ip: '127.0.0.1',
    img: anImage('1').id,
    nbr: 'unknown',
  });
  t.is((claims.exp ?? 0) - (claims.iat ?? 0), 900);

  // The address in boot.json mints another one for the same session.
  const renewed = await app.bootFile(file.tokenUrl.slice(app.edge.url.length));
  const again = await app.claims(renewed.token);
  t.is(again.sid, file.session);
  t.not(again.jti, claims.jti);
});

test('a session of before a restart goes on', async t => {
  await using app = await setUp();
  const session = '5f0c2f2e-0000-4000-8000-000000000001';
  t.is((await app.bootFile(`/boot/token.json?${query}&session=${session}`)).session, session);
  // But nobody joins the session of a machine that this edge sees.
  const other = '5f0c2f2e-0000-4000-8000-000000000002';
  t.is((await app.bootFile(`/boot/token.json?${query}&session=${other}`)).session, session);
});

test('the archive holds boot.json and nothing else', async t => {
  await using app = await setUp();
  const archive = Buffer.from(
    await (await app.edge.get(`/boot/token.cpio?${query}`)).arrayBuffer(),
  );
  t.is(archive.length % 512, 0);
  t.is(archive.subarray(0, 6).toString(), '070701');
  const text = /\{"session".*\}\n/.exec(archive.toString())?.[0] ?? '';
  t.is(fromJsonString(BootFileSchema, text).edgeUrl, app.edge.url);
});

test('MUSTER_EDGE_URL wins over the socket', async t => {
  await using app = await setUp({MUSTER_EDGE_URL: 'http://boot.example:9999/'});
  t.like(await app.bootFile(`/boot/token.json?${query}`), {
    edgeUrl: 'http://boot.example:9999',
    enrollUrl: 'http://boot.example:8080',
    natsServers: ['boot.example:4222'],
  });
});

test('IPv6 addresses stand in brackets', t => {
  t.deepEqual(edgeAddress('', 'fd77::1', 8081), {host: '[fd77::1]', url: 'http://[fd77::1]:8081'});
  t.deepEqual(edgeAddress('', '10.0.0.1', 8081), {host: '10.0.0.1', url: 'http://10.0.0.1:8081'});
});

test('the private key and the service id are readable by the edge alone', async t => {
  await using app = await setUp();
  const seed = await readFile(path.join(app.folder.path, 'edge.seed'), 'utf8');
  t.regex(seed, /^SU[A-Z2-7]{56}\n$/);
});

const arp = `IP address       HW type     Flags       HW address            Mask     Device
10.77.0.185      0x1         0x2         52:54:00:AA:00:01     *        br0
10.77.0.186      0x1         0x0         00:00:00:00:00:00     *        br0
`;

test('the neighbour table tells whether a MAC is behind an address', async t => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'arp');
  await writeFile(file, arp);
  const neighbours = createNeighbours({nowMs: () => 0, file});
  t.is((await neighbours.check('10.77.0.185', '52:54:00:aa:00:01')).outcome, 'match');
  t.is((await neighbours.check('10.77.0.185', '52:54:00:aa:00:02')).outcome, 'mismatch');
  t.is((await neighbours.check('10.77.0.186', '52:54:00:aa:00:02')).outcome, 'unknown');
  t.is((await neighbours.check('10.77.0.1', '52:54:00:aa:00:02')).outcome, 'unknown');
  t.is((await neighbours.check('fd77::1', '52:54:00:aa:00:02')).outcome, 'unknown');
  t.is(parseArpTable('').size, 0);
});
