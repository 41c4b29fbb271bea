import type {ServiceImpl} from '@connectrpc/connect';
import type {
  Webhook as WebhookMessage,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import type {WebhookDeliveries} from '../domain/webhook-deliveries.ts';
import type {WebhookContent, Webhooks} from '../domain/webhooks.ts';
import {DomainError} from '../errors.ts';
import {callerKey} from './caller.ts';
import {type Changeable, pickChange} from './pick-change.ts';
import {required} from './required.ts';
import {storable} from './storable.ts';
import {fromState, toDeliveryMessage, toWebhookMessage} from './webhook-messages.ts';

export const webhookService = (
  webhooks: Webhooks,
  deliveries: WebhookDeliveries,
): ServiceImpl<typeof WebhookService> => ({
  async listWebhooks(request) {
    const page = await webhooks.list(request);
    return {webhooks: page.webhooks.map(toWebhookMessage), nextPageToken: page.nextPageToken};
  },

  async getWebhook({id}) {
    return {webhook: toWebhookMessage(await webhooks.get(id))};
  },

  async createWebhook({webhook}, {values}) {
    const wanted = required(webhook, 'a webhook');
    if (wanted.name === '')
      throw new DomainError('invalid_argument', 'Cannot create a webhook without a name: give one');
    const content = Object.fromEntries(
      Object.entries(changeable).map(([, read]) => Object.entries(read(wanted))[0] ?? []),
    ) as WebhookContent;
    const {view, secret} = await webhooks.create(values.get(callerKey).name, content);
    return {webhook: toWebhookMessage(view), secret};
  },

  async updateWebhook({webhook, updateMask}, {values}) {
    const wanted = required(webhook, 'a webhook');
    const change = pickChange('webhook', changeable, wanted, updateMask?.paths ?? []);
    const view = await webhooks.update(values.get(callerKey).name, wanted.id, change);
    return {webhook: toWebhookMessage(view)};
  },

  async deleteWebhook({id}, {values}) {
    await webhooks.delete(values.get(callerKey).name, id);
    return {};
  },

  async rotateWebhookSecret({id, keepOldSeconds}, {values}) {
    const {name} = values.get(callerKey);
    const {view, secret} = await webhooks.rotate(name, id, keepOldSeconds);
    return {webhook: toWebhookMessage(view), secret};
  },

  async sendTestEvent({id}, {values, signal}) {
    const delivery = await deliveries.test(values.get(callerKey).name, id, signal);
    return {delivery: toDeliveryMessage(delivery)};
  },

  async listDeliveries({webhookId, state, pageSize, pageToken}) {
    const request = {webhookKey: webhookId, state: fromState.get(state), pageSize, pageToken};
    const page = await deliveries.list(request);
    return {
      deliveries: page.deliveries.map(delivery => toDeliveryMessage(delivery)),
      nextPageToken: page.nextPageToken,
    };
  },

  async getDelivery({webhookId, id}) {
    return {delivery: toDeliveryMessage(await deliveries.get(webhookId, id))};
  },

  async redeliverDeliveries({webhookId, deliveryId}, {values}) {
    const {name} = values.get(callerKey);
    return {count: await deliveries.redeliver(name, webhookId, deliveryId)};
  },
});

/** By the names of the contract. */
const changeable: Changeable<WebhookMessage, Partial<WebhookContent>> = {
  name: ({name}) => ({name}),
  url: ({url}) => ({url: storable(url, 'url')}),
  event_types: ({eventTypes}) => ({eventTypes}),
  filter: ({filter}) => ({filter: storable(filter.trim(), 'filter')}),
  template: ({template}) => ({template: storable(template, 'template')}),
  content_type: ({contentType}) => ({contentType}),
  headers: ({headers}) => ({headers: headers.map(({name, value}) => ({name, value}))}),
  enabled: ({enabled}) => ({enabled}),
  attempts_max: ({attemptsMax}) => ({attemptsMax}),
};
