import {createHash} from 'node:crypto';
import test from 'ava';
import {contractServices} from '../../test/helpers/contract.ts';
import {serve} from '../../test/helpers/one-port.ts';

async function setUp() {
  const services = await contractServices();
  return serve({
    routes(router) {
      for (const service of services) router.service(service, {});
    },
  });
}

for (const path of ['/openapi.json', '/api-docs'])
  test(`${path} is public, kept by caches, and not sent twice`, async t => {
    await using server = await setUp();
    const url = server.url + path;
    const first = await fetch(url);
    t.is(first.status, 200);
    t.is(first.headers.get('cache-control'), 'public, max-age=300');
    const body = await first.text();
    t.is(first.headers.get('content-length'), String(Buffer.byteLength(body)));

    const etag = first.headers.get('etag') ?? '';
    t.regex(etag, /^"[\w-]{43}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await fetch(url, {headers: {'if-none-match': known}});
      t.is(again.status, 304);
      t.is(await again.text(), '');
      t.is(again.headers.get('etag'), etag);
    }
    t.is((await fetch(url, {headers: {'if-none-match': '"other"'}})).status, 200);

    const head = await fetch(url, {method: 'HEAD'});
    t.is(head.headers.get('etag'), etag);
    t.is(await head.text(), '');
    const refused = await fetch(url, {method: 'POST', body: '{}'});
    t.is(refused.status, 405);
    t.is(refused.headers.get('allow'), 'GET, HEAD');
  });

test('the page shows every method and schema of the document, and every link leads somewhere', async t => {
  await using server = await setUp();
  const page = await (await fetch(`${server.url}/api-docs`)).text();
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, {operationId: string; summary: string}>>;
    components: {schemas: object};
  };
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  for (const [path, verbs] of Object.entries(document.paths))
    for (const {operationId} of Object.values(verbs)) {
      t.true(ids.has(operationId), operationId);
      t.true(page.includes(`<code>${path}</code>`), path);
    }
  for (const name of Object.keys(document.components.schemas))
    t.true(ids.has(`schema-${name}`), name);

  const targets = [...page.matchAll(/href="([^"]+)"/g)].map(([, target = '']) => target);
  t.true(targets.length > 100);
  for (const target of targets)
    t.true(target === '/openapi.json' || ids.has(target.slice(1)), `nothing at ${target}`);
});

test('the policy lets the own script and style of the page run and nothing else', async t => {
  await using server = await setUp();
  const response = await fetch(`${server.url}/api-docs`);
  const page = await response.text();
  const policy = response.headers.get('content-security-policy') ?? '';
  t.regex(policy, /^default-src 'none'; /);
  t.false(policy.includes('unsafe'));
  for (const tag of ['script', 'style']) {
    const [block, ...others] = [...page.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))];
    t.is(others.length, 0);
    const digest = createHash('sha256')
      .update(block?.[1] ?? '')
      .digest('base64');
    t.true(policy.includes(`${tag}-src 'sha256-${digest}'`), tag);
  }
  // No attribute that would run or load something, and no address of another host.
  t.notRegex(page, /\s(on\w+|style|src)=/);
  t.notRegex(page, /(href|src)="(https?:)?\/\//);
});
