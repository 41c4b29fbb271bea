import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type ContextValues,
  type Interceptor,
} from '@connectrpc/connect';
import {type Browser, browserKey, browserOf, type PeerRequest} from './browsers.ts';
import {type ClientCertificate, clientCertificateOf} from './client-certificates.ts';
import type {Scope} from '../audited-call.ts';
import {isOpen, type Role} from './permissions.ts';

export type Identity = {
  /** As the journal names it: "user:alice", "edge:<name>", "builder:<name>", "local", "anonymous". */
  readonly name: string;
  /** Of a person: the one that holds everywhere. */
  readonly role: Role;
  /** Of a person: roles by the id of a workspace, beside the one that holds everywhere. */
  readonly workspaces?: ReadonlyMap<string, Role>;
  /** Of a person. */
  readonly userId?: string;
  /** Of a person who signed in. */
  readonly sessionId?: string;
  /** Of a program that acts for a person. */
  readonly apiTokenId?: string;
  /** Who it is now; throws when what proved it no longer does. For calls that last. */
  readonly recheck?: () => Promise<Identity>;
  readonly serviceId?: string;
  readonly serviceKind?: 'edge' | 'builder';
};

export type Caller = Identity & {
  /** Of the connection's other end; empty when it is not known. Never from a header. */
  readonly address: string;
  /** Whose machines this call may see, as the permission check says: none before it. */
  readonly scope?: Scope;
};

/** What a request brings to prove who it is. */
export type Credential =
  | {readonly scheme: 'bearer'; readonly token: string}
  | {readonly scheme: 'basic'; readonly username: string; readonly password: string}
  | {readonly scheme: 'cookie'; readonly secret: string}
  | ({readonly scheme: 'certificate'} & ClientCertificate);

/** Throws when the credential proves nothing. */
export type Identify = (credential: Credential, address: string) => Promise<Identity>;

const anonymous: Identity = {name: 'anonymous', role: 'anonymous'};

export const callerKey = createContextKey<Caller>(
  {...anonymous, address: ''},
  {description: 'caller'},
);

const addressKey = createContextKey('', {description: 'peer address'});

const certificateKey = createContextKey<ClientCertificate | undefined>(undefined, {
  description: 'client certificate',
});

/** What an HTTP server knows about a request before any interceptor runs. */
export function contextOfPeer(request: PeerRequest, publicOrigin = ''): ContextValues {
  const {socket} = request;
  return createContextValues()
    .set(addressKey, peerAddress(socket.remoteAddress))
    .set(certificateKey, clientCertificateOf(socket))
    .set(browserKey, browserOf(request, publicOrigin));
}

/** An IPv4 peer of an IPv6 socket is named as IPv4. */
export function peerAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '');
}

/**
 * Authentication only; `permissions.ts` says what a caller may do. A token that proves nothing is refused, except on methods that need none:
 * there a stale token in a client's default headers must not hinder it from signing in.
 */
export const authenticate =
  (identify: Identify): Interceptor =>
  next =>
  async request => {
    const {contextValues} = request;
    const address = contextValues.get(addressKey);
    // Whoever is refused comes from somewhere too.
    contextValues.set(callerKey, {...anonymous, address});
    const header = request.header.get('authorization');
    const identity = isOpen(request.method)
      ? await identifyOpenly(header, address, identify)
      : await identifyProof(
          {
            header,
            browser: contextValues.get(browserKey),
            certificate: contextValues.get(certificateKey),
          },
          address,
          identify,
        );
    contextValues.set(callerKey, {...identity, address});
    return next(request);
  };

type Proof = {
  readonly header: string | null | undefined;
  readonly browser: Browser;
  readonly certificate?: ClientCertificate | undefined;
};

/**
 * What somebody says of themselves goes before what their browser sends with each request. That counts for pages of this server only: those of others
 * can make a browser send it, too.
 */
async function identifyProof(
  {header, browser, certificate}: Proof,
  address: string,
  identify: Identify,
): Promise<Identity> {
  if (header) return identify(readCredential(header), address);
  const {sessionSecret: secret, problem} = browser;
  if (secret) {
    if (problem) throw refusePage('cookie', problem);
    return identify({scheme: 'cookie', secret}, address);
  }
  if (!certificate) return anonymous;
  if (browser.isForeign) throw refusePage('client certificate', problem ?? '');
  return identify({scheme: 'certificate', ...certificate}, address);
}

const refusePage = (proof: string, problem: string): ConnectError =>
  new ConnectError(`Cannot accept the ${proof}: ${problem}`, Code.PermissionDenied);

/** Of a request for a file, which is no call. */
export async function identifyRequest(
  request: PeerRequest,
  identify: Identify,
  publicOrigin: string,
): Promise<Identity> {
  const {headers, socket} = request;
  const proof = {header: headers.authorization, browser: browserOf(request, publicOrigin)};
  return identifyProof(proof, peerAddress(socket.remoteAddress), identify);
}

/** Anonymous without an Authorization header; UNAUTHENTICATED when what it holds is not valid. */
export async function identifyHeader(
  header: string | null | undefined,
  address: string,
  identify: Identify,
): Promise<Identity> {
  return header ? identify(readCredential(header), address) : anonymous;
}

/** A password is not tried where none is needed: it costs time, and a wrong one would count. */
async function identifyOpenly(
  header: string | null,
  address: string,
  identify: Identify,
): Promise<Identity> {
  if (!header) return anonymous;
  try {
    const credential = readCredential(header);
    return credential.scheme === 'bearer' ? await identify(credential, address) : anonymous;
  } catch {
    return anonymous;
  }
}

function readCredential(header: string): Credential {
  const token = /^bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1];
  if (token) return {scheme: 'bearer', token};

  // RFC 7617: the name ends at the first colon.
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(header)?.[1] ?? '';
  const [, username, password] =
    /^([^:]+):(.+)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (username && password) return {scheme: 'basic', username, password};
  throw new ConnectError(
    'Cannot read the Authorization header: expected "Bearer <token>" or "Basic <user name and password in base64>"',
    Code.Unauthenticated,
  );
}
