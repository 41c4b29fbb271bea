import {once} from 'node:events';
import {connect as connectTcp, type Socket} from 'node:net';
import {connect as connectTls, createSecureContext, type SecureContext} from 'node:tls';
import {createAuthenticator} from '@muster/agent/identity.ts';
import {type AgentConnection, type Login, natsServerName} from '@muster/agent/session.ts';
import {createNatsParser, type NatsFrame} from './nats-parser.ts';

const loginTimeoutMs = 15_000;
/** As the agent: two pings without an answer end a connection. */
const pingIntervalMs = 10_000;
const pingsUnansweredMax = 2;
const secureContextsMax = 16;

const contexts = new Map<string, SecureContext>();

/**
 * A machine's connection to NATS in a tenth of the memory of the NATS client: one socket, one parser, one TLS context for all machines of a site; and with
 * a source address, which the client cannot have. It speaks the same protocol, and fails with the same words.
 */
export async function connectMachine(
  login: Login,
  localAddress: string | undefined,
): Promise<AgentConnection> {
  const cut = login.address.lastIndexOf(':');
  const host = login.address.slice(0, cut).replaceAll(/[[\]]/g, '');
  const port = Number(login.address.slice(cut + 1));
  const limit = AbortSignal.timeout(loginTimeoutMs);
  const tcp = connectTcp({host, port, ...(localAddress === undefined ? {} : {localAddress})});
  tcp.setNoDelay(true);
  // Once TLS has the socket, errors are told by the TLS socket.
  tcp.on('error', () => undefined);
  try {
    await happened(tcp, 'connect', limit);
    const nonce = nonceOf(await firstFrame(tcp, limit));
    const socket = connectTls({
      socket: tcp,
      secureContext: contextOf(login.siteCa),
      servername: natsServerName,
    });
    await happened(socket, 'secureConnect', limit);
    const connection = serve(socket, login.address);
    socket.write(`CONNECT ${JSON.stringify(connectOptions(login, nonce))}\r\nPING\r\n`);
    await connection.ready(limit);
    return connection;
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

/** Parsing the CA for each machine would cost more than all the rest of a connection. */
function contextOf(siteCa: string): SecureContext {
  const known = contexts.get(siteCa);
  if (known) return known;
  if (contexts.size >= secureContextsMax) contexts.clear();
  const context = createSecureContext({ca: siteCa});
  contexts.set(siteCa, context);
  return context;
}

/** The event; throws when the socket fails or closes before it. */
async function happened(socket: Socket, event: string, limit: AbortSignal): Promise<unknown[]> {
  const over = new AbortController();
  const signal = AbortSignal.any([limit, over.signal]);
  const close = () => over.abort(new Error('nats-server closed the connection'));
  socket.once('close', close);
  try {
    return await once(socket, event, {signal});
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    socket.off('close', close);
  }
}

async function firstFrame(socket: Socket, signal: AbortSignal): Promise<NatsFrame | undefined> {
  const parser = createNatsParser();
  for (;;) {
    const [chunk] = (await happened(socket, 'data', signal)) as [Buffer];
    for (const frame of parser.take(chunk)) return frame;
  }
}

function nonceOf(frame: NatsFrame | undefined): string {
  if (frame?.kind !== 'info') throw new Error('nats-server did not begin with INFO');
  const info = JSON.parse(frame.json) as {readonly nonce?: string};
  return info.nonce ?? '';
}

function connectOptions({machineId, identity, jwt}: Login, nonce: string): object {
  return {
    verbose: false,
    pedantic: false,
    tls_required: true,
    name: `agent ${machineId}`,
    lang: 'simulator',
    version: '0.1.0',
    protocol: 1,
    ...createAuthenticator(identity, jwt)(nonce),
  };
}

type Subscription = (
  error: Error | null,
  message: {readonly subject: string; readonly data: Uint8Array},
) => void;

function serve(
  socket: Socket,
  server: string,
): AgentConnection & {ready(limit: AbortSignal): Promise<void>} {
  const parser = createNatsParser();
  const loggedIn = Promise.withResolvers<void>();
  const over = Promise.withResolvers<Error | undefined>();
  let reason: Error | undefined;
  let callback: Subscription | undefined;
  let unanswered = 0;

  const end = (error?: Error) => {
    reason ??= error;
    socket.destroy();
  };
  const handle = (frame: NatsFrame) => {
    if (frame.kind === 'ping') socket.write('PONG\r\n');
    else if (frame.kind === 'message') callback?.(null, frame);
    else if (frame.kind === 'error') end(new Error(frame.text));
    else if (frame.kind === 'pong') {
      unanswered = 0;
      loggedIn.resolve();
    }
  };
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of parser.take(chunk)) handle(frame);
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  });
  const ping = setInterval(() => {
    if (unanswered++ < pingsUnansweredMax) socket.write('PING\r\n');
    else end(new Error('nats-server answered no ping'));
  }, pingIntervalMs);
  socket.on('error', error => (reason ??= error));
  socket.once('close', () => {
    clearInterval(ping);
    loggedIn.reject(reason ?? new Error('nats-server closed the connection'));
    over.resolve(reason);
  });
  // Nobody waits for it any more once the login is over.
  loggedIn.promise.catch(() => undefined);

  return {
    async ready(limit) {
      const expire = () => end(new Error(`No login within ${loginTimeoutMs} ms`));
      limit.addEventListener('abort', expire, {once: true});
      await loggedIn.promise;
      limit.removeEventListener('abort', expire);
    },
    publish(subject, payload) {
      if (socket.destroyed) throw new Error('The connection is closed');
      socket.write(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
    },
    subscribe(subject, options) {
      ({callback} = options);
      socket.write(`SUB ${subject} 1\r\n`);
    },
    async drain() {
      // What was published before reaches the server first.
      socket.end();
    },
    async close() {
      end();
    },
    closed: () => over.promise,
    isClosed: () => socket.destroyed,
    isDraining: () => socket.writableEnded,
    getServer: () => server,
  };
}
