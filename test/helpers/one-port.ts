import {
  Code,
  ConnectError,
  type ConnectRouter,
  type Interceptor,
  type Transport,
} from '@connectrpc/connect';
import {createConnectTransport, Http2SessionManager} from '@connectrpc/connect-node';
import {type Logger, silentLogger} from '@muster/runtime/log.ts';
import {listenOnePort, listenTls, type TlsKeys} from '@muster/runtime/rpc-server.ts';
import type {Console} from '@muster/server/http/console.ts';
import type {HttpHandler} from '@muster/server/http/router.ts';
import {createRouter} from '@muster/server/http/router.ts';
import {parseNetworks} from '@muster/server/http/scrape-networks.ts';
import {createScrapeHandler, processPage} from '@muster/server/http/scrapes.ts';
import type {RecordCall} from '@muster/server/rpc/audit-calls.ts';
import type {Credential, Identify, Identity} from '@muster/server/rpc/caller.ts';
import {createInterceptors} from '@muster/server/rpc/interceptors.ts';
import type {Role} from '@muster/server/rpc/permissions.ts';
import {Registry} from 'prom-client';

const roles: readonly Role[] = ['admin', 'operator', 'developer', 'viewer', 'edge', 'builder'];

/** The token of a role is its name. */
async function identifyByRole(credential: Credential): Promise<Identity> {
  const role = roles.find(name => credential.scheme === 'bearer' && name === credential.token);
  if (!role) throw new ConnectError('Cannot accept the token', Code.Unauthenticated);
  if (role === 'edge' || role === 'builder')
    return {name: `${role}:test`, role, serviceId: role, serviceKind: role};
  return {name: `user:${role}`, role, userId: role};
}

/** The real stack on a real socket around the services given; the token of a role is its name ("admin", "edge"). */
export async function serve({
  routes,
  handlers = [],
  log = silentLogger,
  identify = identifyByRole,
  record = async () => undefined,
  console,
  publicOrigin,
  tls: keys,
}: {
  routes: (router: ConnectRouter) => void;
  handlers?: readonly HttpHandler[];
  log?: Logger;
  identify?: Identify;
  /** Nothing is audited when it is left out. */
  record?: RecordCall;
  console?: Console | undefined;
  publicOrigin?: string | undefined;
  /** Without it there is no port for TLS. */
  tls?: TlsKeys | undefined;
}) {
  await using stack = new AsyncDisposableStack();
  const shutdown = new AbortController();
  const metrics = new Registry();
  const handler = createRouter({
    routes,
    handlers: [
      createScrapeHandler({
        pages: new Map([['/metrics', processPage(metrics)]]),
        networks: parseNetworks([]),
        identify,
        log,
      }),
      ...handlers,
    ],
    log,
    interceptors: createInterceptors({identify, record, log, metrics}),
    readiness: () => ({database: true}),
    ...(console && {console}),
    ...(publicOrigin && {publicOrigin}),
    shutdown: shutdown.signal,
  });
  const listen = {handler, host: '127.0.0.1', port: 0, log};
  const {port} = stack.use(await listenOnePort(listen));
  const tls = keys && stack.use(await listenTls({...listen, keys}));
  stack.defer(() => shutdown.abort());
  const url = `http://127.0.0.1:${port}`;
  const session = stack.adopt(new Http2SessionManager(url), manager => manager.abort());
  const owned = stack.move();
  return {
    port,
    url,
    tlsUrl: `https://127.0.0.1:${tls?.port}`,
    /** Connect binary over HTTP/2. */
    transport(token?: string): Transport {
      const authorize: Interceptor = next => request => {
        if (token) request.header.set('authorization', `Bearer ${token}`);
        return next(request);
      };
      return createConnectTransport({
        baseUrl: url,
        httpVersion: '2',
        sessionManager: session,
        interceptors: [authorize],
      });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
