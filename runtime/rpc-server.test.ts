import {once} from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import test from 'ava';
import {createClientPki} from '../test/helpers/client-pki.ts';
import {silentLogger} from './log.ts';
import {type Handler, listenOnePort, listenTls} from './rpc-server.ts';

const hello: Handler = (request, response) => {
  response.end(`${request.httpVersion} ${request.url}`);
};

const listen = () => listenOnePort({handler: hello, host: '127.0.0.1', port: 0, log: silentLogger});

test('one port answers HTTP/1.1 and HTTP/2', async t => {
  await using server = await listen();
  const h1 = await fetch(`http://127.0.0.1:${server.port}/a`);
  t.is(await h1.text(), '1.1 /a');

  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  const stream = session.request({':path': '/b'});
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  t.is(body, '2.0 /b');
  session.close();
});

test('a first byte that comes alone still finds its protocol', async t => {
  await using server = await listen();
  const socket = net.connect(server.port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  const bytes = 'GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  for (const byte of bytes) {
    socket.write(byte);
    await new Promise(resolve => setImmediate(resolve));
  }
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  t.regex(answer, /1\.1 \/slow/);
});

test('a head that comes drop by drop is cut off', async t => {
  await using server = await listenOnePort({
    handler: hello,
    host: '127.0.0.1',
    port: 0,
    log: silentLogger,
    headersTimeoutMs: 200,
  });
  const socket = net.connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n');
  const drops = setInterval(() => socket.write('a: b\r\n'), 50);
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', chunk => (answer += String(chunk)));
  await once(socket, 'close');
  clearInterval(drops);
  t.regex(answer, /^HTTP\/1\.1 408 /);
});

test('over TLS, ALPN tells the protocol, and a head that comes drop by drop is cut off too', async t => {
  const pki = await createClientPki('test');
  const {certificate, key: privateKey} = await pki.issue([{CN: ['server']}]);
  await using server = await listenTls({
    handler: hello,
    host: '127.0.0.1',
    port: 0,
    keys: {certificate, privateKey, clientCa: undefined},
    log: silentLogger,
    headersTimeoutMs: 200,
  });
  const {port} = server;
  const session = http2.connect(`https://127.0.0.1:${port}`, {ca: pki.ca});
  let body = '';
  for await (const chunk of session.request({':path': '/b'})) body += String(chunk);
  t.is(body, '2.0 /b');
  session.close();

  const connect = async () => {
    const options = {port, host: '127.0.0.1', ca: pki.ca, ALPNProtocols: ['http/1.1']};
    const socket = tls.connect(options);
    await once(socket, 'secureConnect');
    return socket;
  };
  const whole = await connect();
  whole.write('GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  let answer = '';
  for await (const chunk of whole) answer += String(chunk);
  t.regex(answer, /1\.1 \/a/);

  const slow = await connect();
  slow.on('error', () => undefined);
  let refusal = '';
  slow.on('data', chunk => (refusal += String(chunk)));
  slow.write('GET / HTTP/1.1\r\nhost: x\r\n');
  await once(slow, 'close');
  t.regex(refusal, /^HTTP\/1\.1 408 /);
});

test('junk and sudden ends hurt nobody', async t => {
  await using server = await listen();
  for (const junk of ['', 'PRI * HT', '\x00\xff\x00', 'PUT']) {
    const socket = net.connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end(junk);
    socket.resume();
    await once(socket, 'close');
  }
  t.is((await fetch(`http://127.0.0.1:${server.port}/still`)).status, 200);
});
