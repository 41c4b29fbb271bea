import {setTimeout as sleep} from 'node:timers/promises';
import {busOptions} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {KeyPair} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';

const retryFirstMs = 250;
const retryMaxMs = 5000;

export type NatsLogin = {
  readonly servers: readonly string[];
  readonly siteCa: string;
  readonly name: string;
  readonly user: {readonly jwt: string; readonly pair: KeyPair};
};

export type NatsLink = AsyncDisposable & {
  /** Undefined while NATS is away. */
  connection(): NatsConnection | undefined;
};

/**
 * One connection, kept for as long as the process runs, however late NATS comes up. `onConnected` is told each time it is there (again).
 */
export function keepConnected({
  login,
  log,
  onConnected,
}: {
  login: NatsLogin;
  log: Logger;
  onConnected: (connection: NatsConnection) => void;
}): NatsLink {
  const stop = new AbortController();
  let current: NatsConnection | undefined;
  let online = false;

  const follow = async (connection: NatsConnection) => {
    for await (const {type} of connection.status()) {
      if (type === 'disconnect') online = false;
      if (type === 'reconnect') {
        online = true;
        onConnected(connection);
      }
    }
  };
  const keep = async () => {
    let waitMs = retryFirstMs;
    while (!stop.signal.aborted) {
      try {
        current = await open(login);
        if (stop.signal.aborted) break;
        waitMs = retryFirstMs;
        online = true;
        onConnected(current);
        const following = follow(current);
        await current.closed();
        await following;
      } catch (error) {
        log.debug({err: error, connection: login.name}, 'cannot connect to NATS yet');
      }
      online = false;
      current = undefined;
      await sleep(waitMs, undefined, {signal: stop.signal}).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, retryMaxMs);
    }
    await current?.close();
  };

  const kept = keep();
  return {
    connection: () => (online ? current : undefined),
    async [Symbol.asyncDispose]() {
      stop.abort();
      // A connection that is away has nothing to drain and would wait for it.
      if (online) await current?.drain();
      else await current?.close();
      await kept;
    },
  };
}

function open({servers, siteCa, name, user}: NatsLogin): Promise<NatsConnection> {
  return connect({
    ...busOptions({servers, siteCa, name}),
    authenticator: jwtAuthenticator(user.jwt, user.pair.getSeed()),
  });
}
