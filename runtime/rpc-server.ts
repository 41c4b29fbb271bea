import {once} from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, {type AddressInfo, type Socket} from 'node:net';
import type {Logger} from './log.ts';

const preface = Buffer.from('PRI * HTTP/2.0');
const firstByteTimeoutMs = 10_000;
const headersTimeoutMs = 10_000;

export type Handler = (
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
) => void;

/**
 * One plain-text port for HTTP/1.1 (browsers, curl, Connect, gRPC-Web) and HTTP/2 with prior knowledge (gRPC, Connect): the first
 * bytes of a connection tell which (RFC 9113, 3.4).
 */
export async function listenOnePort({
  handler,
  host,
  port,
  log,
}: {
  handler: Handler;
  host: string;
  port: number;
  log: Logger;
}): Promise<AsyncDisposable & {readonly port: number}> {
  const h1 = http.createServer({headersTimeout: headersTimeoutMs, requestTimeout: 0}, handler);
  const h2 = http2.createServer({settings: {maxConcurrentStreams: 1000}}, handler);
  const sockets = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  h2.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  h2.on('sessionError', (error: Error) => log.debug({err: error}, 'HTTP/2 session failed'));

  const front = net.createServer({noDelay: true}, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', error => log.debug({err: error}, 'connection failed'));
    void pickProtocol(socket).then(protocol => {
      if (protocol) (protocol === 'h2' ? h2 : h1).emit('connection', socket);
    });
  });
  front.listen(port, host);
  await once(front, 'listening');

  return {
    port: (front.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(front, 'close');
      front.close();
      for (const session of sessions) session.close();
      h1.closeIdleConnections();
      const kill = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, 1000);
      await closed;
      clearTimeout(kill);
    },
  };
}

/** Undefined when the connection ended or stayed silent before its protocol was known. */
function pickProtocol(socket: Socket): Promise<'h1' | 'h2' | undefined> {
  return new Promise(resolve => {
    const done = (protocol: 'h1' | 'h2' | undefined) => {
      clearTimeout(timer);
      socket.off('readable', look);
      socket.off('close', gone);
      resolve(protocol);
    };
    const gone = () => done(undefined);
    const timer = setTimeout(() => {
      socket.destroy();
      done(undefined);
    }, firstByteTimeoutMs);
    const look = () => {
      const bytes = socket.read() as Buffer | null;
      if (!bytes) return;
      const length = Math.min(bytes.length, preface.length);
      const matches = bytes.subarray(0, length).equals(preface.subarray(0, length));
      // A first segment shorter than the preface that still matches it is HTTP/2 or nothing: no HTTP/1 method starts with "PRI".
      socket.unshift(bytes);
      if (matches && length < 3) return;
      done(matches ? 'h2' : 'h1');
    };
    socket.on('readable', look);
    socket.once('close', gone);
  });
}
