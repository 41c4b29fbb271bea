import type {NatsConnection} from '@nats-io/transport-node';

const requestTimeoutMs = 3000;

/**
 * Gives a nats-server the account's JWT and looks it up afterwards: "jwt updated" alone proves nothing (notes in docs/bus.md). Throws when it
 * does not hold. The connection is one of the system account.
 */
export async function pushAccountJwt(
  system: NatsConnection,
  {accountId, jwt}: {accountId: string; jwt: string},
): Promise<void> {
  const options = {timeout: requestTimeoutMs};
  const answer = await system.request('$SYS.REQ.CLAIMS.UPDATE', jwt, options);
  const stored = await system.request(
    `$SYS.REQ.ACCOUNT.${accountId}.CLAIMS.LOOKUP`,
    undefined,
    options,
  );
  if (stored.string() !== jwt)
    throw new Error(`nats-server did not keep the account JWT, it answered ${answer.string()}`);
}
