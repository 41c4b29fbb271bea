import type {ServiceImpl} from '@connectrpc/connect';
import type {
  Webhook as WebhookMessage,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {printable} from '../domain/identifiers.ts';
import type {WebhookDeliveries} from '../domain/webhook-deliveries.ts';
import type {WebhookContent, Webhooks} from '../domain/webhooks.ts';
import {DomainError} from '../errors.ts';
import {callerKey} from './caller.ts';
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
    const wanted = required(webhook);
    if (wanted.name === '')
      throw new DomainError('invalid_argument', 'Cannot create a webhook without a name: give one');
    const content = Object.fromEntries(
      Object.entries(changeable).map(([, read]) => Object.entries(read(wanted))[0] ?? []),
    ) as WebhookContent;
    const {view, secret} = await webhooks.create(values.get(callerKey).name, content);
    return {webhook: toWebhookMessage(view), secret};
  },

  async updateWebhook({webhook, updateMask}, {values}) {
    const wanted = required(webhook);
    const change = pick(wanted, updateMask?.paths ?? []);
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
const changeable: Readonly<Record<string, (webhook: WebhookMessage) => Partial<WebhookContent>>> = {
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
const names = Object.keys(changeable).join(', ');

function pick(webhook: WebhookMessage, paths: readonly string[]): Partial<WebhookContent> {
  const change: Partial<WebhookContent> = Object.assign(
    {},
    // A client that sends back what it got names the webhook in it too.
    ...paths
      .filter(path => path !== 'id')
      .map(path => {
        const read = changeable[path];
        if (read) return read(webhook);
        throw new DomainError(
          'invalid_argument',
          `Cannot change "${printable(path, 64)}" of a webhook: there is ${names}`,
        );
      }),
  );
  if (Object.keys(change).length === 0 || change.name === '')
    throw new DomainError(
      'invalid_argument',
      `Cannot change webhook "${webhook.id}": name the fields to change, one or more of ${names}; a name is never empty`,
    );
  return change;
}

function required(webhook: WebhookMessage | undefined): WebhookMessage {
  if (!webhook) throw new DomainError('invalid_argument', 'Cannot go on without a webhook');
  return webhook;
}
