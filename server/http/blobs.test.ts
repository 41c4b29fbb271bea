import {createHash, randomBytes} from 'node:crypto';
import {mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile} from 'node:fs/promises';
import {request as httpRequest} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {silentLogger} from '@muster/runtime/log.ts';
import {listenOnePort} from '@muster/runtime/rpc-server.ts';
import test from 'ava';
import {openFolderBlobStore} from '../clients/blob-store.ts';
import {hasArtifact, parseRange} from '../domain/blobs.ts';
import {type BlobCaller, createBlobHandler} from './blobs.ts';

const callers: Readonly<Record<string, BlobCaller>> = {
  'Bearer builder': {name: 'builder:b1', serviceKind: 'builder'},
  'Bearer edge': {serviceKind: 'edge'},
  'Bearer alice': {},
};
const sizeBytesMax = 3_000_000;
const digestOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

type Init = Omit<RequestInit, 'headers'> & {as?: string; headers?: Record<string, string>};

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-blobs-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  const store = await openFolderBlobStore(folder);
  const recorded: object[] = [];
  const handle = createBlobHandler({
    store,
    sizeBytesMax,
    record: async upload => void recorded.push(upload),
    log: silentLogger,
    authenticate: request => Promise.resolve(callers[request.headers.authorization ?? '']),
  });
  const server = stack.use(
    await listenOnePort({
      host: '127.0.0.1',
      port: 0,
      log: silentLogger,
      handler: (request, response) => {
        if (handle(request, response)) return;
        response.statusCode = 404;
        response.end();
      },
    }),
  );
  const base = `http://127.0.0.1:${server.port}/blobs/sha256/`;
  const ask = (name: string, {as = 'builder', headers = {}, ...init}: Init = {}) =>
    fetch(base + name, {
      ...init,
      headers: {...headers, ...(as ? {authorization: `Bearer ${as}`} : {})},
    });
  const owned = stack.move();
  return {
    folder,
    store,
    recorded,
    base,
    ask,
    put: (content: Uint8Array<ArrayBuffer>, name = digestOf(content), as = 'builder') =>
      ask(name, {method: 'PUT', body: content, as}),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const blob = (sizeBytes: number) => new Uint8Array(randomBytes(sizeBytes));

test('what a builder asks for is used, so that nobody collects it; what others read is not', async t => {
  await using app = await setUp();
  const content = blob(4096);
  const digest = digestOf(content);
  const path = join(app.folder, digest.slice(0, 2), digest);
  await app.put(content);
  const old = new Date('2026-01-01T00:00:00Z');
  const ages = async (request: () => Promise<unknown>) => {
    await utimes(path, old, old);
    await request();
    return (await stat(path)).mtime.getTime() === old.getTime();
  };
  t.true(await ages(() => app.ask(digest, {method: 'HEAD', as: 'alice'})));
  t.true(await ages(() => app.ask(digest)));
  t.false(await ages(() => app.ask(digest, {method: 'HEAD'})));
  t.false(await ages(() => app.put(content)));
});

test('gives back what was stored, whole and in ranges, to services and people', async t => {
  await using app = await setUp();
  const content = blob(1_000_000);
  const digest = digestOf(content);
  t.is((await app.put(content)).status, 201);
  t.is((await app.put(content)).status, 200);
  t.like(app.recorded, {
    length: 1,
    0: {actor: 'builder:b1', address: '127.0.0.1', resource: `blobs/${digest}`},
  });
  t.true(await hasArtifact(app.store)(digest, 1_000_000));
  t.false(await hasArtifact(app.store)(digest, 999_999));

  for (const as of ['builder', 'edge', 'alice']) {
    const response = await app.ask(digest, {as});
    t.is(digestOf(await response.bytes()), digest);
    t.is(response.headers.get('etag'), `"${digest}"`);
    t.regex(response.headers.get('cache-control') ?? '', /immutable/);
  }
  const part = await app.ask(digest, {headers: {range: 'bytes=10-19'}});
  t.is(part.status, 206);
  t.is(part.headers.get('content-range'), 'bytes 10-19/1000000');
  t.deepEqual(await part.bytes(), content.slice(10, 20));
  t.is((await app.ask(digest, {headers: {range: 'bytes=1000000-'}})).status, 416);
  t.is((await app.ask(digest, {headers: {'if-none-match': `"${digest}"`}})).status, 304);
  const other = await app.ask(digest, {headers: {range: 'bytes=0-1', 'if-range': '"other"'}});
  t.is((await other.bytes()).length, 1_000_000);
  const head = await app.ask(digest, {method: 'HEAD'});
  t.deepEqual([head.status, head.headers.get('content-length')], [200, '1000000']);
});

test('stores nothing that is not what its name says, too large, or not from a builder', async t => {
  await using app = await setUp();
  const content = blob(5000);
  const digest = digestOf(content);
  t.is((await app.put(blob(5000), digest)).status, 422);
  t.is((await app.put(content, digest, 'edge')).status, 403);
  t.is((await app.put(content, digest, 'alice')).status, 403);
  t.is((await app.put(content, digest, '')).status, 401);
  t.is((await app.put(content, '../../etc/passwd')).status, 404);
  t.is((await app.ask(digest, {as: ''})).status, 401);
  t.is((await app.ask(digest, {method: 'DELETE'})).status, 405);

  const large = blob(sizeBytesMax + 1);
  t.is((await app.put(large)).status, 413);
  const chunked = new ReadableStream({
    start(controller) {
      for (let at = 0; at < large.length; at += 65_536)
        controller.enqueue(large.subarray(at, at + 65_536));
      controller.close();
    },
  });
  const response = await app.ask(digestOf(large), {
    method: 'PUT',
    body: chunked,
    duplex: 'half',
  });
  t.is(response.status, 413);
  const missing = await app.ask(digest);
  t.deepEqual([missing.status, await missing.text()], [404, `Cannot find blob "${digest}"\n`]);
  t.deepEqual(await readdir(app.folder), ['incoming']);
  t.deepEqual(await readdir(join(app.folder, 'incoming')), []);
});

test('several writers of one blob at once all succeed', async t => {
  await using app = await setUp();
  const content = blob(2_000_000);
  const answers = await Promise.all(Array.from({length: 8}, () => app.put(content)));
  t.true(answers.every(({status}) => status === 201 || status === 200));
  t.is(digestOf(await (await app.ask(digestOf(content))).bytes()), digestOf(content));
  t.deepEqual(await readdir(join(app.folder, 'incoming')), []);
});

test('an upload that breaks off leaves nothing, nor does one that a killed server was at', async t => {
  await using app = await setUp();
  const content = blob(100_000);
  const upload = httpRequest(app.base + digestOf(content), {
    method: 'PUT',
    headers: {authorization: 'Bearer builder', 'content-length': content.length},
  });
  upload.on('error', () => undefined);
  upload.write(content.subarray(0, 50_000));
  const incoming = join(app.folder, 'incoming');
  while ((await readdir(incoming)).length === 0) await setTimeout(5);
  upload.destroy();
  while ((await readdir(incoming)).length > 0) await setTimeout(5);
  t.is((await app.ask(digestOf(content))).status, 404);

  await mkdir(incoming, {recursive: true});
  await writeFile(join(incoming, 'left-over'), 'half');
  await openFolderBlobStore(app.folder);
  t.deepEqual(await readdir(incoming), []);
});

const range = test.macro((t, header: string, expected: ReturnType<typeof parseRange>) => {
  t.deepEqual(parseRange(header, 100), expected);
});
test('a range', range, 'bytes=0-9', {start: 0, end: 9});
test('a range without end', range, 'bytes=90-', {start: 90, end: 99});
test('a range beyond the end', range, 'bytes=90-500', {start: 90, end: 99});
test('the last bytes', range, 'bytes=-10', {start: 90, end: 99});
test('more last bytes than there are', range, 'bytes=-500', {start: 0, end: 99});
test('no last bytes', range, 'bytes=-0', 'unsatisfiable');
test('after the end', range, 'bytes=100-', 'unsatisfiable');
test('backwards', range, 'bytes=9-0', undefined);
test('several', range, 'bytes=0-1,3-4', undefined);
test('another unit', range, 'lines=0-1', undefined);
test('nothing at all', range, 'bytes=-', undefined);
