import {createHash, randomBytes} from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import {publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';

const hash = '0123456789abcdfghijklmnpqrsvwxyz';
const absentHash = 'a'.repeat(32);
const mebibyte = 1024 * 1024;

/** An edge, and a server that knows one store path. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = stack.use(await startMusterServer());
  const nar = randomBytes(mebibyte);
  const {sha256, sizeBytes} = server.addBlob(nar);
  const narinfo = `StorePath: /nix/store/${hash}-hello\nURL: nar/${sha256}.nar.zst\n`;
  server.state.storePaths.push({hash, narinfo, narSha256: sha256, narSizeBytes: sizeBytes});
  publishBook(server, []);
  const start = () => startTestEdge({stateDir: folder.path, serverUrl: server.url});
  const edge = stack.use(await start());
  await edge.until(async () => (await edge.get('/readyz')).ok);
  return {
    server,
    edge,
    start,
    nar,
    narinfo,
    narInfoUrl: `/nix-cache/${hash}.narinfo`,
    narUrl: `/nix-cache/nar/${sha256}.nar.zst`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

test('a binary cache: what it is, a narinfo, and the archive that it names', async t => {
  await using app = await setUp();
  const info = await app.edge.get('/nix-cache/nix-cache-info');
  t.is(info.headers.get('content-type'), 'text/x-nix-cache-info');
  t.is(await info.text(), 'WantMassQuery: 1\nPriority: 30\n');
  const narInfo = await app.edge.get(app.narInfoUrl);
  t.is(narInfo.headers.get('content-type'), 'text/x-nix-narinfo');
  t.is(await narInfo.text(), app.narinfo);
  t.true((await bytesOf(await app.edge.get(app.narUrl))).equals(app.nar));
  t.is((await app.edge.get(app.narInfoUrl, {method: 'HEAD'})).status, 200);

  const metrics = await app.edge.text('/metrics');
  t.regex(metrics, /requests_total\{kind="narinfo"\} 2\n/);
  t.regex(metrics, /store_path_lookups_total\{outcome="answered"\} 1\n/);
  t.regex(metrics, new RegExp(`nar_bytes_total ${mebibyte}\n`));
});

test('archives are served as images are: in parts, under a tag, for ever', async t => {
  await using app = await setUp();
  const etag = `"${createHash('sha256').update(app.nar).digest('hex')}"`;
  const part = await app.edge.get(app.narUrl, {headers: {range: 'bytes=1000-1999'}});
  t.is(part.status, 206);
  t.like(Object.fromEntries(part.headers), {
    etag,
    'cache-control': 'public, max-age=31536000, immutable',
    'content-range': `bytes 1000-1999/${mebibyte}`,
  });
  t.true((await bytesOf(part)).equals(app.nar.subarray(1000, 2000)));
  t.is((await app.edge.get(app.narUrl, {headers: {'if-none-match': etag}})).status, 304);
  const head = await app.edge.get(app.narUrl, {method: 'HEAD'});
  t.is(head.headers.get('content-length'), String(mebibyte));
});

test('many who ask at once cost one question and one download', async t => {
  await using app = await setUp();
  const texts = await Promise.all(
    Array.from({length: 20}, async () => (await app.edge.get(app.narInfoUrl)).text()),
  );
  t.deepEqual([...new Set(texts)], [app.narinfo]);
  t.deepEqual(app.server.state.storePathsAsked, [hash]);
  await Promise.all(Array.from({length: 8}, async () => bytesOf(await app.edge.get(app.narUrl))));
  t.is(app.server.state.blobRequests.filter(digest => app.narUrl.includes(digest)).length, 1);
  t.deepEqual(app.server.state.storePathsAsked, [hash], 'the narinfo told of the archive');
});

test('what nobody has published is not found, and not asked for again at once', async t => {
  await using app = await setUp();
  for (const target of [
    `/nix-cache/${absentHash}.narinfo`,
    `/nix-cache/nar/${'0'.repeat(64)}.nar.zst`,
  ])
    for (const method of ['GET', 'HEAD', 'GET'])
      t.is((await app.edge.get(target, {method})).status, 404);
  t.deepEqual(app.server.state.storePathsAsked, [absentHash, '0'.repeat(64)]);
  t.false(app.server.state.blobRequests.includes('0'.repeat(64)));
});

test('without the server it serves what it knows, and says when it cannot know', async t => {
  await using app = await setUp();
  await app.edge.text(app.narInfoUrl);
  await bytesOf(await app.edge.get(app.narUrl));
  await app.server[Symbol.asyncDispose]();
  t.is(await app.edge.text(app.narInfoUrl), app.narinfo);
  t.true((await bytesOf(await app.edge.get(app.narUrl))).equals(app.nar));
  const other = await app.edge.get(`/nix-cache/${absentHash}.narinfo`);
  t.is(other.status, 503);
  t.is(other.headers.get('retry-after'), '5');

  // Nix remembers narinfos itself and asks a restarted edge for the archive only.
  await app.edge[Symbol.asyncDispose]();
  await using again = await app.start();
  t.true((await bytesOf(await again.get(app.narUrl))).equals(app.nar));
  t.is((await again.get(app.narInfoUrl)).status, 503);
});

test('an archive that the image store gives otherwise is never served', async t => {
  await using app = await setUp();
  app.server.state.corruptBlobs = true;
  const response = await app.edge.get(app.narUrl);
  t.is(response.status, 502);
  t.notRegex(await response.text(), /nix\/store/);
});

test('nothing else is served below it', async t => {
  await using app = await setUp();
  await app.edge.text(app.narInfoUrl);
  const asked = [...app.server.state.storePathsAsked];
  for (const target of [
    '/nix-cache',
    '/nix-cache/',
    '/nix-cache/nar/',
    '/nix-cache/nar/../nix-cache-info/..',
    '/nix-cache/..%2f..%2fetc%2fpasswd.narinfo',
    `/nix-cache/${hash}.narinfo/x`,
    `/nix-cache/${hash.toUpperCase()}.narinfo`,
    `/nix-cache/${hash.replace('a', 'e')}.narinfo`,
    `/nix-cache/${hash}x.narinfo`,
    `/nix-cache/nar/${'../'.repeat(8)}etc/passwd`,
    `/nix-cache/nar/%2e%2e%2fboot-answers`,
    `/nix-cache/nar/${'A'.repeat(64)}.nar.zst`,
    `/nix-cache/nar/${'0'.repeat(64)}.nar.xz`,
  ])
    t.true([400, 404].includes((await app.edge.get(target)).status), target);
  for (const method of ['PUT', 'POST', 'DELETE'])
    t.is((await app.edge.get(app.narInfoUrl, {method})).status, 405);
  t.deepEqual(app.server.state.storePathsAsked, asked);
});

test('any name gets an answer, and never an internal error', async t => {
  await using app = await setUp();
  const name = fc.oneof(
    fc.string({unit: 'binary-ascii', maxLength: 70}).map(text => encodeURIComponent(text)),
    fc.webPath().map(text => text.slice(1)),
    fc.stringMatching(/^[0-9a-df-np-sv-z]{32}$/),
    fc.stringMatching(/^[0-9a-f]{64}$/),
  );
  await fc.assert(
    fc.asyncProperty(
      name,
      fc.constantFrom('', 'nar/'),
      fc.constantFrom('', '.narinfo', '.nar.zst'),
      async (text, folder, ending) => {
        const response = await app.edge.get(`/nix-cache/${folder}${text}${ending}`);
        await response.arrayBuffer();
        t.true([400, 404].includes(response.status), `${text}: ${response.status}`);
      },
    ),
    {numRuns: 150},
  );
  t.is(await app.edge.text(app.narInfoUrl), app.narinfo);
});
