import http2 from 'node:http2';
import net from 'node:net';
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {get} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {createClientPki} from '../../test/helpers/client-pki.ts';
import {serve} from '../../test/helpers/one-port.ts';
import {openConsole} from './console.ts';

const index =
  '<!doctype html><title>Muster</title><script type="module" src="/assets/main-1a2b.js">';
const script = 'console.log("main");'.repeat(100);
const page = {accept: 'text/html,application/xhtml+xml,*/*;q=0.8'};

/** As Vite leaves it. */
async function buildConsole(folder: string) {
  await mkdir(join(folder, 'assets'), {recursive: true});
  await mkdir(join(folder, '.vite'));
  const files: readonly (readonly [string, string | Buffer])[] = [
    ['index.html', index],
    ['favicon.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['assets/main-1a2b.js', script],
    ['assets/main-1a2b.js.br', brotliCompressSync(script)],
    ['assets/main-1a2b.js.gz', gzipSync(script)],
    ['assets/plain-3c4d.css', 'a{}'],
    ['.vite/manifest.json', '{}'],
    ['assets/.hidden.js', 'hidden'],
    ['../secret.txt', 'secret'],
  ];
  for (const [name, content] of files) await writeFile(join(folder, name), content);
  await symlink('../secret.txt', join(folder, 'link.txt'));
}

async function setUp({built = true, overTls = false} = {}) {
  await using stack = new AsyncDisposableStack();
  const parent = await mkdtemp(join(tmpdir(), 'muster-console-'));
  stack.defer(() => rm(parent, {recursive: true}));
  const folder = join(parent, 'dist');
  if (built) await buildConsole(folder);
  const pki = overTls ? await createClientPki('site') : undefined;
  const issued = await pki?.issue([{CN: ['server']}]);
  const server = stack.use(
    await serve({
      console: await openConsole(folder, log),
      routes: router =>
        void router.service(SessionService, {getSignInOptions: () => ({oidc: true})}),
      tls: issued && {
        certificate: issued.certificate,
        privateKey: issued.key,
        clientCa: undefined,
      },
    }),
  );
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(server.url + path, {method, headers: {'accept-encoding': 'identity', ...headers}});
  const owned = stack.move();
  return {
    ...server,
    folder,
    ca: pki?.ca,
    ask,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('every page of the console is its one file, never kept without asking, and sandboxed', async t => {
  await using site = await setUp();
  for (const path of [
    '/',
    '/machines',
    '/machines/0197-a/hardware?tab=1',
    '/setup',
    '/oidc/callback?code=a.b',
  ]) {
    const answer = await site.ask(path, page);
    t.is(answer.status, 200, path);
    t.is(await answer.text(), index, path);
    const headers = Object.fromEntries(answer.headers);
    t.like(headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'content-length': String(Buffer.byteLength(index)),
    });
    t.regex(headers['permissions-policy'] ?? '', /camera=\(\)/);
    t.is(
      headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; " +
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
  }
});

test('an asset is kept for a year, compressed as the browser likes, and not sent twice', async t => {
  await using site = await setUp();
  const path = '/assets/main-1a2b.js';
  const cases: readonly [accepted: string, encoding: string | null][] = [
    ['identity', null],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['GZIP;q=0.5, br;q=0', 'gzip'],
    ['br;q=0.0, *;q=1', 'gzip'],
    ['*', 'br'],
    ['deflate', null],
    ['br;q=nonsense', null],
  ];
  const etags = new Map<string | null, string>();
  for (const [accepted, encoding] of cases) {
    const answer = await site.ask(path, {'accept-encoding': accepted});
    t.is(answer.headers.get('content-encoding'), encoding, accepted);
    t.is(await answer.text(), script, accepted);
    t.like(Object.fromEntries(answer.headers), {
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'Accept-Encoding',
    });
    etags.set(encoding, answer.headers.get('etag') ?? '');
  }
  t.is(new Set(etags.values()).size, 3, 'each form has its own');

  const etag = etags.get('br') ?? '';
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await site.ask(path, {'accept-encoding': 'br', 'if-none-match': known});
    t.is(again.status, 304, known);
    t.is(again.headers.get('etag'), etag);
    t.is(await again.text(), '');
  }
  const other = await site.ask(path, {'if-none-match': etag});
  t.is(other.status, 200, 'that of another form');
  const plain = await site.ask('/assets/plain-3c4d.css', {'accept-encoding': 'br'});
  t.deepEqual([plain.headers.get('vary'), await plain.text()], [null, 'a{}']);
  t.is((await site.ask('/favicon.svg')).headers.get('cache-control'), 'no-cache');
});

test('HEAD tells the same and sends nothing', async t => {
  await using site = await setUp();
  for (const path of ['/', '/assets/main-1a2b.js']) {
    const [got, head] = [await site.ask(path, page), await site.ask(path, page, 'HEAD')];
    t.is(await head.text(), '');
    for (const name of ['content-length', 'etag', 'content-type', 'cache-control'])
      t.is(head.headers.get(name), got.headers.get(name), name);
  }
});

test('what is no page and no file of the console is answered as before, also to a browser', async t => {
  await using site = await setUp();
  const unknown = [
    '/api/v1/nothing',
    '/api',
    '/v1/nothing',
    '/blobs/none',
    '/assets/gone-9z.js',
    '/assets/',
    '/assets',
    '/favicon.png',
    '/assets/main-1a2b.js.br',
    '/assets/.hidden.js',
    '/.vite/manifest.json',
    '/link.txt',
    '/muster.v1.SessionService/Nothing',
  ];
  for (const path of unknown) {
    const answer = await site.ask(path, page);
    t.is(answer.status, 404, path);
    t.is(answer.headers.get('content-type'), 'application/json', path);
  }
  t.is((await site.ask('/machines')).status, 404, 'no page was asked for');
  t.is((await site.ask('/machines', page, 'POST')).status, 404);
  t.is((await site.ask('/', page, 'DELETE')).status, 404);
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/api/v1/sign-in-options'])
    t.is((await site.ask(path, page)).headers.get('content-type'), 'application/json', path);
  t.regex(await (await site.ask('/api-docs', page)).text(), /REST reference/);
  t.regex(await (await site.ask('/metrics', page)).text(), /^# HELP/);
});

test('no path leads out of the folder', async t => {
  await using site = await setUp();
  const paths = [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..\\secret.txt',
    '//etc/passwd',
    '/../../../../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/./assets/main-1a2b.js',
    '/assets/main-1a2b.js%00.html',
  ];
  for (const path of paths) {
    const answer = await rawGet(site.port, path);
    t.false(/^secret$|root:/m.test(answer), path);
    if (path !== '//etc/passwd') t.regex(answer, /^HTTP\/1\.1 40[04] /, path);
  }
});

/** As it stands: a URL would take the dots away. */
async function rawGet(port: number, path: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
  return (await socket.toArray()).map(String).join('');
}

test('over TLS it is the same, by HTTP/2 and by HTTP/1.1', async t => {
  await using site = await setUp({overTls: true});
  const session = http2.connect(site.tlsUrl, {ca: site.ca});
  const stream = session.request({':path': '/machines', ...page, 'accept-encoding': 'br'});
  const text = (await stream.toArray()).map(String).join('');
  t.is(text, index);
  session.close();
  const status = await new Promise((resolve, reject) => {
    get(`${site.tlsUrl}/assets/main-1a2b.js`, {ca: site.ca ?? ''}, response => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  t.is(status, 200);
});

test('where it is not built, pages say so, the setup link works, and programs hear what they heard', async t => {
  await using site = await setUp({built: false});
  for (const path of ['/', '/machines']) {
    const answer = await site.ask(path, page);
    t.is(answer.status, 404, path);
    t.regex(await answer.text(), /^The console is not built: run "npm run bundle"/, path);
    const program = await site.ask(path);
    t.is(program.headers.get('content-type'), 'application/json', path);
  }
  t.regex(await (await site.ask('/setup')).text(), /First administrator/);
  t.is((await site.ask('/api/v1/x', page)).headers.get('content-type'), 'application/json');
});

test('a folder that cannot be the console is refused at the start', async t => {
  await using site = await setUp();
  await Promise.all(
    Array.from({length: 4100}, (_, index) => writeFile(join(site.folder, `${index}.js`), '')),
  );
  await t.throwsAsync(openConsole(site.folder, log), {message: /set CONSOLE_DIR to the folder/});
});
