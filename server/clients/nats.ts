import {setTimeout as sleep} from 'node:timers/promises';
import {busOptions} from '@muster/runtime/bus.ts';
import {createOutages, type Logger} from '@muster/runtime/log.ts';
import type {KeyPair} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';

const retryFirstMs = 250;
const retryMaxMs = 5000;

export type NatsLogin = {
  readonly servers: readonly string[];
  readonly siteCa: string;
  readonly name: string;
  readonly user: {readonly jwt: string; readonly pair: KeyPair};
  /** Waited for before each login: what NATS has to know for it. Must not throw while the signal is quiet. */
  readonly first?: (signal: AbortSignal) => Promise<void>;
  /** Done on a connection that is there (again), before anybody hears of it. Must not throw. */
  readonly prepare?: (connection: NatsConnection) => Promise<void>;
};

export type NatsLink = AsyncDisposable & {
  /** Undefined while NATS is away, or not prepared yet. */
  connection(): NatsConnection | undefined;
  /** Tells each time the connection is there (again), at once when it is there now. A listener must not throw. */
  onConnected(listener: (connection: NatsConnection) => void): void;
};

/** One connection, kept for as long as the process runs, however late NATS comes up. */
export function keepConnected(
  login: NatsLogin,
  log: Logger,
  outages = createOutages(log),
): NatsLink {
  const what = `NATS (${login.name})`;
  const stop = new AbortController();
  const listeners: ((connection: NatsConnection) => void)[] = [];
  let online: NatsConnection | undefined;
  /** Of what was last heard about the connection. */
  let turn = 0;
  let isNew = true;

  const goOffline = () => {
    turn += 1;
    online = undefined;
  };
  const goOnline = async (connection: NatsConnection) => {
    turn += 1;
    const mine = turn;
    await login.prepare?.(connection);
    // Lost meanwhile.
    if (mine !== turn) return;
    online = connection;
    const context = {connection: login.name, server: connection.getServer()};
    log[isNew ? 'info' : 'debug'](context, 'connected to NATS');
    isNew = false;
    outages.works(what);
    for (const listener of listeners) listener(connection);
  };
  const follow = async (connection: NatsConnection) => {
    for await (const {type} of connection.status()) {
      if (type === 'disconnect') goOffline();
      if ((type === 'disconnect' || type === 'reconnecting') && !stop.signal.aborted)
        outages.failed({what, message: `lost ${what}, will try again`});
      if (type === 'reconnect') void goOnline(connection);
    }
  };
  const live = async () => {
    await login.first?.(stop.signal);
    const connection = await open(login);
    const close = () => void leave(connection, online === connection);
    stop.signal.addEventListener('abort', close, {once: true});
    if (stop.signal.aborted) close();
    else void goOnline(connection);
    await Promise.all([follow(connection), connection.closed()]);
    goOffline();
    stop.signal.removeEventListener('abort', close);
  };
  const keep = async () => {
    for (
      let waitMs = retryFirstMs;
      !stop.signal.aborted;
      waitMs = Math.min(waitMs * 2, retryMaxMs)
    ) {
      const openedMs = performance.now();
      await live().catch((error: unknown) => {
        if (!stop.signal.aborted)
          outages.failed({what, err: error, message: `cannot connect to ${what}, will try again`});
      });
      if (performance.now() - openedMs > retryMaxMs) waitMs = retryFirstMs;
      await sleep(waitMs, undefined, {signal: stop.signal}).catch(() => undefined);
    }
  };

  const kept = keep();
  return {
    connection: () => online,
    onConnected(listener) {
      listeners.push(listener);
      if (online) listener(online);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await kept;
    },
  };
}

/** A connection that is away has nothing to drain, and would wait for the bus to come back. */
async function leave(connection: NatsConnection, online: boolean): Promise<void> {
  await (online ? connection.drain() : connection.close()).catch(() => connection.close());
}

function open({servers, siteCa, name, user}: NatsLogin): Promise<NatsConnection> {
  return connect({
    ...busOptions({servers, siteCa, name}),
    authenticator: jwtAuthenticator(user.jwt, user.pair.getSeed()),
  });
}
