import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {findWebhook, type Webhook} from '../store/webhooks.ts';
import {isUuid} from './ids.ts';

export const webhookNamePattern = /^[a-zA-Z0-9]([a-zA-Z0-9_. -]{0,61}[a-zA-Z0-9])?$/;

/** By id or name. Throws not_found. */
export async function getWebhook(
  sql: Sql,
  key: string,
  lock: 'none' | 'update' = 'none',
): Promise<Webhook> {
  const by = isUuid(key) ? {id: key} : {name: key};
  const known = webhookNamePattern.test(key) ? await findWebhook(sql, by, lock) : undefined;
  if (known) return known;
  throw new DomainError(
    'not_found',
    `Cannot find webhook "${key.replaceAll('\0', '')}": "muster webhooks list" shows what there is`,
  );
}
