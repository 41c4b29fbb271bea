import {once} from 'node:events';
import {createServer as createHttpsServer} from 'node:https';
import {type AddressInfo, createServer, type Server} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {startReceiver} from '../../test/helpers/webhook-receiver.ts';
import {createSitePki} from '../../test/helpers/site-pki.ts';
import {createNetworkPolicy} from './network-policy.ts';
import {type Address, createResolve, type Resolve} from './resolver.ts';
import {createWebhookSender} from './webhook-sender.ts';

const timeoutMs = 1000;
const never = new AbortController().signal;
const loopback: readonly Address[] = [{address: '127.0.0.1', family: 4}];
const toLoopback: Resolve = () => Promise.resolve(loopback);

function senderFor({
  resolve = toLoopback,
  allowed = ['127.0.0.1'],
}: {
  readonly resolve?: Resolve;
  readonly allowed?: readonly string[];
} = {}) {
  const send = createWebhookSender({
    policy: createNetworkPolicy({allowed, denied: []}),
    resolve,
    timeoutMs,
  });
  return (url: string) => send({url, headers: {'x-a': 'b'}, body: '{"a":"ü"}'}, never);
}

async function listen(t: ExecutionContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('what a receiver gets and answers', async t => {
  await using receiver = await startReceiver();
  receiver.answerWith((_request, response) => response.writeHead(201).end('taken\u0000\u001b[2J'));
  const result = await senderFor()(`http://hooks.example:${receiver.port}/a?b=c`);
  t.like(result, {statusCode: 201, error: '', answer: 'taken\u{fffd}\u{fffd}[2J'});
  const [request] = receiver.received;
  t.like(request, {path: '/a?b=c', body: '{"a":"ü"}'});
  t.like(request?.headers, {
    host: `hooks.example:${receiver.port}`,
    'x-a': 'b',
    'content-length': '10',
  });
});

// As the URL parser reads them, these are all 127.0.0.1, ::1, or what holds them.
for (const host of [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.0.0.1.',
  '0',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '１２７.０.０.１',
])
  test(`nothing is sent to http://${host}`, async t => {
    await using receiver = await startReceiver();
    const resolve: Resolve = name => Promise.reject(new Error(`asked for "${name}"`));
    const result = await senderFor({resolve, allowed: []})(`http://${host}:${receiver.port}/`);
    t.is(result.statusCode, 0);
    t.regex(result.error, /^Address \S+ is closed: it is /);
    t.is(receiver.received.length, 0);
  });

test('a name that points inside is refused, also beside addresses outside', async t => {
  await using receiver = await startReceiver();
  for (const address of ['127.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1']) {
    const family = address.includes(':') ? 6 : 4;
    const resolve: Resolve = () =>
      Promise.resolve([
        {address: '192.0.2.1', family: 4},
        {address, family},
      ]);
    const result = await senderFor({resolve, allowed: []})(`http://x.example:${receiver.port}/`);
    t.regex(result.error, /is closed/, address);
  }
  t.is(receiver.received.length, 0);
});

test('the name is asked for once: the connection goes to the address that was checked', async t => {
  await using receiver = await startReceiver();
  let asked = 0;
  // The second answer would lead to what is closed, as a rebinding name server's would.
  const resolve: Resolve = () => {
    asked += 1;
    return Promise.resolve(asked === 1 ? loopback : [{address: '169.254.169.254', family: 4}]);
  };
  const result = await senderFor({resolve})(`http://rebind.example:${receiver.port}/`);
  t.is(result.statusCode, 204);
  t.is(asked, 1);
});

test('a redirect is an answer, and not followed', async t => {
  await using receiver = await startReceiver();
  await using other = await startReceiver();
  receiver.answerWith((_request, response) => {
    response.writeHead(307, {location: other.url}).end();
  });
  const result = await senderFor()(receiver.url);
  t.is(result.error, 'The receiver answered 307: redirects are not followed');
  t.is(other.received.length, 0);
});

test('a receiver that takes its time, at any step, is given up', async t => {
  await using receiver = await startReceiver();
  receiver.answerWith((_request, response) => {
    // Headers at once, and then a byte now and then.
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 50);
    response.once('close', () => clearInterval(timer));
  });
  const mute = await listen(t, createServer());
  const unresolved = senderFor({resolve: () => new Promise(() => undefined)});
  for (const sending of [
    senderFor()(receiver.url),
    senderFor()(`http://127.0.0.1:${mute}/`),
    unresolved('http://slow.example/'),
  ]) {
    const result = await sending;
    t.is(result.error, 'No answer within 1 s');
    t.true(result.durationMs < 3 * timeoutMs);
  }
});

test('an endless answer is cut', async t => {
  await using receiver = await startReceiver();
  const cut = Promise.withResolvers<void>();
  receiver.answerWith((_request, response) => {
    response.writeHead(200);
    const write = () => {
      while (response.write('x'.repeat(65_536)) && !response.destroyed);
      response.once('drain', write);
    };
    response.once('close', () => cut.resolve());
    write();
  });
  const result = await senderFor()(receiver.url);
  t.is(result.answer.length, 512);
  t.true(result.durationMs < timeoutMs);
  await cut.promise;
});

test('what cannot be reached, and what is no HTTP, is told without the path', async t => {
  const noise = createServer(socket => socket.end('SSH-2.0-OpenSSH\r\n'));
  const port = await listen(t, noise);
  const refused = await senderFor()('http://127.0.0.1:1/secret');
  t.is(refused.error, 'Cannot reach the receiver: ECONNREFUSED');
  const strange = await senderFor()(`http://127.0.0.1:${port}/secret`);
  t.regex(strange.error, /^Cannot reach the receiver: HPE_/);
});

test('a receiver says when to come back, within bounds', async t => {
  await using receiver = await startReceiver();
  for (const [header, ms] of [
    ['30', 30_000],
    ['999999', 3_600_000],
    ['-1', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ] as const) {
    receiver.answerWith((_request, response) => {
      response.writeHead(429, {'retry-after': header}).end();
    });
    t.is((await senderFor()(receiver.url)).retryAfterMs, ms);
  }
});

test('TLS is checked against the name, not the address', async t => {
  const {natsCertificate: cert, natsKey: key} = await createSitePki();
  const names: string[] = [];
  const SNICallback = (name: string, done: (error: Error | null) => void) => {
    names.push(name);
    done(null);
  };
  const server = createHttpsServer({cert, key, SNICallback}, (_request, response) =>
    response.end(),
  );
  const port = await listen(t, server);
  const result = await senderFor()(`https://nats.muster:${port}/`);
  // Its CA is nobody's here: a certificate of a stranger is refused before anything is sent.
  t.regex(result.error, /^Cannot reach the receiver: (UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/);
  t.deepEqual(names, ['nats.muster']);
});

test('names of the hosts file are known, and made-up ones are not', async t => {
  const resolve = createResolve();
  const found = await resolve('localhost');
  t.true(found.some(({address}) => address === '127.0.0.1' || address === '::1'));
  await t.throwsAsync(resolve('no-such-host.invalid'));
});
