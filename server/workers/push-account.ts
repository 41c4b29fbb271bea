import type {Logger} from '@muster/runtime/log.ts';
import type {NatsTrust} from '../domain/nats-trust.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {listenFor} from '../store/notifications.ts';

const retryMs = 1000;

export type AccountPusher = AsyncDisposable & {
  /** NATS is there (again): it may have forgotten, or never known. */
  pushSoon(): void;
  /** Resolves when the account was pushed for the first time. */
  readonly pushed: Promise<void>;
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
  let wanted = false;
  const pushed = Promise.withResolvers<void>();
  await using stack = new AsyncDisposableStack();
  const pushing = stack.use(
    repeat({
      name: 'push the NATS account',
      intervalMs: retryMs,
      log,
      step: async () => {
        if (!wanted || !isConnected()) return;
        wanted = false;
        try {
          await trust.withAccountJwt(async jwt => {
            trust.assertPushable(jwt);
            await push(jwt);
          });
          pushed.resolve();
        } catch (error) {
          wanted = true;
          throw error;
        }
      },
    }),
  );
  const pushSoon = () => {
    wanted = true;
    pushing.wake();
  };
  stack.use(await listenFor(sql, 'revocations', pushSoon));

  const owned = stack.move();
  return {pushSoon, pushed: pushed.promise, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}
