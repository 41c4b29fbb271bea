import {create} from '@bufbuild/protobuf';
import {durationFromMs, timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Delivery as DeliveryMessage,
  Delivery_State,
  DeliverySchema,
  type Webhook as WebhookMessage,
  WebhookSchema,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import type {WebhookView} from '../domain/webhooks.ts';
import type {Attempt, Delivery, DeliveryState} from '../store/webhook-deliveries.ts';

const toState = {
  pending: Delivery_State.PENDING,
  delivered: Delivery_State.DELIVERED,
  dead: Delivery_State.DEAD,
} as const satisfies Record<DeliveryState, Delivery_State>;

/** Undefined: all. */
export const fromState: ReadonlyMap<Delivery_State, DeliveryState> = new Map([
  [Delivery_State.PENDING, 'pending'],
  [Delivery_State.DELIVERED, 'delivered'],
  [Delivery_State.DEAD, 'dead'],
]);

/** Without anything that is sealed: headers have their names only. */
export function toWebhookMessage({webhook, pending, dead}: WebhookView): WebhookMessage {
  const {id, name, url, eventTypes, filter, template, contentType, headerNames} = webhook;
  const {enabled, attemptsMax, disabledReason, consecutiveFailures} = webhook;
  const time = (date: Date | undefined) => date && timestampFromDate(date);
  const times = {
    failingSinceTime: time(webhook.failingSinceTime),
    nextAttemptTime: time(webhook.nextAttemptTime),
    oldSecretEndTime: time(webhook.oldSecretEndTime),
  };
  return create(WebhookSchema, {
    ...{id, name, url, filter, template, contentType, enabled, attemptsMax},
    eventTypes: [...eventTypes],
    headers: headerNames.map(header => ({name: header})),
    ...{disabledReason, consecutiveFailures},
    ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined)),
    pendingCount: pending,
    deadCount: dead,
    createTime: timestampFromDate(webhook.createTime),
    updateTime: timestampFromDate(webhook.updateTime),
  });
}

export function toDeliveryMessage(
  delivery: Delivery & {readonly attempts?: readonly Attempt[]},
): DeliveryMessage {
  const {id, webhookId, state, eventId, eventType, eventPosition, attemptCount} = delivery;
  const {createTime, endTime, statusCode, error, durationMs, attempts = []} = delivery;
  return create(DeliverySchema, {
    ...{id, webhookId, eventId, eventType, attemptCount, statusCode, error},
    state: toState[state],
    eventPosition: BigInt(eventPosition),
    createTime: timestampFromDate(createTime),
    ...(endTime ? {endTime: timestampFromDate(endTime)} : {}),
    duration: durationFromMs(durationMs),
    attempts: attempts.map(attempt => ({
      time: timestampFromDate(attempt.time),
      statusCode: attempt.statusCode,
      duration: durationFromMs(attempt.durationMs),
      error: attempt.error,
      answer: attempt.answer,
    })),
  });
}
