import {durationMs} from '@bufbuild/protobuf/wkt';
import {
  type Delivery,
  Delivery_State,
  Delivery_StateSchema,
  DeliverySchema,
  type Webhook,
  WebhookSchema,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Column, nameOf, type Output} from '../output.ts';
import {addWebhookOptions, fieldsOfWebhook, type WebhookOptions} from '../webhook-options.ts';

/** `muster webhooks …` */
export function addWebhookCommands(program: Command): void {
  const webhooks = program
    .command('webhooks')
    .description('webhooks: events sent to other systems by HTTP')
    .addHelpText('after', '\nA webhook is named by its id or its name.');
  webhooks
    .command('list')
    .description('list webhooks and how they fare')
    .option('--limit <n>', 'at most this many', parseLimit, 200)
    .addHelpText('after', '\nExample: muster webhooks list')
    .action(list);
  webhooks
    .command('get <webhook>')
    .description('show one webhook')
    .addHelpText('after', '\nExample: muster webhooks get ops-chat')
    .action(get);
  addWebhookOptions(
    webhooks.command('create <name> <url>').description('make a webhook; prints its secret, once'),
  )
    .option('--disable', 'not yet')
    .addHelpText(
      'after',
      `
Example: muster webhooks create ops-chat https://chat.example/hook --type machine.failed --header Authorization=@token.txt`,
    )
    .action(create);
  addWebhookOptions(webhooks.command('update <webhook>').description('change a webhook'))
    .option('--name <name>', 'another name')
    .option('--url <url>', 'another address')
    .option('--enable', 'send again')
    .option('--disable', 'send no more; what happens meanwhile is not sent later')
    .addHelpText('after', '\nExample: muster webhooks update ops-chat --enable')
    .action(update);
  webhooks
    .command('delete <webhook>')
    .description('remove a webhook and its deliveries')
    .addHelpText('after', '\nExample: muster webhooks delete ops-chat')
    .action(remove);
  addDeliveryCommands(webhooks);
}

function addDeliveryCommands(webhooks: Command): void {
  webhooks
    .command('rotate-secret <webhook>')
    .description('make a new secret, printed once; the one before signs as well for a while')
    .option('--keep-old <seconds>', 'for so long', '86400')
    .addHelpText('after', '\nExample: muster webhooks rotate-secret ops-chat --keep-old 3600')
    .action(rotate);
  webhooks
    .command('test <webhook>')
    .description('send a test event now and say what the receiver answered')
    .addHelpText('after', '\nExample: muster webhooks test ops-chat')
    .action(sendTest);
  webhooks
    .command('deliveries <webhook> [delivery]')
    .description('list deliveries, newest first, or show one with every try')
    .option('--state <state>', 'pending, delivered or dead', parseState)
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster webhooks deliveries ops-chat --state dead')
    .action(deliveries);
  webhooks
    .command('redeliver <webhook> [delivery]')
    .description('send one delivery again, or with --dead all that were given up')
    .option('--dead', 'all that were given up')
    .addHelpText('after', '\nExample: muster webhooks redeliver ops-chat --dead')
    .action(redeliver);
}

const health = ({enabled, disabledReason, consecutiveFailures}: Webhook): string => {
  if (!enabled) return disabledReason ? 'DISABLED BY ITSELF' : 'DISABLED';
  return consecutiveFailures > 0 ? 'FAILING' : 'OK';
};

const columns: readonly Column<Webhook>[] = [
  {title: 'NAME', value: ({name}) => name},
  {title: 'STATE', value: health},
  {title: 'WAITING', value: ({pendingCount}) => String(pendingCount)},
  {title: 'DEAD', value: ({deadCount}) => String(deadCount)},
  {title: 'TYPES', value: ({eventTypes}) => eventTypes.join(' ') || 'all'},
  {title: 'URL', value: ({url}) => url},
];

const deliveryColumns: readonly Column<Delivery>[] = [
  {title: 'ID', value: ({id}) => id},
  {title: 'TIME', value: ({createTime}) => clock(createTime)},
  {title: 'EVENT', value: ({eventType}) => eventType},
  {title: 'STATE', value: ({state}) => nameOf(Delivery_StateSchema, state)},
  {title: 'TRIES', value: ({attemptCount}) => String(attemptCount)},
  {title: 'STATUS', value: ({statusCode}) => (statusCode ? String(statusCode) : '')},
  {title: 'ERROR', value: ({error}) => error},
];

function show(out: Output, webhook: Webhook | undefined): void {
  assertAnswered(webhook);
  if (out.json) return out.document(WebhookSchema, webhook);
  const {consecutiveFailures: failures, oldSecretEndTime} = webhook;
  out.record({
    id: webhook.id,
    name: webhook.name,
    url: webhook.url,
    state: health(webhook),
    reason: webhook.disabledReason,
    types: webhook.eventTypes.join(' ') || 'all',
    filter: webhook.filter,
    'content type': webhook.contentType,
    template: webhook.template,
    headers: webhook.headers.map(({name}) => name).join(' '),
    tries: String(webhook.attemptsMax),
    waiting: String(webhook.pendingCount),
    dead: String(webhook.deadCount),
    failures: failures ? `${failures} since ${clock(webhook.failingSinceTime)}` : '',
    'next try': webhook.nextAttemptTime ? clock(webhook.nextAttemptTime) : '',
    'old secret until': oldSecretEndTime ? clock(oldSecretEndTime) : '',
    changed: clock(webhook.updateTime),
  });
}

function showDelivery(out: Output, delivery: Delivery | undefined): void {
  assertAnswered(delivery);
  if (out.json) return out.document(DeliverySchema, delivery);
  out.record({
    id: delivery.id,
    event: `${delivery.eventType} ${delivery.eventId}`,
    state: nameOf(Delivery_StateSchema, delivery.state),
    error: delivery.error,
  });
  for (const {time, statusCode, duration, error, answer} of delivery.attempts)
    out.line(
      [
        clock(time),
        statusCode || '-',
        `${duration ? durationMs(duration) : 0} ms`,
        error || 'delivered',
        answer.replaceAll(/\s+/g, ' ').trim(),
      ].join('  '),
    );
}

async function list({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const webhooks = await collectPages(context, limit, async page => {
    const answer = await clients.webhooks.listWebhooks(page);
    return {rows: answer.webhooks, nextPageToken: answer.nextPageToken};
  });
  out.list(WebhookSchema, columns, webhooks);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.webhooks.getWebhook({id})).webhook);
}

async function create(
  name: string,
  url: string,
  options: WebhookOptions,
  command: Command,
): Promise<void> {
  const {clients, out, remark} = contextOf(command);
  const fields = {...fieldsOfWebhook(options), name, url};
  const webhook = {enabled: true, ...fields};
  const answer = await clients.webhooks.createWebhook({webhook});
  show(out, answer.webhook);
  tellSecret(out, remark, answer.secret);
}

/** With --json the result stays one document; the secret goes beside it. */
function tellSecret(out: Output, remark: (text: string) => void, secret: string): void {
  const sentence = `Its secret, shown this once: ${secret}`;
  if (out.json) remark(sentence);
  else out.line(sentence);
}

async function update(id: string, options: WebhookOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const webhook = fieldsOfWebhook(options);
  const paths = Object.keys(webhook).map(name => name.replaceAll(/[A-Z]/g, '_$&').toLowerCase());
  if (paths.length === 0)
    throw new CommandError(
      'Cannot update a webhook without a change: give --url, --type, --enable or another option',
      exitStatus.usage,
    );
  const request = {webhook: {...webhook, id}, updateMask: {paths}};
  show(out, (await clients.webhooks.updateWebhook(request)).webhook);
}

async function remove(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.webhooks.deleteWebhook({id});
  if (!out.json) out.line(`Deleted webhook ${id}`);
}

async function rotate(
  id: string,
  {keepOld}: {readonly keepOld: string},
  command: Command,
): Promise<void> {
  const {clients, out, remark} = contextOf(command);
  if (!/^\d{1,7}$/.test(keepOld))
    throw new CommandError(`Cannot use --keep-old "${keepOld}": say seconds`, exitStatus.usage);
  const request = {id, keepOldSeconds: Number(keepOld)};
  const answer = await clients.webhooks.rotateWebhookSecret(request);
  if (out.json) show(out, answer.webhook);
  tellSecret(out, remark, answer.secret);
}

async function sendTest(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {delivery} = await clients.webhooks.sendTestEvent({id});
  showDelivery(out, delivery);
  if (delivery?.state !== Delivery_State.DELIVERED)
    throw new CommandError(`The test of webhook "${id}" failed: ${delivery?.error ?? ''}`);
}

async function deliveries(
  webhookId: string,
  id: string | undefined,
  {state, limit}: {readonly state?: Delivery_State; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  if (id !== undefined)
    return showDelivery(out, (await clients.webhooks.getDelivery({webhookId, id})).delivery);
  const wanted = {webhookId, state: state ?? Delivery_State.UNSPECIFIED};
  const found = await collectPages(context, limit, async page => {
    const answer = await clients.webhooks.listDeliveries({...wanted, ...page});
    return {rows: answer.deliveries, nextPageToken: answer.nextPageToken};
  });
  out.list(DeliverySchema, deliveryColumns, found);
}

async function redeliver(
  webhookId: string,
  deliveryId: string | undefined,
  {dead = false}: {readonly dead?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  if ((deliveryId === undefined) !== dead)
    throw new CommandError('Cannot redeliver: name one delivery, or say --dead', exitStatus.usage);
  const request = {webhookId, deliveryId: deliveryId ?? ''};
  const {count} = await clients.webhooks.redeliverDeliveries(request);
  out.line(out.json ? JSON.stringify({count}) : `${count} will be sent again`);
}

const states: Readonly<Record<string, Delivery_State>> = {
  pending: Delivery_State.PENDING,
  delivered: Delivery_State.DELIVERED,
  dead: Delivery_State.DEAD,
};

function parseState(text: string): Delivery_State {
  const found = Object.hasOwn(states, text) ? states[text] : undefined;
  if (found !== undefined) return found;
  throw new CommandError(
    `Cannot use --state "${text}": say pending, delivered or dead`,
    exitStatus.usage,
  );
}
