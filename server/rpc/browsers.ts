import type {IncomingHttpHeaders} from 'node:http';
import {
  type ContextValues,
  createContextKey,
  type HandlerContext,
  type ContextKey,
} from '@connectrpc/connect';
import {DomainError} from '../errors.ts';
import type {PeerSocket} from './client-certificates.ts';

/** What of a request of node:http or node:http2 is looked at. */
export type PeerRequest = {
  readonly socket: PeerSocket & {readonly encrypted?: boolean};
  readonly headers: IncomingHttpHeaders;
  readonly method?: string | undefined;
  /** Of HTTP/2. */
  readonly authority?: string;
};

/** What a browser adds to a request by itself. */
export type Browser = {
  /** Whether cookies may travel over TLS only. */
  readonly isSecure: boolean;
  /** Of the cookies of this server, whether they count or not. */
  readonly sessionSecret: string | undefined;
  readonly oidcSecret: string | undefined;
  /** Why its cookies do not count; undefined for a page of this server. */
  readonly problem: string | undefined;
  /** A page of somebody else made it send this. */
  readonly isForeign: boolean;
  /** It sends what browsers send, or one of our cookies. */
  readonly isBrowser: boolean;
};

const noBrowser: Browser = {
  isSecure: false,
  sessionSecret: undefined,
  oidcSecret: undefined,
  problem: 'the request names neither Sec-Fetch-Site nor Origin',
  isForeign: false,
  isBrowser: false,
};

export const browserKey: ContextKey<Browser> = createContextKey(noBrowser, {
  description: 'browser',
});

const maxAgeOfOidcSeconds = 600;

/** A browser takes a name with this prefix over TLS only, from this host alone and for all its paths; another port cannot put one in its place. */
const securePrefix = '__Host-';

const sessionName = (isSecure: boolean): string =>
  isSecure ? `${securePrefix}muster` : 'muster-session';
const oidcName = (isSecure: boolean): string =>
  isSecure ? `${securePrefix}muster-oidc` : 'muster-oidc';

/** `publicOrigin`: where people reach this server when that is not its own port; empty when it is. */
export function browserOf(request: PeerRequest, publicOrigin: string): Browser {
  const {headers, socket} = request;
  const isSecure = socket.encrypted === true || publicOrigin.startsWith('https:');
  const cookies = headers.cookie ?? '';
  const problem = problemOf(request, publicOrigin);
  const sessionSecret = readCookie(cookies, sessionName(isSecure));
  const from = headerOf(headers, 'sec-fetch-site') ?? headers.origin;
  return {
    isSecure,
    sessionSecret,
    oidcSecret: readCookie(cookies, oidcName(isSecure)),
    problem,
    isForeign: problem !== undefined && from !== undefined && from !== 'none',
    isBrowser: from !== undefined || sessionSecret !== undefined,
  };
}

/**
 * Whether a page of this server sent the request, as the browser says and no page can. Sec-Fetch-Site is not sent to plain HTTP at other hosts; then
 * Origin tells, and for what only reads Referer, since a browser names no Origin there.
 */
function problemOf(request: PeerRequest, publicOrigin: string): string | undefined {
  const {headers, method} = request;
  const site = headerOf(headers, 'sec-fetch-site');
  if (site === 'same-origin') return undefined;
  if (site !== undefined)
    return `the browser says that no page of this server sent the request (Sec-Fetch-Site: ${site.slice(0, 20)})`;

  const onlyReads = method === 'GET' || method === 'HEAD';
  const from = headers.origin ?? (onlyReads ? originOf(headers.referer) : undefined);
  if (from === undefined) return noBrowser.problem;
  const own = ownOrigins(request, publicOrigin);
  if (own.includes(from.toLowerCase())) return undefined;
  const advice = publicOrigin === '' ? '; behind a proxy, set PUBLIC_URL' : '';
  return `the request comes from "${from.slice(0, 200)}" and this server is ${own.join(' or ')}${advice}`;
}

/** With cookies that travel over TLS only, a plain port is no place to sign in: the browser would drop them without a word. */
function ownOrigins(
  {headers, socket, authority}: PeerRequest,
  publicOrigin: string,
): readonly string[] {
  const encrypted = socket.encrypted === true;
  const host = (authority ?? headers.host ?? '').toLowerCase();
  const reached = `${encrypted ? 'https' : 'http'}://${host}`;
  if (publicOrigin === '') return [reached];
  const isDropped = publicOrigin.startsWith('https:') && !encrypted;
  return isDropped ? [publicOrigin] : [publicOrigin, reached];
}

const originOf = (referer: string | undefined): string | undefined =>
  URL.parse(referer ?? '')?.origin;

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

function readCookie(header: string, name: string): string | undefined {
  const found = header
    .split(';')
    .map(pair => pair.trim())
    .find(pair => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1) || undefined;
}

/** Throws "permission_denied" for whatever is no page of this server: nobody else may sign a browser in or out. */
export function requireOwnPage(values: ContextValues, attempt: string): Browser {
  const browser = values.get(browserKey);
  if (browser.problem === undefined) return browser;
  throw new DomainError('permission_denied', `Cannot ${attempt} with a cookie: ${browser.problem}`);
}

export const setSessionCookie = (
  context: HandlerContext,
  {secret, lifetimeSeconds}: {readonly secret: string; readonly lifetimeSeconds: number},
): void => setCookie(context, sessionName, {value: secret, maxAgeSeconds: lifetimeSeconds});

export const clearSessionCookie = (context: HandlerContext): void =>
  setCookie(context, sessionName, {value: '', maxAgeSeconds: 0});

export const setOidcCookie = (context: HandlerContext, secret: string): void =>
  setCookie(context, oidcName, {value: secret, maxAgeSeconds: maxAgeOfOidcSeconds});

export const clearOidcCookie = (context: HandlerContext): void =>
  setCookie(context, oidcName, {value: '', maxAgeSeconds: 0});

function setCookie(
  {values, responseHeader}: HandlerContext,
  nameOf: (isSecure: boolean) => string,
  {value, maxAgeSeconds}: {readonly value: string; readonly maxAgeSeconds: number},
): void {
  const {isSecure} = values.get(browserKey);
  const parts = [
    `${nameOf(isSecure)}=${value}`,
    'Path=/',
    `Max-Age=${maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ];
  responseHeader.append('set-cookie', parts.join('; '));
}
