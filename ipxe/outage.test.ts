import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {Code, ConnectError} from '@connectrpc/connect';
import {BootAction} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {anAnswer, anImage, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';

const deadServer = 'http://127.0.0.1:9';
const known = anAnswer({
  machineId: 'a',
  macAddresses: ['52:54:00:aa:00:01'],
  serial: 'A-1',
  decision: {action: BootAction.IMAGE, imageId: anImage('1').id, reason: 'its image'},
});
const query = 'mac=52-54-00-aa-00-01';

test('with the server away known machines boot, also after a restart of the edge', async t => {
  await using folder = await temporaryFolder();
  const scripts: string[] = [];
  {
    await using server = await startMusterServer();
    const kernel = server.addBlob(Buffer.from('kernel of the machine'));
    const image = anImage('1');
    Object.assign(image.kernel ?? {}, kernel);
    publishBook(server, [known], [image]);
    await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
    await edge.until(async () => /artifact_cache_bytes 21\n/.test(await edge.text('/metrics')));
    scripts.push(await edge.text('/nixos/machines/A-1.ipxe'));
    await server[Symbol.asyncDispose]();
    scripts.push(await edge.text('/nixos/machines/A-1.ipxe'));
  }

  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: deadServer});
  t.is(edge.machines(), 1);
  scripts.push(await edge.text('/nixos/machines/A-1.ipxe'));
  t.is(new Set(scripts).size, 1);
  t.regex(scripts[0] ?? '', /its image/);

  const kernelUrl = /^kernel (\S+)\?/m.exec(scripts[0] ?? '')?.[1] ?? '';
  t.is(await edge.text(kernelUrl), 'kernel of the machine');
  const token = await edge.get(`/boot/token.json?${query}`);
  t.like(await token.json(), {enroll_url: 'http://127.0.0.1:8080'});
  t.regex(await edge.text('/boot.ipxe?mac=52-54-00-aa-00-99'), /a machine nobody knows/);
  t.is((await edge.get('/readyz')).status, 200);
});

test('a new edge without a server says that it is not ready, and lets machines wait', async t => {
  await using folder = await temporaryFolder();
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: deadServer});
  t.deepEqual(await (await edge.get('/readyz')).json(), {
    status: 'not ready',
    checks: {joined: false, answers: false, loaders: true},
  });
  t.is((await edge.get('/healthz')).status, 200);
  t.regex(
    await edge.text(`/boot.ipxe?${query}`),
    /waiting: this edge has not heard from its server yet/,
  );
  const token = await edge.get(`/boot/token.cpio?${query}`);
  t.is(token.status, 503);
  t.is(token.headers.get('retry-after'), '5');
});

test('the stream goes on where it stopped when the server is back', async t => {
  await using folder = await temporaryFolder();
  const first = await startMusterServer();
  publishBook(first, [known]);
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: first.url});
  await edge.until(() => edge.machines() === 1);
  const {steps, publicKey} = first.state;
  await first[Symbol.asyncDispose]();

  await using second = await startMusterServer({port: first.port});
  Object.assign(second.state, {steps, publicKey});
  await second.until('report', () => second.state.reports > 0);
  second.publish({
    complete: true,
    revision: 9n,
    answers: [anAnswer({machineId: 'b', serial: 'B-1'})],
  });
  await edge.until(() => edge.machines() === 2);
  t.is(second.state.watches[0], 1n);
});

test('half a snapshot changes nothing', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  publishBook(server, [known]);
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await edge.until(() => edge.machines() === 1);

  server.publish({reset: true, revision: 5n, answers: [anAnswer({machineId: 'b', serial: 'B-1'})]});
  server.publish({revision: 5n, answers: [anAnswer({machineId: 'c', serial: 'C-1'})]});
  t.is(edge.machines(), 1);
  server.publish({
    complete: true,
    revision: 5n,
    answers: [anAnswer({machineId: 'd', serial: 'D-1'})],
  });
  await edge.until(() => edge.machines() === 3);
  t.regex(await edge.text('/nixos/machines/A-1.ipxe'), /this name is not enough/);
});

test('hops wait for the server and arrive once', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  publishBook(server, [known]);
  server.state.failHops = new ConnectError('database is away', Code.Unavailable);
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await edge.until(() => edge.machines() === 1);
  await edge.text('/nixos/machines/A-1.ipxe');
  await edge.until(() => server.state.hopBatches >= 2);
  t.is(server.state.hops.length, 0);

  server.state.failHops = undefined;
  await server.until('hops', () => server.state.hops.length > 0);
  await edge.until(async () => /hops_waiting 0\n/.test(await edge.text('/metrics')));
  t.is(server.state.hops.length, 1);
});

test('hops that the server calls invalid do not hold up the others', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  publishBook(server, [known]);
  server.state.failHops = new ConnectError('no such kind', Code.InvalidArgument);
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await edge.until(() => edge.machines() === 1);
  await edge.text('/nixos/machines/A-1.ipxe');
  await edge.until(async () => /hops_dropped_total 1\n/.test(await edge.text('/metrics')));
  t.regex(await edge.text('/metrics'), /hops_waiting 0\n/);
});

test('a server with a new database takes the edge in again by its code', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  publishBook(server, [known]);
  {
    await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
    await edge.until(() => edge.machines() === 1);
  }
  Object.assign(server.state, {
    knowsService: false,
    serviceId: '0197a000-0000-7000-8000-000000000002',
    publicKey: undefined,
  });
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await server.until('report', () => server.state.knowsService && server.state.reports > 1);
  // Its revisions are not those of the old one.
  t.is(server.state.watches.at(-1), 0n);
  t.is(
    (await readFile(path.join(folder.path, 'service-id'), 'utf8')).trim(),
    server.state.serviceId,
  );
  t.is(edge.machines(), 1);
});

test('damaged answers on disk are put aside, and fetched again', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  publishBook(server, [known]);
  const file = path.join(folder.path, 'boot-answers');
  await writeFile(file, 'muster boot answers 1\nbut not these');
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await edge.until(() => edge.machines() === 1);
  t.is(await readFile(`${file}.damaged`, 'utf8'), 'muster boot answers 1\nbut not these');
});

test('an edge stops at once, in the middle of a fetch too', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  server.state.stallBlobs = true;
  publishBook(server, [known]);
  const edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await edge.until(() => server.state.blobRequests.length > 0);
  const startMs = performance.now();
  await edge[Symbol.asyncDispose]();
  t.true(performance.now() - startMs < 5000);
});

test('a wrong code keeps an edge out, and machines waiting, until the code is right', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  publishBook(server, [known]);
  {
    const wrong = {JOIN_CODE: 'not-the-code-of-the-test'};
    await using edge = await startTestEdge({
      stateDir: folder.path,
      serverUrl: server.url,
      settings: wrong,
    });
    await edge.until(() => server.state.refusedJoins > 0);
    t.is((await edge.get('/readyz')).status, 503);
    t.is(server.state.watches.length, 0);
  }
  await using edge = await startTestEdge({stateDir: folder.path, serverUrl: server.url});
  await edge.until(() => edge.machines() === 1);
});
