import {join} from 'node:path';
import {encodeUser} from '@nats-io/jwt';
import {createUser} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import {busOptions} from '@muster/runtime/bus.ts';
import {openFoundation} from '@muster/server/foundation.ts';
import type {Muster} from './muster.ts';

/** One connection that may speak for every agent, by the fleet's own key. */
export async function connectAsAll(
  muster: Muster,
): Promise<AsyncDisposable & {readonly nats: NatsConnection}> {
  await using foundation = await openFoundation({
    databaseUrl: muster.postgres.url,
    masterKeyFile: join(muster.folder, 'server', 'master.key'),
  });
  const user = createUser();
  const nats = await connect({
    ...busOptions({
      servers: [`127.0.0.1:${muster.natsPort}`],
      siteCa: foundation.trust.siteCa,
      name: 'fleet',
    }),
    authenticator: jwtAuthenticator(
      await encodeUser('fleet', user, foundation.natsKeys.account, {}),
      user.getSeed(),
    ),
  });
  return {nats, [Symbol.asyncDispose]: () => nats.close()};
}
