import type {Logger} from '@muster/runtime/log.ts';
import type {Registry} from 'prom-client';
import {createNetworkPolicy} from './clients/network-policy.ts';
import {createResolve} from './clients/resolver.ts';
import {createWebhookSender} from './clients/webhook-sender.ts';
import type {Config} from './config.ts';
import type {Deps} from './domain/deps.ts';
import {createWebhookDeliveries} from './domain/webhook-deliveries.ts';
import {createWebhookSecrets} from './domain/webhook-secrets.ts';
import {createWebhookSending} from './domain/webhook-sending.ts';
import {createWebhooks} from './domain/webhooks.ts';
import type {MasterKey} from './secrets.ts';
import {listenFor} from './store/notifications.ts';
import {startWebhooks} from './workers/webhooks.ts';

/** What a request may take longer than its time, until its end is on record. */
const leaseGraceMs = 10_000;

/** Everything of webhooks, wired by hand; sends as long as it lives. */
export async function openWebhooks({
  deps,
  key,
  config,
  registry,
  log,
}: {
  readonly deps: Deps;
  readonly key: MasterKey;
  readonly config: Config;
  readonly registry: Registry;
  readonly log: Logger;
}) {
  await using stack = new AsyncDisposableStack();
  const {webhookAllowedNetworks: allowed, webhookDeniedNetworks: denied} = config;
  const timeoutMs = config.webhookTimeoutSeconds * 1000;
  const policy = createNetworkPolicy({allowed, denied});
  const secrets = createWebhookSecrets(key);
  const send = createWebhookSender({policy, resolve: createResolve(), timeoutMs});
  const sending = createWebhookSending({
    ...deps,
    secrets,
    send,
    rules: {
      firstWaitMs: config.webhookRetrySeconds * 1000,
      disableAfterMs: config.webhookDisableAfterHours * 3_600_000,
    },
    leaseMs: timeoutMs + leaseGraceMs,
    random: Math.random,
  });
  const historyDays = config.webhookHistoryDays;
  const deliveries = createWebhookDeliveries({...deps, secrets, send, historyDays});
  const webhooks = createWebhooks({...deps, policy, secrets});
  const workers = stack.use(startWebhooks({deps, sending, deliveries, registry, log}));
  stack.use(await listenFor(deps.sql, 'positions', workers.wakeQueue));
  stack.use(await listenFor(deps.sql, 'webhooks', workers.wakeSender));

  const owned = stack.move();
  return {webhooks, deliveries, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

export type OpenWebhooks = Awaited<ReturnType<typeof openWebhooks>>;
