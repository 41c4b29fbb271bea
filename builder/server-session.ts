import {setTimeout as sleep} from 'node:timers/promises';
import {type Client, Code, ConnectError, createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import type {Logger, Outages} from '@muster/runtime/log.ts';
import {
  createServerConnection,
  createServiceTransport,
  type ServerConnection,
  serviceAuthorization,
} from '@muster/runtime/rpc-client.ts';
import type {Backend} from './backends/backend.ts';
import {type Identity, readServiceId, writeServiceId} from './identity.ts';
import {retryWhileTransient} from './retry.ts';

const reportEveryMs = 10_000;
const joinDelayMaxMs = 10_000;
/** A call that takes longer has lost its server. */
const callTimeoutMs = 30_000;
const server = 'the server';

/** The server as this builder, an enrolled service, reaches it. */
export type ServerSession = {
  readonly serviceId: string;
  readonly builds: Client<typeof BuildService>;
  readonly imageTests: Client<typeof ImageTestService>;
  readonly services: Client<typeof ServiceService>;
  readonly storePaths: Client<typeof StorePathService>;
  /** Authorization header for the image store. */
  readonly authorize: () => Promise<string>;
  readonly connection: ServerConnection;
};

/** Joins with the code at the first start. Waits for a server that is away; a code that the server refuses is an error. */
export async function openServerSession(
  {
    serverUrl,
    stateDirectory,
    joinCode,
  }: {serverUrl: string; stateDirectory: string; joinCode: string},
  identity: Identity,
  running: {signal: AbortSignal; log: Logger; outages: Outages},
): Promise<ServerSession> {
  const known = await readServiceId(stateDirectory);
  if (known === undefined && joinCode === '')
    throw new Error(
      'This builder has not joined a server: make a code with "muster service add builder NAME" and start it once with JOIN_CODE',
    );
  const serviceId = known ?? (await join({serverUrl, joinCode}, identity, running));
  await writeServiceId(stateDirectory, serviceId);

  const {key} = identity;
  const connection = createServerConnection(serverUrl);
  const {sessionManager} = connection;
  const transport = createServiceTransport({baseUrl: serverUrl, serviceId, key, sessionManager});
  return {
    serviceId,
    connection,
    builds: createClient(BuildService, transport),
    imageTests: createClient(ImageTestService, transport),
    services: createClient(ServiceService, transport),
    storePaths: createClient(StorePathService, transport),
    authorize: serviceAuthorization(serviceId, key),
  };
}

async function join(
  {serverUrl, joinCode}: {serverUrl: string; joinCode: string},
  {publicKey}: Identity,
  {signal, log, outages}: {signal: AbortSignal; log: Logger; outages: Outages},
): Promise<string> {
  const client = createClient(
    ServiceService,
    createConnectTransport({baseUrl: serverUrl, httpVersion: '2', defaultTimeoutMs: callTimeoutMs}),
  );
  const {service} = await retryWhileTransient(
    () => client.joinService({code: joinCode, publicKey}),
    {
      signal,
      delayMaxMs: joinDelayMaxMs,
      onRetry: err => outages.failed({what: server, err, message: 'cannot join yet, trying again'}),
    },
  );
  outages.works(server);
  if (!service) throw new Error('Cannot join: the server answered without a service');
  log.info({serviceId: service.id, name: service.name}, 'joined');
  return service.id;
}

/** Tells the server every 10 s that this builder lives and what it can build. `accepted` is the latest outcome. */
export function startReporting(
  {services, connection}: Pick<ServerSession, 'services' | 'connection'>,
  {
    version,
    backends,
    signal,
    log,
    outages,
  }: {
    version: string;
    backends: readonly Pick<Backend, 'name' | 'findMissing'>[];
    signal: AbortSignal;
    log: Logger;
    outages: Outages;
  },
): {readonly accepted: () => boolean; readonly ended: Promise<void>} {
  let accepted = false;

  async function report(): Promise<void> {
    const offered = await Promise.all(
      backends.map(async ({name, findMissing}) => {
        const missing = await findMissing();
        return {name, available: missing === undefined, missing: missing?.slice(0, 1024) ?? ''};
      }),
    );
    try {
      await services.reportService(
        {version, backends: offered},
        {timeoutMs: callTimeoutMs, signal},
      );
      if (!accepted) log.info({backends: offered}, 'reported to the server');
      accepted = true;
      outages.works(server);
    } catch (error) {
      if (signal.aborted) return;
      connection.giveUpAfter(error);
      const revoked = error instanceof ConnectError && error.code === Code.Unauthenticated;
      const message = revoked
        ? 'the server does not know this key: it was revoked, or this is another server'
        : 'cannot report to the server';
      outages.failed({what: server, err: error, message});
      accepted = false;
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      await report();
      await sleep(reportEveryMs, undefined, {signal}).catch(() => undefined);
    }
  }
  return {accepted: () => accepted, ended: loop()};
}
