import type {Logger} from '@muster/runtime/log.ts';
import {Counter, type Registry} from 'prom-client';
import type {Deps} from '../domain/deps.ts';
import type {WebhookDeliveries} from '../domain/webhook-deliveries.ts';
import {queueDeliveries} from '../domain/webhook-outbox.ts';
import type {WebhookSending} from '../domain/webhook-sending.ts';
import {repeat, type Repeated} from '../repeat.ts';

/** How late a try may be, and how soon another server goes on with what a dead one left. */
const lookEveryMs = 1000;
const upkeepEveryMs = 60_000;
/** Webhooks that are sent to at once by this server; each of them gets one request at a time. */
const sendingMax = 32;
/** Of these, how many may fail already: receivers that answer nothing must not take every place. */
const failingMax = 12;

type Claimed = Awaited<ReturnType<WebhookSending['claim']>>[number];

/** Makes deliveries of events, and sends them. Any number of servers may do it at once. */
export function startWebhooks({
  deps,
  sending,
  deliveries,
  registry,
  log,
}: {
  readonly deps: Deps;
  readonly sending: WebhookSending;
  readonly deliveries: WebhookDeliveries;
  readonly registry: Registry;
  readonly log: Logger;
}) {
  const stack = new AsyncDisposableStack();
  const sender = stack.use(startSender({sending, registry, log}));
  const queueing = stack.use(
    repeat({
      name: 'queue webhook deliveries',
      intervalMs: lookEveryMs,
      log,
      step: async signal => {
        while (!signal.aborted && (await queueDeliveries(deps)));
      },
    }),
  );
  stack.use(
    repeat({
      name: 'look after webhooks',
      intervalMs: upkeepEveryMs,
      log,
      step: async signal => {
        while (!signal.aborted && (await deliveries.keepUp()));
      },
    }),
  );
  return {
    /** The journal has grown. */
    wakeQueue: queueing.wake,
    /** Deliveries wait. */
    wakeSender: sender.wake,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function startSender({
  sending,
  registry,
  log,
}: {
  readonly sending: WebhookSending;
  readonly registry: Registry;
  readonly log: Logger;
}): Repeated {
  const stop = new AbortController();
  const running = new Map<Promise<void>, Claimed>();
  const turns = new Counter({
    name: 'muster_webhook_turns_total',
    help: 'Turns of webhooks, in which what waits is sent, by how they ended',
    labelNames: ['outcome'],
    registers: [registry],
  });

  const run = async (claimed: Claimed) => {
    const {id, name} = claimed.webhook;
    try {
      await sending.drain(claimed, stop.signal);
      turns.inc({outcome: 'ended'});
    } catch (error) {
      turns.inc({outcome: 'broken'});
      // The claim ends by itself, and somebody tries again.
      if (!stop.signal.aborted) log.warn({err: error, webhookId: id, name}, 'cannot send webhook');
    }
  };

  const looking = repeat({
    name: 'send webhooks',
    intervalMs: lookEveryMs,
    log,
    step: async () => {
      const failing = [...running.values()].filter(
        ({webhook}) => webhook.consecutiveFailures > 0,
      ).length;
      const free = sendingMax - running.size;
      if (free <= 0 || stop.signal.aborted) return;
      for (const claimed of await sending.claim(free, Math.max(0, failingMax - failing))) {
        const turn: Promise<void> = run(claimed).finally(() => {
          running.delete(turn);
          looking.wake();
        });
        running.set(turn, claimed);
      }
    },
  });
  return {
    wake: looking.wake,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking[Symbol.asyncDispose]();
      await Promise.all(running.keys());
    },
  };
}
