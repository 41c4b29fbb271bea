import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import type {JournalEntry} from '../store/journal.ts';
import * as store from '../store/webhook-deliveries.ts';
import type {Delivery, DeliveryState} from '../store/webhook-deliveries.ts';
import {listEnabledWebhooks} from '../store/webhooks.ts';
import {getWebhook} from './find-webhook.ts';
import {isUuid, parsePageToken} from './ids.ts';
import {
  attemptsKeptMax,
  disableWebhook,
  sendEvent,
  type WebhookSendingDeps,
} from './webhook-sending.ts';

const pageSizeDefault = 50;
const testsMax = 4;
const redeliveredMax = 10_000;
const deletedPerStepMax = 1000;
/** More than that waiting is a receiver that will not catch up. */
export const pendingMax = 100_000;

export type DeliveryWithAttempts = Delivery & {readonly attempts: readonly store.Attempt[]};

export type WebhookDeliveries = ReturnType<typeof createWebhookDeliveries>;

/** What was sent, what was not, and sending it again. */
export function createWebhookDeliveries(
  deps: Pick<WebhookSendingDeps, 'sql' | 'now' | 'newId' | 'secrets' | 'send'> & {
    readonly historyDays: number;
  },
) {
  const {sql, now, newId, historyDays} = deps;
  let tests = 0;

  async function get(webhookKey: string, id: string): Promise<DeliveryWithAttempts> {
    const webhook = await getWebhook(sql, webhookKey);
    const delivery = isUuid(id) ? await store.findDelivery(sql, webhook.id, id) : undefined;
    if (!delivery) throw unknownDelivery(id, webhook.name);
    return {...delivery, attempts: await store.listAttempts(sql, id, attemptsKeptMax)};
  }

  return {
    get,

    /** Newest first. */
    async list(request: {
      readonly webhookKey: string;
      readonly state: DeliveryState | undefined;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const {webhookKey, state, pageSize, pageToken} = request;
      const {id: webhookId} = await getWebhook(sql, webhookKey);
      const limit = pageSize || pageSizeDefault;
      const before = parsePageToken(pageToken);
      const rows = await store.listDeliveries(sql, {webhookId, state, before, limit: limit + 1});
      const deliveries = rows.slice(0, limit);
      return {deliveries, nextPageToken: rows.length > limit ? (deliveries.at(-1)?.id ?? '') : ''};
    },

    /** Gives how many wait now. Throws not_found, failed_precondition. */
    redeliver: (actor: string, webhookKey: string, deliveryId: string): Promise<number> =>
      sql.begin(async tx => {
        const webhook = await getWebhook(tx, webhookKey, 'update');
        if (!webhook.enabled)
          throw new DomainError(
            'failed_precondition',
            `Cannot send deliveries of webhook "${webhook.name}" again: it is disabled; enable it first`,
          );
        const {id: webhookId, name} = webhook;
        const one = deliveryId === '' ? {} : {id: deliveryId};
        if (deliveryId !== '' && !isUuid(deliveryId)) throw unknownDelivery(deliveryId, name);
        const count = await store.queueAgain(tx, {webhookId, ...one, limit: redeliveredMax});
        if (deliveryId !== '' && count === 0) {
          const known = await store.findDelivery(tx, webhookId, deliveryId);
          if (!known) throw unknownDelivery(deliveryId, name);
          if (known.eventPosition === 0) throw isTest(deliveryId);
        }
        const subject = `webhooks/${webhookId}`;
        const data = {name, count, ...(deliveryId ? {delivery_id: deliveryId} : {})};
        const type = 'webhook.redelivered';
        await appendEvent(tx, {id: newId(), time: now(), type, actor, subject, data});
        return count;
      }),

    /** Sends a made-up event now. What becomes of it is no failure of the webhook. */
    async test(
      actor: string,
      webhookKey: string,
      signal: AbortSignal,
    ): Promise<DeliveryWithAttempts> {
      const webhook = await getWebhook(sql, webhookKey);
      if (tests >= testsMax)
        throw new DomainError(
          'resource_exhausted',
          `Cannot test webhook "${webhook.name}": ${tests} tests run now; try again in some seconds`,
          {retryAfterSeconds: 10},
        );
      tests += 1;
      try {
        const time = now();
        const subject = `webhooks/${webhook.id}`;
        const entry: JournalEntry = {
          id: newId(),
          position: 0,
          time,
          type: 'webhook.test',
          actor,
          machineId: undefined,
          subject,
          data: JSON.stringify({message: 'A test of this webhook: nothing happened'}),
        };
        const id = newId();
        const result = await sendEvent(deps, {webhook, entry, deliveryId: id}, signal);
        const {statusCode, durationMs, error, answer} = result;
        const attempt = {time, statusCode, durationMs, error, answer};
        const delivery: Delivery = {
          id,
          webhookId: webhook.id,
          eventPosition: 0,
          eventId: entry.id,
          eventType: entry.type,
          state: error === '' ? 'delivered' : 'dead',
          attemptCount: 1,
          statusCode,
          error,
          durationMs,
          createTime: time,
          endTime: now(),
        };
        await sql.begin(async tx => {
          // Not deleted in between.
          await getWebhook(tx, webhook.id, 'update');
          await store.insertDeliveries(tx, [delivery]);
          await store.recordAttempt(tx, {...delivery, attempt, kept: attemptsKeptMax});
          const data = {name: webhook.name, status_code: statusCode, error};
          const type = 'webhook.tested';
          await appendEvent(tx, {id: newId(), time: now(), type, actor, subject, data});
        });
        return {...delivery, attempts: [attempt]};
      } finally {
        tests -= 1;
      }
    },

    /** Forgets old deliveries, and disables what falls behind without end. True when more is to be done. */
    async keepUp(): Promise<boolean> {
      const before = new Date(now().getTime() - historyDays * 86_400_000);
      const deleted = await store.deleteEnded(sql, before, deletedPerStepMax);
      const ids = (await listEnabledWebhooks(sql)).map(({id}) => id);
      const counts = await store.countUndelivered(sql, ids, pendingMax);
      for (const [id, {pending}] of counts) {
        const reason = `${pendingMax} deliveries wait: the receiver does not keep up`;
        if (pending >= pendingMax)
          await sql.begin(tx => disableWebhook(tx, {id, reason, now, newId}));
      }
      return deleted === deletedPerStepMax;
    },
  };
}

const unknownDelivery = (id: string, name: string) =>
  new DomainError(
    'not_found',
    `Cannot find delivery "${id.slice(0, 64)}" of webhook "${name}": "muster webhooks deliveries" shows what there is`,
  );

const isTest = (id: string) =>
  new DomainError(
    'failed_precondition',
    `Cannot send delivery "${id}" again: it was a test; run the test again`,
  );
