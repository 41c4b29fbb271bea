import {once} from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type {AddressInfo, Socket} from 'node:net';
import type {Logger} from './log.ts';

const preface = Buffer.from('PRI * HTTP/2.0');
const connectionsMax = 16_384;
const firstByteTimeoutMs = 10_000;
/** Of a whole request: the largest artifact over a slow line. */
const requestTimeoutMs = 3_600_000;
const checkEveryMs = 2000;
/** Of a peer that vanished without a word. */
const keepAliveProbeMs = 60_000;
const sessionIdleMs = 300_000;

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
  headersTimeoutMs = 10_000,
}: {
  handler: Handler;
  host: string;
  port: number;
  log: Logger;
  /** How long the head of an HTTP/1.1 request may take. */
  headersTimeoutMs?: number;
}): Promise<AsyncDisposable & {readonly port: number}> {
  // It listens itself, because only then it watches for slow senders.
  const h1 = http.createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveProbeMs,
    },
    handler,
  );
  h1.maxConnections = connectionsMax;
  h1.on('drop', () => log.warn({connectionsMax}, 'connection refused: there are too many'));
  const h2 = http2.createServer({settings: {maxConcurrentStreams: 1000}}, handler);
  const sockets = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  h2.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    endWhenIdle(session);
  });
  h2.on('sessionError', (error: Error) => log.debug({err: error}, 'HTTP/2 session failed'));

  const [toHttp1] = h1.listeners('connection');
  if (!toHttp1) throw new Error('Cannot find the connection listener of node:http');
  h1.removeAllListeners('connection');
  h1.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', error => log.debug({err: error}, 'connection failed'));
    void pickProtocol(socket).then(protocol => {
      if (protocol === 'h2') {
        socket.allowHalfOpen = false;
        h2.emit('connection', socket);
      } else if (protocol) toHttp1.call(h1, socket);
    });
  });
  h1.listen(port, host);
  await once(h1, 'listening');

  return {
    port: (h1.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(h1, 'close');
      h1.close();
      for (const session of sessions) session.close();
      h1.closeIdleConnections();
      await closedOrKilled(closed, sockets);
    },
  };
}

/** What is still busy after a second is cut off. */
async function closedOrKilled(closed: Promise<unknown>, sockets: Iterable<Socket>): Promise<void> {
  const kill = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, 1000);
  await closed;
  clearTimeout(kill);
}

export type TlsKeys = {
  /** All PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Whose client certificates count; undefined: nobody is asked for one. */
  readonly clientCa: string | undefined;
};

/**
 * The same as `listenOnePort` for TLS, where ALPN tells the protocol. A client without a certificate, or with one that does not count, is let in as
 * anybody: the handler sees in its socket what it has shown.
 */
export async function listenTls({
  handler,
  host,
  port,
  keys,
  log,
  headersTimeoutMs = 10_000,
}: {
  handler: Handler;
  host: string;
  port: number;
  keys: TlsKeys;
  log: Logger;
  /** How long the head of an HTTP/1.1 request may take. */
  headersTimeoutMs?: number;
}): Promise<AsyncDisposable & {readonly port: number}> {
  const server = http2.createSecureServer(
    {
      cert: keys.certificate,
      key: keys.privateKey,
      ...(keys.clientCa ? {ca: keys.clientCa, requestCert: true, rejectUnauthorized: false} : {}),
      allowHTTP1: true,
      // Of HTTP/1.1; the types do not know that it is passed on.
      ...{connectionsCheckingInterval: checkEveryMs},
      minVersion: 'TLSv1.2',
      handshakeTimeout: firstByteTimeoutMs,
      settings: {maxConcurrentStreams: 1000},
    },
    handler,
  );
  Object.assign(server, {headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs});
  server.maxConnections = connectionsMax;
  server.on('drop', () => log.warn({connectionsMax}, 'connection refused: there are too many'));
  server.on('sessionError', (error: Error) => log.debug({err: error}, 'HTTP/2 session failed'));
  server.on('tlsClientError', (error: Error) => log.debug({err: error}, 'TLS handshake failed'));

  const sockets = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', error => log.debug({err: error}, 'connection failed'));
  });
  server.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    endWhenIdle(session);
  });
  server.listen(port, host);
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.close();
      await closedOrKilled(closed, sockets);
    },
  };
}

/** A session without calls ends; one that has not even said so much as its preface, too. */
function endWhenIdle(session: http2.ServerHttp2Session): void {
  let streams = 0;
  session.on('stream', stream => {
    streams += 1;
    stream.once('close', () => (streams -= 1));
  });
  session.setTimeout(sessionIdleMs, () => {
    if (streams === 0) session.destroy();
  });
}

/** Undefined when the connection ended or stayed silent before its protocol was known. */
function pickProtocol(socket: Socket): Promise<'h1' | 'h2' | undefined> {
  return new Promise(resolve => {
    const done = (protocol: 'h1' | 'h2' | undefined) => {
      clearTimeout(timer);
      socket.off('readable', look);
      socket.off('end', end);
      socket.off('close', gone);
      resolve(protocol);
    };
    const gone = () => done(undefined);
    // Servers of node:http let a peer end its side first.
    const end = () => {
      socket.destroy();
      done(undefined);
    };
    const timer = setTimeout(end, firstByteTimeoutMs);
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
    socket.once('end', end);
    socket.once('close', gone);
  });
}
