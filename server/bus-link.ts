import type {Logger} from '@muster/runtime/log.ts';
import type {NatsConnection} from '@nats-io/transport-node';
import {keepConnected} from './clients/nats.ts';
import {pushAccountJwt} from './clients/nats-accounts.ts';
import type {Config} from './config.ts';
import type {NatsTrust} from './domain/nats-trust.ts';
import type {BusStatus} from './domain/presence.ts';
import type {Database} from './store/db.ts';
import {startAccountPusher} from './workers/push-account.ts';

export type BusLink = AsyncDisposable & {
  /** Undefined while NATS is away. */
  connection(): NatsConnection | undefined;
  status(): BusStatus;
};

/**
 * This server's two connections to NATS: one of the system account, which brings the account there, and one of the account itself. Both come
 * up whenever NATS does; `startWorkers` runs once for each new connection and is undone when that is closed for good.
 */
export async function linkBus({
  config,
  sql,
  trust,
  now,
  startWorkers,
  log,
}: {
  readonly config: Config;
  readonly sql: Database;
  readonly trust: NatsTrust;
  readonly now: () => Date;
  readonly startWorkers: (connection: NatsConnection) => Promise<AsyncDisposable>;
  readonly log: Logger;
}): Promise<BusLink> {
  await using stack = new AsyncDisposableStack();
  const login = {servers: config.natsUrl, siteCa: trust.siteCa};
  const system = stack.use(
    keepConnected({...login, name: 'server-system', user: await trust.systemUser()}, log),
  );
  const pusher = stack.use(
    await startAccountPusher({
      sql,
      trust,
      log,
      isConnected: () => system.connection() !== undefined,
      async push(jwt) {
        const connection = system.connection();
        if (!connection) throw new Error('NATS is away');
        await pushAccountJwt(connection, {accountId: trust.accountId, jwt});
      },
    }),
  );
  system.onConnected(() => pusher.pushSoon());

  const workers = stack.use(createWorkers(startWorkers, log));
  const link = stack.use(
    keepConnected({...login, name: 'server', user: await trust.serverUser()}, log),
  );
  link.onConnected(connection => workers.attach(connection));

  let status: BusStatus = {connected: false, since: now()};
  const owned = stack.move();
  return {
    connection: () => link.connection(),
    status() {
      const connected = link.connection() !== undefined;
      if (connected !== status.connected) status = {connected, since: now()};
      return status;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Workers outlive a reconnect of their connection, not its end. */
function createWorkers(
  start: (connection: NatsConnection) => Promise<AsyncDisposable>,
  log: Logger,
): AsyncDisposable & {attach(connection: NatsConnection): void} {
  let attached: NatsConnection | undefined;
  let running: Promise<AsyncDisposable | undefined> = Promise.resolve(undefined);
  const replace = async (
    before: Promise<AsyncDisposable | undefined>,
    connection: NatsConnection | undefined,
  ) => {
    await (await before)?.[Symbol.asyncDispose]();
    if (!connection) return undefined;
    try {
      return await start(connection);
    } catch (error) {
      log.error({err: error}, 'cannot start the workers of this connection');
      // Closed, it is opened anew, and the workers with it.
      await connection.close();
      return undefined;
    }
  };
  return {
    attach(connection) {
      if (connection === attached) return;
      attached = connection;
      running = replace(running, connection);
    },
    async [Symbol.asyncDispose]() {
      await replace(running, undefined);
    },
  };
}
