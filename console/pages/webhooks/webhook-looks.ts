import {
  Delivery_State as DeliveryState,
  type Webhook,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {type Look, lookUp} from '../../ui/tones.ts';

export function webhookLook(webhook: Webhook): Look {
  if (!webhook.enabled)
    return webhook.disabledReason
      ? {word: 'Given up', tone: 'bad', icon: 'warning'}
      : {word: 'Disabled', tone: 'idle', icon: 'pause'};
  if (webhook.consecutiveFailures > 0) return {word: 'Failing', tone: 'warn', icon: 'issue'};
  return {word: 'Working', tone: 'ok', icon: 'check'};
}

export const deliveryLook = lookUp({
  [DeliveryState.PENDING]: {word: 'Waits', tone: 'busy', icon: 'pending'},
  [DeliveryState.DELIVERED]: {word: 'Delivered', tone: 'ok', icon: 'check'},
  [DeliveryState.DEAD]: {word: 'Dead', tone: 'bad', icon: 'cross'},
});

/** Receivers have secrets in paths: lists show where it goes, not the whole address. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);

export const statusWords = (statusCode: number): string =>
  statusCode === 0 ? 'no answer' : `HTTP ${statusCode}`;
