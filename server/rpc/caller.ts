import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type ContextValues,
  type Interceptor,
} from '@connectrpc/connect';
import {isOpen, type Role} from './permissions.ts';

export type Identity = {
  /** As the journal names it: "user:alice", "edge:<name>", "builder:<name>", "local", "anonymous". */
  readonly name: string;
  readonly role: Role;
  /** Of a person. */
  readonly userId?: string;
  readonly serviceId?: string;
  readonly serviceKind?: 'edge' | 'builder';
};

export type Caller = Identity & {
  /** Of the connection's other end; empty when it is not known. Never from a header. */
  readonly address: string;
};

/** Throws when the bearer token proves nothing. */
export type Identify = (token: string) => Promise<Identity>;

const anonymous: Identity = {name: 'anonymous', role: 'anonymous'};

export const callerKey = createContextKey<Caller>(
  {...anonymous, address: ''},
  {description: 'caller'},
);

const addressKey = createContextKey('', {description: 'peer address'});

/** What an HTTP server knows about a request before any interceptor runs. */
export function contextOfPeer(address: string | undefined): ContextValues {
  return createContextValues().set(addressKey, (address ?? '').replace(/^::ffff:/, ''));
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
    const identity = isOpen(request.method)
      ? await identifyBearer(request.header.get('authorization'), identify).catch(() => anonymous)
      : await identifyBearer(request.header.get('authorization'), identify);
    contextValues.set(callerKey, {...identity, address});
    return next(request);
  };

/** Anonymous without an Authorization header; UNAUTHENTICATED when its token is not valid. */
export async function identifyBearer(
  header: string | null | undefined,
  identify: Identify,
): Promise<Identity> {
  if (!header) return anonymous;
  const token = /^bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1];
  if (!token)
    throw new ConnectError(
      'Cannot read the Authorization header: expected "Bearer <token>"',
      Code.Unauthenticated,
    );
  return identify(token);
}
