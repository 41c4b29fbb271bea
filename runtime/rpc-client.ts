import type {KeyObject} from 'node:crypto';
import type {Interceptor, Transport} from '@connectrpc/connect';
import {createConnectTransport, type Http2SessionManager} from '@connectrpc/connect-node';
import {signToken} from './tokens.ts';

const tokenLifetimeSeconds = 120;
const tokenReuseMs = 60_000;

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
  /** The caller's connection, when it wants to end it itself: an idle one keeps the process alive. */
  sessionManager?: Http2SessionManager;
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
    ...(sessionManager ? {sessionManager} : {pingIntervalMs: 15_000}),
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
