import {createHash, randomBytes} from 'node:crypto';
import {readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {create} from '@bufbuild/protobuf';
import {BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {ArtifactSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {runCommand} from './testing/command.ts';
import {anImage, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const mebibyte = 1024 * 1024;

/** An edge and a server whose image has a kernel of 1 MiB and an initrd of 3 MiB and a bit. */
async function setUp({
  cacheBytes = 64 * mebibyte,
  corruptBlobs = false,
  lostBlobs = false,
  layers = 0,
} = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(await startMusterServer());
  const kernel = randomBytes(mebibyte);
  const initrd = randomBytes(3 * mebibyte + 12);
  const add = (name: string, content: Buffer) =>
    create(ArtifactSchema, {name, ...server.addBlob(content)});
  const image = anImage('1', {
    kernel: add('vmlinuz', kernel),
    initrds: [add('initrd.zst', initrd)],
    layers: Array.from({length: layers}, (_, index) =>
      add(`layer${index}.squashfs`, randomBytes(mebibyte)),
    ),
  });
  server.state.corruptBlobs = corruptBlobs;
  if (lostBlobs) server.state.blobs.clear();
  publishBook(server, [], [image]);
  const edge = stack.use(
    await startTestEdge({
      stateDir: folder.path,
      serverUrl: server.url,
      settings: {ARTIFACT_CACHE_BYTES_MAX: String(cacheBytes)},
    }),
  );
  await edge.until(async () => (await edge.get('/readyz')).ok);
  const urlOf = ({sha256: digest, name}: {sha256: string; name: string}) =>
    `/images/sha256/${digest}/${name}`;
  return {
    server,
    edge,
    image,
    initrd,
    kernelUrl: urlOf(image.kernel ?? {sha256: '', name: ''}),
    initrdUrl: urlOf(image.initrds[0] ?? {sha256: '', name: ''}),
    cache: path.join(folder.path, 'artifacts'),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

test('an artifact is fetched once for all who ask, and is what its digest says', async t => {
  await using app = await setUp();
  const bodies = await Promise.all(
    Array.from({length: 8}, async () => bytesOf(await app.edge.get(app.initrdUrl))),
  );
  for (const body of bodies) t.is(sha256(body), sha256(app.initrd));
  const fetches = app.server.state.blobRequests.filter(digest => app.initrdUrl.includes(digest));
  t.is(fetches.length, 1);
});

test('headers of a whole file, HEAD, and conditional requests', async t => {
  await using app = await setUp();
  const {edge, initrdUrl, initrd} = app;
  const etag = `"${sha256(initrd)}"`;
  const whole = await edge.get(initrdUrl);
  t.like(Object.fromEntries(whole.headers), {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': String(initrd.length),
    'content-type': 'application/octet-stream',
  });
  await whole.arrayBuffer();

  const head = await edge.get(initrdUrl, {method: 'HEAD'});
  t.is(head.headers.get('content-length'), String(initrd.length));
  t.is((await bytesOf(head)).length, 0);
  t.is((await edge.get(initrdUrl, {headers: {'if-none-match': etag}})).status, 304);
  t.is(
    (await edge.get(initrdUrl, {headers: {'if-none-match': '"other"'}, method: 'HEAD'})).status,
    200,
  );
});

test('parts are byte for byte those of the file', async t => {
  await using app = await setUp();
  const {edge, initrdUrl, initrd} = app;
  const sliceBytes = 64 * 1024;
  const slices = await Promise.all(
    Array.from({length: Math.ceil(initrd.length / sliceBytes)}, async (_, index) => {
      const first = index * sliceBytes;
      const range = `bytes=${first}-${first + sliceBytes - 1}`;
      const response = await edge.get(initrdUrl, {headers: {range}});
      return response.status === 206 ? bytesOf(response) : Buffer.alloc(0);
    }),
  );
  t.is(sha256(Buffer.concat(slices)), sha256(initrd));

  const last = await edge.get(initrdUrl, {headers: {range: 'bytes=-10'}});
  t.is(
    last.headers.get('content-range'),
    `bytes ${initrd.length - 10}-${initrd.length - 1}/${initrd.length}`,
  );
  t.deepEqual(await bytesOf(last), initrd.subarray(-10));

  const beyond = await edge.get(initrdUrl, {headers: {range: `bytes=${initrd.length}-`}});
  t.is(beyond.status, 416);
  t.is(beyond.headers.get('content-range'), `bytes */${initrd.length}`);

  const resumed = {range: 'bytes=0-9', 'if-range': `"${sha256(initrd)}"`};
  t.is((await bytesOf(await edge.get(initrdUrl, {headers: resumed}))).length, 10);
  const changed = await edge.get(initrdUrl, {headers: {...resumed, 'if-range': '"other"'}});
  t.is((await bytesOf(changed)).length, initrd.length);
});

test('curl resumes a broken download', async t => {
  await using app = await setUp();
  await using folder = await temporaryFolder();
  const local = path.join(folder.path, 'part');
  await writeFile(local, app.initrd.subarray(0, 1_000_000));
  const args = [
    '-sS',
    '-f',
    '-C',
    '-',
    '-o',
    local,
    '-w',
    '%{size_download}',
    app.edge.url + app.initrdUrl,
  ];
  t.is(await runCommand('curl', args, 'curl'), String(app.initrd.length - 1_000_000));
  t.is((await runCommand('sha256sum', [local], 'coreutils')).slice(0, 64), sha256(app.initrd));
});

test('fetches of a boot become hops of its session', async t => {
  await using app = await setUp();
  const query = '?mac=52-54-00-aa-00-01';
  await (await app.edge.get(app.kernelUrl + query)).arrayBuffer();
  await (await app.edge.get(app.initrdUrl + query)).arrayBuffer();
  const {hops} = app.server.state;
  await app.server.until('hops', () => hops.length >= 2);
  t.is(new Set(hops.map(hop => hop.session)).size, 1);
  t.like(hops[0], {
    kind: BootHop_Kind.KERNEL,
    complete: true,
    bytes: BigInt(mebibyte),
    imageId: app.image.id,
  });
  t.like(hops[1], {kind: BootHop_Kind.INITRD, complete: true, detail: 'initrd.zst 200'});
});

test('a digest that no image names is not found, and the image store is not asked', async t => {
  await using app = await setUp();
  const digest = sha256(Buffer.from('other'));
  t.is((await app.edge.get(`/images/sha256/${digest}/vmlinuz`)).status, 404);
  t.false(app.server.state.blobRequests.includes(digest));
});

test('what does not match its digest is never served', async t => {
  await using app = await setUp({corruptBlobs: true});
  const response = await app.edge.get(app.kernelUrl);
  t.is(response.status, 502);
  t.regex(await response.text(), /^Cannot serve "vmlinuz": /);
  t.deepEqual(await readdir(app.cache), []);
});

test('an artifact that the image store lost is an error at once', async t => {
  await using app = await setUp({lostBlobs: true});
  t.is((await app.edge.get(app.kernelUrl)).status, 502);
});

test('while the server is away machines are told to wait, and now and then let go', async t => {
  await using app = await setUp({lostBlobs: true});
  await app.server[Symbol.asyncDispose]();
  const waits: (string | null)[] = [];
  for (let round = 0; round < 6; round++) {
    const response = await app.edge.get(`${app.kernelUrl}?mac=52-54-00-aa-00-01`);
    t.is(response.status, 503);
    await response.text();
    waits.push(response.headers.get('retry-after'));
  }
  t.deepEqual(waits, ['5', '5', '5', '5', '5', null]);
});

test('the cache keeps to its limit', async t => {
  await using app = await setUp({cacheBytes: 6 * mebibyte, layers: 6});
  const sizeOf = async () =>
    (await readdir(app.cache)).filter(name => !name.endsWith('.part')).length;
  for (const layer of app.image.layers) {
    const body = await bytesOf(await app.edge.get(`/images/sha256/${layer.sha256}/${layer.name}`));
    t.is(sha256(body), layer.sha256);
    t.true((await sizeOf()) <= 6);
  }
  t.regex(await app.edge.text('/metrics'), /artifact_cache_bytes [1-6]\d{6}\n/);
});
