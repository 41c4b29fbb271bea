import type {Database} from './db.ts';

/**
 * Calls `wake` for every NOTIFY on the channel, and after every (re)connection: what came in between is not told. After a lost
 * connection postgres.js listens again by itself.
 */
export async function listenFor(
  sql: Database,
  channel: string,
  wake: (payload: string) => void,
): Promise<AsyncDisposable> {
  // What listens after a reconnection cannot be taken back (postgres.js 3.4.9): it is made deaf.
  let open = true;
  const hear = (payload: string) => {
    if (open) wake(payload);
  };
  const {unlisten} = await sql.listen(channel, hear, () => hear(''));
  return {
    async [Symbol.asyncDispose]() {
      open = false;
      // The connection may be gone, and then nothing listens.
      await unlisten().catch(() => undefined);
    },
  };
}
