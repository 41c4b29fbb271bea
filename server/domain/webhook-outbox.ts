import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {findJournalHead, type JournalEntry, listEntries} from '../store/journal.ts';
import {insertDeliveries, lockCursor, moveCursor} from '../store/webhook-deliveries.ts';
import {listEnabledWebhooks, type Webhook} from '../store/webhooks.ts';
import type {Deps} from './deps.ts';
import {compileEventFilter, type EventTest} from './event-filter.ts';
import {disableWebhook} from './webhook-sending.ts';

const eventsPerTransactionMax = 200;

/**
 * Makes the deliveries of the next events of the journal, and moves the cursor, in one transaction: none is left out and none is made twice,
 * whichever server does it and whenever it dies. False when nothing is left to do, or when another server does it.
 */
export const queueDeliveries = ({sql, now, newId}: Deps): Promise<boolean> =>
  sql.begin(async tx => {
    const cursor = await lockCursor(tx);
    if (cursor === undefined) return false;
    // Before the webhooks: whichever was there before an event up to here is seen then.
    const head = (await findJournalHead(tx))?.position ?? 0;
    if (head <= cursor) return false;
    const webhooks = await listEnabledWebhooks(tx);
    if (webhooks.length === 0) {
      await moveCursor(tx, head);
      return false;
    }

    const range = {after: cursor, upTo: head, limit: eventsPerTransactionMax};
    const entries = await listEntries(tx, range);
    await insertAll(tx, {entries, webhooks, now, newId});
    const last = entries.at(-1)?.position ?? head;
    await moveCursor(tx, last);
    return last < head;
  });

async function insertAll(
  tx: Sql,
  {
    entries,
    webhooks,
    now,
    newId,
  }: Pick<Deps, 'now' | 'newId'> & {
    readonly entries: readonly JournalEntry[];
    readonly webhooks: readonly Webhook[];
  },
): Promise<void> {
  const createTime = now();
  const tests: (readonly [Webhook, EventTest])[] = [];
  for (const webhook of webhooks)
    try {
      tests.push([webhook, testOf(webhook, createTime)]);
    } catch (error) {
      // Another version kept it. One that cannot be read must not hold up the others.
      if (!(error instanceof DomainError)) throw error;
      await disableWebhook(tx, {id: webhook.id, reason: error.message, now, newId});
    }
  for (const entry of entries)
    await insertDeliveries(
      tx,
      tests
        .filter(([, test]) => test(entry))
        .map(([webhook]) => ({
          id: newId(),
          webhookId: webhook.id,
          eventPosition: entry.position,
          eventId: entry.id,
          eventType: entry.type,
          state: 'pending',
          attemptCount: 0,
          statusCode: 0,
          error: '',
          durationMs: 0,
          createTime,
          endTime: undefined,
        })),
    );
}

/** Nobody is told of what was before, and no webhook of itself: telling may be what is wrong with it. */
function testOf({id, fromPosition, eventTypes, filter}: Webhook, now: Date): EventTest {
  const test = compileEventFilter({types: eventTypes, filter}, now);
  const own = `webhooks/${id}`;
  return entry => entry.position > fromPosition && entry.subject !== own && test(entry);
}
