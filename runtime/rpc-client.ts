import type {KeyObject} from 'node:crypto';
import {Code, ConnectError, type Interceptor, type Transport} from '@connectrpc/connect';
import {createConnectTransport, Http2SessionManager} from '@connectrpc/connect-node';
import {signToken} from './tokens.ts';

const tokenLifetimeSeconds = 120;
const tokenReuseMs = 60_000;

const pingIntervalMs = 10_000;
const pingTimeoutMs = 5000;

export type ServerConnection = Disposable & {
  readonly sessionManager: Http2SessionManager;
  /**
   * After a failure: when that was a missing answer, fails all calls that are on their way as UNAVAILABLE, and the next one opens a new connection. Pings
   * alone do not find every dead connection: the end of the last stream cancels the time limit of a ping, which every later call then
   * waits for (connect-node 2.1, `resetPingInterval` while `verify` waits).
   */
  giveUpAfter(error: unknown): void;
};

/** One HTTP/2 connection to the server, made when it is needed. To be disposed at the end: an idle one keeps the process alive. */
export function createServerConnection(baseUrl: string): ServerConnection {
  const sessionManager = new Http2SessionManager(baseUrl, {pingIntervalMs, pingTimeoutMs});
  return {
    sessionManager,
    giveUpAfter(error) {
      if (ConnectError.from(error).code !== Code.DeadlineExceeded) return;
      sessionManager.abort(
        new ConnectError('The connection gave no answer and was given up', Code.Unavailable),
      );
    },
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

/** Talks to the server as an enrolled service: each request carries a token of two minutes that the service signed itself. */
export function createServiceTransport({
  baseUrl,
  serviceId,
  key,
  sessionManager,
}: {
  baseUrl: string;
  serviceId: string;
  key: KeyObject;
  sessionManager: Http2SessionManager;
}): Transport {
  const authorize = serviceAuthorization(serviceId, key);
  const interceptor: Interceptor = next => async request => {
    request.header.set('authorization', await authorize());
    return next(request);
  };
  return createConnectTransport({
    baseUrl,
    httpVersion: '2',
    interceptors: [interceptor],
    sessionManager,
  });
}

/** The value of the Authorization header, for requests that are not RPCs (the image store). */
export function serviceAuthorization(serviceId: string, key: KeyObject): () => Promise<string> {
  let cached: {readonly value: string; readonly untilMs: number} | undefined;
  return async () => {
    if (!cached || performance.now() > cached.untilMs) {
      const token = await signToken({
        key,
        issuer: serviceId,
        purpose: 'service',
        lifetimeSeconds: tokenLifetimeSeconds,
      });
      cached = {value: `Bearer ${token}`, untilMs: performance.now() + tokenReuseMs};
    }
    return cached.value;
  };
}
