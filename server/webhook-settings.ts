import {integer, list} from '@muster/runtime/config.ts';
import {parseNetwork} from './clients/network-policy.ts';

/** The part of the server's settings that is about webhooks. */
export const webhookSettings = {
  webhookAllowedNetworks: {
    env: 'WEBHOOK_ALLOWED_NETWORKS',
    describe:
      'networks that webhooks may send to although they are loopback, link-local, metadata or reserved, as 127.0.0.0/8, separated by commas',
    default: '',
    parse: networks,
  },
  webhookDeniedNetworks: {
    env: 'WEBHOOK_DENIED_NETWORKS',
    describe: 'networks that webhooks may never send to, for example those of BMCs',
    default: '',
    parse: networks,
  },
  webhookTimeoutSeconds: {
    env: 'WEBHOOK_TIMEOUT_SECONDS',
    describe: 'how long one request of a webhook may take, from the name to the answer',
    default: '10',
    parse: integer(1, 60),
  },
  webhookRetrySeconds: {
    env: 'WEBHOOK_RETRY_SECONDS',
    describe:
      'wait after the first failure of a webhook; it doubles with each further one, up to an hour',
    default: '5',
    parse: integer(1, 3600),
  },
  webhookDisableAfterHours: {
    env: 'WEBHOOK_DISABLE_AFTER_HOURS',
    describe: 'how long a webhook may fail without a success before it is disabled',
    default: '72',
    parse: integer(1, 8760),
  },
  webhookHistoryDays: {
    env: 'WEBHOOK_HISTORY_DAYS',
    describe: 'days that deliveries of webhooks are kept after their end, dead ones too',
    default: '30',
    parse: integer(1, 3650),
  },
};

function networks(value: string): readonly string[] {
  for (const network of list(value)) parseNetwork(network);
  return list(value);
}
