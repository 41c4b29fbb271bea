import {AsyncLocalStorage} from 'node:async_hooks';
import type postgres from 'postgres';

/** What a transaction that is under way wants to be told; closed once it is over, as what it started may run on. */
type Announcements = {readonly channels: Set<string>; isOver: boolean};

// The context of one transaction, not state of the process.
const transactions = new AsyncLocalStorage<Announcements>();

/**
 * Wakes whoever listens to the channel, after the transaction that this is called in. NOTIFY within one holds a lock of the whole database until the disk
 * has it, and then nothing else that notifies can commit beside it: at 5 ms a commit that is 180 transactions a second where 2000 fit
 * (decision 0011). Not told when the process dies in between, so whoever listens looks every few seconds, too. `sql` is for callers outside of a
 * transaction.
 */
export async function announce(
  sql: postgres.Sql | postgres.TransactionSql,
  channel: string,
): Promise<void> {
  const transaction = transactions.getStore();
  if (transaction?.isOver === false) transaction.channels.add(channel);
  else await notify(sql, channel);
}

/** Makes its transactions tell what they announced: one NOTIFY for all that end while another one is under way. */
export function announceAfterCommits(sql: postgres.Sql): postgres.Sql {
  const waiting = new Set<string>();
  let isNotifying = false;

  async function notifyAll(): Promise<void> {
    if (isNotifying) return;
    isNotifying = true;
    for (const channel of waiting) {
      waiting.delete(channel);
      // Whoever listens hears of a lost connection by itself, and looks.
      await notify(sql, channel).catch(() => undefined);
    }
    isNotifying = false;
  }

  sql.begin = new Proxy(sql.begin, {
    async apply(begin, self, args) {
      const transaction: Announcements = {channels: new Set(), isOver: false};
      try {
        return await transactions.run(transaction, () => Reflect.apply(begin, self, args));
      } finally {
        transaction.isOver = true;
        for (const channel of transaction.channels) waiting.add(channel);
        if (waiting.size > 0) void transactions.exit(notifyAll);
      }
    },
  });
  return sql;
}

async function notify(sql: postgres.Sql | postgres.TransactionSql, channel: string): Promise<void> {
  await sql`select pg_notify(${channel}, '')`;
}
