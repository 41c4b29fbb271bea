import {once} from 'node:events';
import http from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import type {Logger} from '@muster/runtime/log.ts';
import {plainIpAddress} from './identifiers.ts';
import type {Metrics} from './metrics.ts';
import type {Reply} from './replies.ts';

const headerBytesMax = 8 * 1024;
const headersMax = 64;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
const keepAliveMs = 30_000;
const checkEveryMs = 2000;
const backlog = 4096;
const closeGraceMs = 1000;

const hotPrefix = Buffer.from('GET /nixos/machines/');
const hotSuffix = '.ipxe';
const endOfHead = Buffer.from('\r\n\r\n');
const httpVersion = 'HTTP/1.1\r\n';
const space = 0x20;
const specialHeader =
  /\r\n(content-length|transfer-encoding|expect|upgrade|connection)[ \t]*:[ \t]*([^\r]*?)[ \t]*\r\n/i;

export type ReadyReply = (tag: string, ipAddress: string) => Reply | undefined;

export type HttpListener = AsyncDisposable & {readonly port: number};

/**
 * The port that machines ask. A request for `/nixos/machines/<tag>.ipxe` whose answer lies ready is answered on the socket itself, with one
 * write (12 against 30 us of CPU through node:http); every other connection goes to node:http, with the bytes it has sent.
 */
export async function listenHttp({
  httpHost: host,
  httpPort: port,
  connectionsMax,
  connectionsPerAddressMax,
  ready,
  handler,
  metrics,
  log,
}: {
  readonly httpHost: string;
  readonly httpPort: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly ready: ReadyReply;
  readonly handler: http.RequestListener;
  readonly metrics: Metrics;
  readonly log: Logger;
}): Promise<HttpListener> {
  const server = http.createServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkEveryMs,
      noDelay: true,
    },
    handler,
  );
  server.maxHeadersCount = headersMax;
  server.maxConnections = connectionsMax;
  server.on('drop', () => metrics.connectionRefused());
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    log.debug({err: error}, 'broken HTTP request');
    const reset = error.code === 'ECONNRESET';
    // UEFI firmware ends its connections with a reset: no request, and nothing refused.
    if (!reset) metrics.request('refused');
    if (reset || !socket.writable) socket.destroy();
    else socket.end(`HTTP/1.1 ${statusOf(error.code)}\r\nConnection: close\r\n\r\n`);
  });

  // node:http's own listener, so that its limits on slow senders hold for what is handed to it.
  const [toHttp] = server.listeners('connection');
  if (!toHttp) throw new Error('Cannot find the connection listener of node:http');
  server.removeAllListeners('connection');
  const sockets = new Set<Socket>();
  /** Those that node:http does not know (yet). */
  const hotSockets = new Set<Socket>();
  const perAddress = new Map<string, number>();

  server.on('connection', (socket: Socket) => {
    const ipAddress = plainIpAddress(socket.remoteAddress ?? '');
    const open = (perAddress.get(ipAddress) ?? 0) + 1;
    if (open > connectionsPerAddressMax) {
      metrics.connectionRefused();
      socket.destroy();
      return;
    }
    perAddress.set(ipAddress, open);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      hotSockets.delete(socket);
      const left = (perAddress.get(ipAddress) ?? 1) - 1;
      if (left === 0) perAddress.delete(ipAddress);
      else perAddress.set(ipAddress, left);
    });
    hotSockets.add(socket);
    const pass = () => {
      hotSockets.delete(socket);
      toHttp.call(server, socket);
    };
    answerHotPath({socket, ipAddress, ready, pass});
  });

  server.listen({port, host, backlog});
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      for (const socket of hotSockets) socket.destroySoon();
      const kill = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, closeGraceMs);
      await closed;
      clearTimeout(kill);
    },
  };
}

/** Until the first request that it cannot answer; `pass` takes the connection over for good. */
function answerHotPath({
  socket,
  ipAddress,
  ready,
  pass,
}: {
  socket: Socket;
  ipAddress: string;
  ready: ReadyReply;
  pass: () => void;
}): void {
  const drop = () => socket.destroy();
  const resume = () => socket.resume();
  const onData = (data: Buffer) => {
    const asked = parseHotRequest(data);
    const reply = asked && ready(asked.tag, ipAddress);
    if (reply) {
      if (asked.close) socket.end(reply.closing);
      else if (!socket.write(reply.whole)) {
        // It asks without reading the answers.
        socket.pause();
        socket.once('drain', resume);
      }
      return;
    }
    socket.off('data', onData);
    socket.off('timeout', drop);
    socket.off('error', drop);
    socket.setTimeout(0);
    socket.pause();
    pass();
    socket.unshift(data);
    socket.resume();
  };
  socket.on('error', drop);
  socket.on('timeout', drop);
  socket.setTimeout(headersTimeoutMs);
  socket.on('data', onData);
}

/** A whole request without a query or body, alone in its segment: what iPXE and every simple client send. */
export function parseHotRequest(
  data: Buffer,
): {readonly tag: string; readonly close: boolean} | undefined {
  const start = hotPrefix.length;
  if (data.length <= start || data.compare(hotPrefix, 0, start, 0, start) !== 0) return undefined;
  if (data.length > headerBytesMax || data.indexOf(endOfHead) !== data.length - endOfHead.length)
    return undefined;
  const end = data.indexOf(space, start);
  if (end < 0 || data.toString('latin1', end - hotSuffix.length, end) !== hotSuffix)
    return undefined;
  if (data.toString('latin1', end + 1, end + 1 + httpVersion.length) !== httpVersion)
    return undefined;
  const tag = data.toString('latin1', start, end - hotSuffix.length);
  if (!/^[\w:.-]{1,128}$/.test(tag)) return undefined;

  const special = specialHeader.exec(data.toString('latin1', end));
  if (!special) return {tag, close: false};
  // What would change the meaning of the reply goes the long way; one "Connection: close" does not.
  const [, name = '', value = ''] = special;
  const close = name.toLowerCase() === 'connection' && value.toLowerCase() === 'close';
  return close && !specialHeader.test(special.input.slice(special.index + special[0].length - 2))
    ? {tag, close}
    : undefined;
}

function statusOf(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout';
  return '400 Bad Request';
}
