import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type DeliverySchema,
  Delivery_State as DeliveryState,
  type WebhookSchema,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

/** Its receiver answers 404 to everything. A host called "closed" is refused. */
export const addWebhooks: MockNoun = router => {
  const webhooks: MessageInitShape<typeof WebhookSchema>[] = [
    {
      id: 'h1',
      name: 'ops-chat',
      url: 'https://chat.example/secret-path',
      eventTypes: ['machine.'],
      enabled: true,
      deadCount: 1,
    },
  ];
  const dead: MessageInitShape<typeof DeliverySchema> = {
    id: '00000000-0000-7000-8000-0000000000d1',
    webhookId: 'h1',
    state: DeliveryState.DEAD,
    eventType: 'machine.failed',
    eventPosition: 7n,
    attemptCount: 1,
    statusCode: 404,
    error: 'The receiver answered 404',
    attempts: [{statusCode: 404, error: 'The receiver answered 404', answer: 'no such hook'}],
  };
  router.service(WebhookService, {
    listWebhooks: () => ({webhooks}),
    getWebhook: ({id}) => ({webhook: webhooks.find(hook => hook.name === id || hook.id === id)}),
    createWebhook({webhook}) {
      if (webhook?.url.includes('//closed'))
        throw new ConnectError('Cannot use the URL: address is closed', Code.InvalidArgument);
      const made = {id: 'h2', name: webhook?.name ?? '', url: webhook?.url ?? '', enabled: true};
      webhooks.push(made);
      return {webhook: made, secret: 'whsec_shown_once'};
    },
    listDeliveries: () => ({deliveries: [dead]}),
    getDelivery: () => ({delivery: dead}),
    sendTestEvent: () => ({delivery: {...dead, eventType: 'webhook.test', eventPosition: 0n}}),
    redeliverDeliveries() {
      dead.state = DeliveryState.PENDING;
      return {count: 1};
    },
  });
};
