import {setTimeout as sleep} from 'node:timers/promises';
import {ensureStreams} from '@muster/runtime/bus.ts';
import type {Logger, Outages} from '@muster/runtime/log.ts';
import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {pushAccountJwt} from './clients/nats-accounts.ts';
import {keepConnected, type NatsLink} from './clients/nats.ts';
import type {NatsTrust} from './domain/nats-trust.ts';
import {DomainError} from './errors.ts';
import type {PublishEvent} from './relay.ts';
import type {Database} from './store/db.ts';
import {startAccountPusher} from './workers/push-account.ts';

/** A nats-server that does not know the account holds a login for two seconds and refuses it; one that takes no account from here may know it. */
const accountWaitMs = 3000;

/**
 * The server's two connections to NATS: one of the system account, which only pushes Muster's account, and one of that account. Both come and
 * go behind the server's back; it starts and serves without them.
 */
export async function startNatsLinks({
  servers,
  sql,
  trust,
  log,
  outages,
}: {
  servers: readonly string[];
  sql: Database;
  trust: NatsTrust;
  log: Logger;
  outages: Outages;
}): Promise<AsyncDisposable & {readonly bus: NatsLink}> {
  await using stack = new AsyncDisposableStack();
  const {siteCa, accountId} = trust;
  const login = {servers, siteCa};
  const systemUser = await trust.systemUser();
  const system = stack.use(
    keepConnected({...login, name: 'muster-system', user: systemUser}, log, outages),
  );
  const push = async (jwt: string) => {
    const connection = system.connection();
    if (!connection) throw new Error('NATS is away');
    await pushAccountJwt(connection, {accountId, jwt});
  };
  const isConnected = () => system.connection() !== undefined;
  const pusher = stack.use(await startAccountPusher({sql, trust, push, isConnected, log}));
  system.onConnected(pusher.pushSoon);

  const bus = stack.use(
    keepConnected(
      {
        ...login,
        name: 'muster-server',
        user: await trust.serverUser(),
        first: signal => Promise.race([pusher.pushed, passed(accountWaitMs, signal)]),
        prepare: connection => makeStreams(connection, log),
      },
      log,
      outages,
    ),
  );
  const owned = stack.move();
  return {bus, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** What lives on the bus finds its streams there. Without them it tries for itself, as it does when they go later. */
const makeStreams = (connection: NatsConnection, log: Logger): Promise<void> =>
  jetstreamManager(connection)
    .then(ensureStreams)
    .catch((error: unknown) => {
      if (!connection.isClosed()) log.error({err: error}, 'cannot set up the streams');
    });

const passed = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, {signal, ref: false});

/** For the relay: stored by JetStream, or a rejection that says that NATS is away. */
export function publishThrough(bus: NatsLink): PublishEvent {
  return async (subject, payload, messageId) => {
    const connection = bus.connection();
    if (!connection)
      throw new DomainError('unavailable', 'Cannot publish: NATS is away, it will be tried again');
    await jetstream(connection).publish(subject, payload, {msgID: messageId});
  };
}
