import type {ConnectRouter} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {ensureStreams} from '@muster/runtime/bus.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {listenOnePort} from '@muster/runtime/rpc-server.ts';
import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {collectDefaultMetrics, Gauge, Registry} from 'prom-client';
import {type BusLink, linkBus} from './bus-link.ts';
import {type Config, localUrl} from './config.ts';
import {createAccessTokens} from './domain/access-tokens.ts';
import {createEvents} from './domain/events.ts';
import {natsConfig} from './domain/nats-config.ts';
import {createServices} from './domain/services.ts';
import {createSessions} from './domain/sessions.ts';
import {createUsers} from './domain/users.ts';
import {DomainError} from './errors.ts';
import {openFoundation} from './foundation.ts';
import {createRouter, type HttpHandler} from './http/router.ts';
import {writeLocalToken} from './local-token.ts';
import {type PublishEvent, startRelay} from './relay.ts';
import {eventService} from './rpc/events.ts';
import {addHealth} from './rpc/health.ts';
import {createIdentify} from './rpc/identify.ts';
import {createInterceptors} from './rpc/interceptors.ts';
import {addReflection} from './rpc/reflection.ts';
import {serviceService} from './rpc/services.ts';
import {sessionService} from './rpc/sessions.ts';
import {userService} from './rpc/users.ts';
import {listenFor} from './store/notifications.ts';
import {createWakeUps} from './wake-ups.ts';
import {watchDatabase} from './workers/watch-database.ts';

/** Wires the process by hand, top to bottom, and undoes it in reverse on dispose. NATS may come later. */
export async function startServer(config: Config, log: Logger) {
  await using stack = new AsyncDisposableStack();
  const {sql, now, key, natsKeys, trust} = stack.use(await openFoundation(config));
  const metrics = new Registry();
  collectDefaultMetrics({register: metrics});

  const database = stack.use(watchDatabase(sql, log));
  const bus = stack.use(await linkBus({config, sql, trust, now, startWorkers, log}));
  countNats(metrics, () => bus.connection() !== undefined);
  const positions = createWakeUps();
  stack.use(await listenFor(sql, 'positions', positions.notify));
  stack.use(await startRelay({sql, publish: publishThrough(bus), log}));

  const deps = {sql, now, newId: uuidv7};
  const accessTokens = createAccessTokens({key, now});
  const events = createEvents({sql, positions});
  const users = createUsers(deps);
  const sessions = createSessions({...deps, accessTokens});
  const services = createServices({...deps, trust});
  // The nouns of machines, boot, builds, images, operations and metrics are made here.

  const readiness = () => ({database: database.isUp()});
  const nats = {
    servers: serviceNatsServers(config),
    siteCa: trust.siteCa,
    config: () => ({
      config: natsConfig(natsKeys, externalNats),
      certificate: natsKeys.certificates.server,
      privateKey: natsKeys.certificates.serverKey,
    }),
  };
  const routes = (router: ConnectRouter) => {
    router.service(EventService, eventService(events));
    router.service(ServiceService, serviceService(services, nats));
    router.service(SessionService, sessionService({sessions, users}));
    router.service(UserService, userService(users));
    // Every other service is added here, above these two, which tell of all.
    addHealth(router, readiness);
    addReflection(router);
  };

  const localToken = config.localTokenFile
    ? stack.use(await writeLocalToken(config.localTokenFile))
    : undefined;
  const identify = createIdentify({accessTokens, services, localTokenSha256: localToken?.sha256});
  // The image store's handler ("/blobs/…") is added here; `identifyBearer` gives it the caller.
  const handlers: readonly HttpHandler[] = [];
  await offerSetup({users, config, log});

  const shutdown = new AbortController();
  const interceptors = createInterceptors({identify, log, metrics});
  const handler = createRouter({
    routes,
    interceptors,
    readiness,
    metrics,
    handlers,
    log,
    shutdown: shutdown.signal,
  });
  const {host} = config;
  const {port} = stack.use(await listenOnePort({handler, host, port: config.port, log}));
  stack.defer(() => shutdown.abort());
  log.info({host, port}, 'listening');

  const owned = stack.move();
  return {port, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** For each new connection. The consumers of reports and jobs, the sender of commands and the reconcilers join here. */
async function startWorkers(connection: NatsConnection): Promise<AsyncDisposable> {
  await ensureStreams(await jetstreamManager(connection));
  return new AsyncDisposableStack();
}

/** Stored by JetStream, or a rejection that says that NATS is away. */
function publishThrough(bus: BusLink): PublishEvent {
  return async (subject, payload, messageId) => {
    const connection = bus.connection();
    if (!connection)
      throw new DomainError('unavailable', 'Cannot publish: NATS is away, it will be tried again');
    await jetstream(connection).publish(subject, payload, {msgID: messageId});
  };
}

/** Where an external nats-server keeps its files, as `GetNatsConfig` assumes; `nats-config` writes them for any place. */
const externalNats = {
  listen: '0.0.0.0:4222',
  dataFolder: '/var/lib/muster/nats',
  certificateFile: '/var/lib/muster/nats/server-cert.pem',
  privateKeyFile: '/var/lib/muster/nats/server-key.pem',
};

/** Builders know no edge: a public address that depends on one is none for them. */
function serviceNatsServers({natsPublicServers, natsUrl}: Config): readonly string[] {
  return natsPublicServers.some(server => server.includes('{')) ? natsUrl : natsPublicServers;
}

/** While there is no administrator, each start prints a new link; it is in the log because nobody could sign in to ask for it. */
async function offerSetup({
  users,
  config,
  log,
}: {
  users: ReturnType<typeof createUsers>;
  config: Config;
  log: Logger;
}): Promise<void> {
  if (await users.hasAdministrator()) return;
  const {path, expireTime} = await users.createSetupLink('system');
  log.warn({setupLink: localUrl(config, path), expireTime}, 'no administrator yet: open the link');
}

function countNats(registry: Registry, isConnected: () => boolean): void {
  new Gauge({
    name: 'muster_nats_connected',
    help: 'Whether the server is connected to NATS',
    registers: [registry],
    collect() {
      this.set(Number(isConnected()));
    },
  }).set(0);
}
