import {setTimeout as sleep} from 'node:timers/promises';
import type {Logger} from '@muster/runtime/log.ts';
import type {NatsTrust} from '../domain/nats-trust.ts';
import type {Database} from '../store/db.ts';

const retryFirstMs = 250;
const retryMaxMs = 5000;

export type AccountPusher = AsyncDisposable & {
  /** NATS is there (again): it may have forgotten, or never known. */
  pushSoon(): void;
};

/**
 * Brings the account JWT, revocations included, to the nats-server: at every connect, at every revocation that commits on any server, and
 * again until it holds. `push` throws when it did not hold; while `isConnected` says no, the next connect is waited for.
 */
export async function startAccountPusher({
  sql,
  trust,
  push,
  isConnected,
  log,
}: {
  sql: Database;
  trust: NatsTrust;
  push: (jwt: string) => Promise<void>;
  isConnected: () => boolean;
  log: Logger;
}): Promise<AccountPusher> {
  const stop = new AbortController();
  let wanted = false;
  let running: Promise<void> | undefined;

  const run = async () => {
    let waitMs = retryFirstMs;
    while (wanted && isConnected() && !stop.signal.aborted) {
      wanted = false;
      try {
        await trust.withAccountJwt(async jwt => {
          trust.assertPushable(jwt);
          await push(jwt);
        });
        waitMs = retryFirstMs;
      } catch (error) {
        wanted = true;
        log.warn({err: error}, 'cannot push the NATS account yet');
        await sleep(waitMs, undefined, {signal: stop.signal}).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, retryMaxMs);
      }
    }
  };
  const pushSoon = () => {
    wanted = true;
    running ??= run().finally(() => {
      running = undefined;
      // Wanted again between the loop's last look and now.
      if (wanted && isConnected() && !stop.signal.aborted) pushSoon();
    });
  };

  // Told again after every lost connection to PostgreSQL: a notification may have been missed meanwhile.
  const {unlisten} = await sql.listen('revocations', pushSoon, pushSoon);
  return {
    pushSoon,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await unlisten();
      await running;
    },
  };
}
