import {setTimeout as sleep} from 'node:timers/promises';
import {type Consumer, jetstream} from '@nats-io/jetstream';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import type {IssueServiceCredentialResponse} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {
  buildersDurable,
  busOptions,
  imageTestsDurable,
  streams,
  subjects,
  validationsDurable,
} from '@muster/runtime/bus.ts';
import type {Logger, Outages} from '@muster/runtime/log.ts';
import type {Identity} from './identity.ts';
import {retryWhileTransient} from './retry.ts';
import type {ServerSession} from './server-session.ts';

const credentialDelayMaxMs = 15_000;
const renewAtFraction = 0.6;
const renewPauseMaxMs = 3_600_000;
const requestTimeoutMs = 5000;
const bus = 'NATS';
const server = 'the server';

export type BusSession = AsyncDisposable & {
  readonly connected: () => boolean;
  /** The queue of builds. Throws while NATS is away or the server has not made it yet. */
  readonly builds: () => Promise<Consumer>;
  /** The queue of configurations that somebody waits to have checked. */
  readonly validations: () => Promise<Consumer>;
  /** The queue of tests of images. */
  readonly imageTests: () => Promise<Consumer>;
};

/** A NATS connection as this builder, kept alive: its credential of one hour is renewed in time, and a lost server is looked for again. */
export async function openBusSession(
  {services, serviceId}: Pick<ServerSession, 'services' | 'serviceId'>,
  {seed}: Identity,
  {signal, log, outages}: {signal: AbortSignal; log: Logger; outages: Outages},
): Promise<BusSession> {
  const stop = new AbortController();
  const ending = AbortSignal.any([signal, stop.signal]);
  const issue = () =>
    retryWhileTransient(() => services.issueServiceCredential({}, {signal: ending}), {
      signal: ending,
      delayMaxMs: credentialDelayMaxMs,
      onRetry: err =>
        outages.failed({what: server, err, message: 'cannot get a NATS credential, trying again'}),
    });

  let credential = await issue();
  outages.works(server);
  const connection = await connectWhenThere(ending);
  let connected = true;
  outages.works(bus);
  void watchStatus(connection);
  const renewing = keepRenewing(credential).catch((error: unknown) => {
    if (!ending.aborted) log.error({err: error}, 'the NATS credential is renewed no more');
  });

  async function connectWhenThere(until: AbortSignal): Promise<NatsConnection> {
    return retryWhileTransient(
      () =>
        connect({
          ...busOptions({
            servers: credential.natsServers,
            siteCa: credential.siteCa,
            name: `builder ${serviceId}`,
          }),
          authenticator: jwtAuthenticator(() => credential.natsJwt, seed),
          inboxPrefix: subjects.inbox(serviceId),
        }),
      {
        signal: until,
        delayMaxMs: credentialDelayMaxMs,
        onRetry: err =>
          outages.failed({what: bus, err, message: 'cannot connect to NATS, trying again'}),
      },
    );
  }

  async function watchStatus(nats: NatsConnection): Promise<void> {
    const lost = () => outages.failed({what: bus, message: 'lost NATS, trying again'});
    let isRenewal = false;
    let attempts = 0;
    for await (const status of nats.status()) {
      // A new credential needs a new login: that is no loss unless it fails.
      if (status.type === 'forceReconnect') isRenewal = true;
      if (status.type === 'disconnect') {
        connected = false;
        attempts = 0;
        if (!isRenewal && !ending.aborted) lost();
      }
      if (status.type === 'reconnecting' && (attempts += 1) > 1) lost();
      if (status.type === 'reconnect') {
        connected = true;
        isRenewal = false;
        outages.works(bus);
      }
      if (status.type === 'error') log.warn({err: status.error}, 'NATS refused something');
    }
  }

  async function keepRenewing(first: IssueServiceCredentialResponse): Promise<void> {
    for (let current = first; !ending.aborted;) {
      const pauseMs = Math.min(current.expiresInSeconds * 1000 * renewAtFraction, renewPauseMaxMs);
      await sleep(pauseMs, undefined, {signal: ending});
      current = await issue();
      credential = current;
      await connection.reconnect();
      log.debug('NATS credential renewed');
    }
  }

  const consumerOf = (durable: string) =>
    jetstream(connection, {timeout: requestTimeoutMs}).consumers.get(streams.JOBS.name, durable);

  return {
    connected: () => connected,
    builds: () => consumerOf(buildersDurable),
    validations: () => consumerOf(validationsDurable),
    imageTests: () => consumerOf(imageTestsDurable),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await renewing;
      await connection.close();
    },
  };
}
