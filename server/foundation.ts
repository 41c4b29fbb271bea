import type {Config} from './config.ts';
import {createNatsTrust, type NatsTrust} from './domain/nats-trust.ts';
import {loadNatsKeys, type NatsKeys} from './domain/nats-keys.ts';
import {loadMasterKey, type MasterKey} from './secrets.ts';
import {type Database, openDatabase} from './store/db.ts';
import {migrate} from './store/migrate.ts';

/** What every command of the server stands on. */
export type Foundation = AsyncDisposable & {
  readonly sql: Database;
  readonly now: () => Date;
  readonly key: MasterKey;
  readonly natsKeys: NatsKeys;
  readonly trust: NatsTrust;
};

/** Opens the database, migrates it, and makes the installation's keys when this is the first start. */
export async function openFoundation(
  config: Pick<Config, 'databaseUrl' | 'masterKeyFile'>,
): Promise<Foundation> {
  await using stack = new AsyncDisposableStack();
  const now = () => new Date();
  const key = await loadMasterKey(config.masterKeyFile);
  const sql = stack.adopt(openDatabase(config.databaseUrl), pool => pool.end({timeout: 5}));
  await migrate(sql);
  const natsKeys = await loadNatsKeys({sql, now, key});
  const trust = createNatsTrust({sql, now, keys: natsKeys});

  const owned = stack.move();
  return {sql, now, key, natsKeys, trust, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}
