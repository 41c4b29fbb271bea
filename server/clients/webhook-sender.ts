import {Agent as HttpAgent, type IncomingMessage, request as httpRequest} from 'node:http';
import {Agent as HttpsAgent, request as httpsRequest} from 'node:https';
import {isIP, type LookupFunction} from 'node:net';
import type {NetworkPolicy} from './network-policy.ts';
import type {Address, Resolve} from './resolver.ts';

/** Of what a receiver answers: so much is kept, and nothing after it is read. */
const answerBytesMax = 512;
const answerHeaderBytesMax = 16 * 1024;
const retryAfterSecondsMax = 3600;
/** Tried one after the other within the time of one request. */
const addressesMax = 4;

export type Outgoing = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** What became of one request. It never throws: whatever goes wrong is the receiver's answer. */
export type SendResult = {
  /** 0 when there was no answer. */
  readonly statusCode: number;
  readonly durationMs: number;
  /** Empty: a status from 200 to 299. Says nothing of headers or paths. */
  readonly error: string;
  /** Its first bytes as text. */
  readonly answer: string;
  readonly retryAfterMs: number | undefined;
};

export type Send = (outgoing: Outgoing, signal: AbortSignal) => Promise<SendResult>;

/**
 * One POST to a receiver somebody named. Its name is resolved once, each address is held against the policy, and the connection goes to one of
 * those addresses and nowhere else: what DNS says a moment later does not matter. Redirects are not followed, and no proxy is used.
 */
export function createWebhookSender({
  policy,
  resolve,
  timeoutMs,
}: {
  readonly policy: NetworkPolicy;
  readonly resolve: Resolve;
  readonly timeoutMs: number;
}): Send {
  return async (outgoing, signal) => {
    const start = performance.now();
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = AbortSignal.any([signal, timeout]);
    const took = () => Math.round(performance.now() - start);
    try {
      const url = new URL(outgoing.url);
      const addresses = await until(ended, allowedAddresses(url, policy, resolve));
      const {statusCode, headers, answer} = await post(url, outgoing, {addresses, signal: ended});
      return {
        statusCode,
        durationMs: took(),
        error: errorOfStatus(statusCode),
        answer,
        retryAfterMs: readRetryAfter(headers['retry-after']),
      };
    } catch (error) {
      const why = timeout.aborted ? `No answer within ${timeoutMs / 1000} s` : describe(error);
      const none = {statusCode: 0, answer: '', retryAfterMs: undefined};
      return {...none, durationMs: took(), error: why};
    }
  };
}

/** Refused for all when one of them is closed: a name that points inside as well is no mistake to build on. */
async function allowedAddresses(
  {hostname}: URL,
  policy: NetworkPolicy,
  resolve: Resolve,
): Promise<readonly Address[]> {
  const host = hostOf(hostname);
  const family = isIP(host);
  const found: readonly Address[] =
    family === 0 ? await resolve(host) : [{address: host, family: family === 6 ? 6 : 4}];
  for (const {address} of found) {
    const refusal = policy.refusal(address);
    if (refusal !== undefined) throw new Refusal(`Address ${address} is closed: ${refusal}`);
  }
  if (found.length === 0) throw new Refusal('The name has no address');
  return found.slice(0, addressesMax);
}

class Refusal extends Error {}

const hostOf = (hostname: string) => hostname.replace(/^\[(.*)\]$/, '$1');

function post(
  url: URL,
  {headers, body}: Outgoing,
  {addresses, signal}: {readonly addresses: readonly Address[]; readonly signal: AbortSignal},
): Promise<{
  readonly statusCode: number;
  readonly headers: IncomingMessage['headers'];
  readonly answer: string;
}> {
  const secure = url.protocol === 'https:';
  const bytes = Buffer.from(body);
  const options = {
    method: 'POST',
    headers: {...headers, 'content-length': String(bytes.length)},
    // One connection a request: a kept one would outlive the check of its address.
    agent: secure ? new HttpsAgent() : new HttpAgent(),
    lookup: answerWith(addresses),
    signal,
    maxHeaderSize: answerHeaderBytesMax,
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(url, options);
    request.once('error', reject);
    request.once('response', response => {
      readStart(response).then(
        answer => {
          resolve({statusCode: response.statusCode ?? 0, headers: response.headers, answer});
          request.destroy();
        },
        (error: unknown) => {
          reject(error);
          request.destroy();
        },
      );
    });
    request.end(bytes);
  });
}

/** The addresses that were checked, whatever the name resolves to by now. */
function answerWith(addresses: readonly Address[]): LookupFunction {
  return (_hostname, {all}, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

/** Not more than is kept: the connection is cut after it. */
async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= answerBytesMax) break;
  }
  const text = Buffer.concat(chunks).subarray(0, answerBytesMax).toString('utf8');
  // What PostgreSQL cannot hold, and what would move a terminal.
  return text.replaceAll(/[^\P{C}\n\t]/gu, '\u{fffd}');
}

const errorOfStatus = (statusCode: number): string => {
  if (statusCode >= 200 && statusCode < 300) return '';
  const redirected = statusCode >= 300 && statusCode < 400;
  return `The receiver answered ${statusCode}${redirected ? ': redirects are not followed' : ''}`;
};

/** Seconds only; a date would need the receiver's clock. */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,6}$/.test(header)) return undefined;
  return Math.min(Number(header), retryAfterSecondsMax) * 1000;
}

/** The work itself cannot be stopped: nobody waits for it any more. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, {once: true});
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => undefined);
  }
}

/** Codes, not messages: those may hold what is in the URL. */
function describe(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (error instanceof AggregateError) return describe(error.errors[0]);
  if (error instanceof Error && error.name === 'AbortError') return 'The server stopped in between';
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return `Cannot reach the receiver: ${code}`;
}
