import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openDownloads} from './download.ts';

const content = Buffer.from('a kernel');
const sha256 = createHash('sha256').update(content).digest('hex');
const wanted = {name: 'vmlinuz', sha256, sizeBytes: content.length};
const {signal} = new AbortController();

async function setUp(t: ExecutionContext, answers: (Buffer | undefined)[]) {
  const requests: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    requests.push({...request.headers, path: request.url});
    const answer = answers.shift();
    if (answer) response.end(answer);
    else response.writeHead(503).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-downloads-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const downloads = await openDownloads(url, {directory, authorize: async () => 'Bearer b'});
  return {downloads, requests};
}

test('a file is fetched by its digest, once', async t => {
  const {downloads, requests} = await setUp(t, [content]);
  const first = await downloads.fetch(wanted, 'file', signal);
  const second = await downloads.fetch(wanted, 'file', signal);
  t.deepEqual(await readFile(first.path), content);
  t.is(second.path, first.path);
  t.like(requests, {length: 1, 0: {path: `/blobs/sha256/${sha256}`, authorization: 'Bearer b'}});
});

test('what is not what its digest says is thrown away and fetched again', async t => {
  const {downloads, requests} = await setUp(t, [
    undefined,
    Buffer.from('a kernal'),
    Buffer.from('a kernel and more'),
    content,
  ]);
  t.deepEqual(await readFile((await downloads.fetch(wanted, 'file', signal)).path), content);
  t.is(requests.length, 4);
});

test('an abort ends the waiting for a store that does not answer well', async t => {
  const {downloads} = await setUp(t, []);
  const stop = new AbortController();
  const fetching = downloads.fetch(wanted, 'disk', stop.signal);
  stop.abort();
  await t.throwsAsync(fetching, {name: 'AbortError'});
});
