import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Logger} from '@muster/runtime/log.ts';
import {plainIpAddress} from './identifiers.ts';
import {limitPerSecond} from './rate-limit.ts';
import type {Metrics} from './metrics.ts';
import type {Reply} from './replies.ts';

const refusalsLoggedPerSecondMax = 20;

/** One request, taken apart. Path and query are decoded; the Host header is not looked at. */
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly hasQuery: boolean;
  readonly ipAddress: string;
};

/** Undefined when the target is no path or is encoded badly. */
export function toExchange(
  request: IncomingMessage,
  response: ServerResponse,
): Exchange | undefined {
  const target = request.url ?? '';
  const cut = target.indexOf('?');
  const path = decodePath(cut < 0 ? target : target.slice(0, cut));
  if (path === undefined) return undefined;
  const queryText = cut < 0 ? '' : target.slice(cut + 1);
  return {
    request,
    response,
    path,
    query: new URLSearchParams(queryText),
    hasQuery: queryText !== '',
    ipAddress: plainIpAddress(request.socket.remoteAddress ?? ''),
  };
}

export function sendText(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

export function sendScript(response: ServerResponse, script: Buffer | string): void {
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-cache',
    'content-length': Buffer.byteLength(script),
  });
  response.end(script);
}

export function sendReply(response: ServerResponse, {script}: Reply): void {
  sendScript(response, script);
}

/** iPXE obeys a Retry-After by itself, again and again, without a word to its script. */
export const retryAfterSeconds = '5';

export type Refuse = (
  exchange: Exchange,
  status: number,
  message: string,
  headers?: Readonly<Record<string, string>>,
) => void;

/** A clear sentence to the caller, a counter, and a line in the log, of which a flood gets at most 20 a second. */
export function createRefuse({
  metrics,
  log,
  nowMs,
}: {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly nowMs: () => number;
}): Refuse {
  const mayLog = limitPerSecond(refusalsLoggedPerSecondMax, nowMs);
  return ({request, response, path, ipAddress}, status, message, headers) => {
    metrics.request('refused');
    if (mayLog())
      log.info({status, method: request.method, path: path.slice(0, 256), ipAddress}, message);
    sendText(response, status, `${message}\n`, headers);
  };
}

function decodePath(text: string): string | undefined {
  if (!text.startsWith('/')) return undefined;
  try {
    const path = decodeURIComponent(text);
    return path.includes('\0') ? undefined : path;
  } catch {
    // Malformed percent-encoding: there is nothing else to know about it.
    return undefined;
  }
}
