import {randomUUID} from 'node:crypto';
import {uuidv7} from '@muster/runtime/ids.ts';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {Registry} from 'prom-client';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {until} from '../../test/helpers/processes.ts';
import {isGenuine, startReceiver} from '../../test/helpers/webhook-receiver.ts';
import {createNetworkPolicy} from '../clients/network-policy.ts';
import {createWebhookSender} from '../clients/webhook-sender.ts';
import {startRelay} from '../relay.ts';
import {masterKey} from '../secrets.ts';
import {appendEvent} from '../store/events.ts';
import {listenFor} from '../store/notifications.ts';
import {startWebhooks} from '../workers/webhooks.ts';
import {createWebhookDeliveries} from './webhook-deliveries.ts';
import {createWebhookSecrets} from './webhook-secrets.ts';
import {createWebhookSending} from './webhook-sending.ts';
import {createWebhooks, type WebhookContent} from './webhooks.ts';

const postgres = postgresOf(test);

const timeoutMs = 1000;
const content: WebhookContent = {
  name: 'ops',
  url: '',
  eventTypes: ['machine.'],
  filter: '',
  template: '',
  contentType: '',
  headers: [],
  enabled: true,
  attemptsMax: 3,
};

/** `servers` share one database, as several hosts would. */
async function setUp({servers = 1, disableAfterMs = 3_600_000} = {}) {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const deps = {sql, now: () => new Date(), newId: uuidv7};
  stack.use(await startRelay({sql, publish: () => Promise.resolve(), log}));
  const policy = createNetworkPolicy({allowed: ['127.0.0.0/8'], denied: []});
  const secrets = createWebhookSecrets(masterKey(Buffer.alloc(32, 5)));
  const resolve = () => Promise.resolve([{address: '127.0.0.1', family: 4}] as const);
  const send = createWebhookSender({policy, resolve, timeoutMs});
  const deliveries = createWebhookDeliveries({...deps, secrets, send, historyDays: 30});
  for (let number = 0; number < servers; number += 1) {
    const sending = createWebhookSending({
      ...deps,
      secrets,
      send,
      rules: {firstWaitMs: 20, disableAfterMs},
      leaseMs: 3000,
      random: Math.random,
    });
    const registry = new Registry();
    const workers = stack.use(startWebhooks({deps, sending, deliveries, registry, log}));
    stack.use(await listenFor(sql, 'positions', workers.wakeQueue));
    stack.use(await listenFor(sql, 'webhooks', workers.wakeSender));
  }
  const webhooks = createWebhooks({...deps, policy, secrets});
  const owned = stack.move();
  return {
    sql,
    webhooks,
    deliveries,
    add: (wanted: Partial<WebhookContent>) =>
      webhooks.create('user:alice', {...content, ...wanted}),
    write: (type: string, data: Record<string, unknown> = {}) =>
      appendEvent(sql, {
        id: randomUUID(),
        time: new Date(),
        type,
        actor: 'user:alice',
        subject: 'machines/1',
        data,
      }),
    /** Until the deliveries of the webhook satisfy. */
    settle: (satisfied: (states: readonly string[]) => boolean) =>
      until('the deliveries', async () => {
        const rows = await sql<{state: string}[]>`
          select state from webhook_deliveries order by event_position
        `;
        return satisfied(rows.map(({state}) => state));
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const numbersOf = (received: readonly {readonly body: string}[]) =>
  received.map(({body}) => (JSON.parse(body) as {data: {number: number}}).data.number);

test('each event of the wanted types goes out once, signed, in order, and not those of before', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  await app.write('machine.ready', {number: 0});
  await until('its position', async () => {
    const rows = await app.sql`select from events where position = 1`;
    return rows.length === 1;
  });
  const wanted = {url: receiver.url, eventTypes: ['machine.'], filter: '-data.number = 3'};
  const headers = [{name: 'X-Token', value: 'let me in'}];
  const {secret, view} = await app.add({...wanted, headers});
  for (let number = 1; number <= 30; number += 1) await app.write('machine.ready', {number});
  await app.write('build.failed', {number: 31});
  await app.write('machine.failed', {number: 32});

  await receiver.until(received => received.length >= 30);
  await app.settle(states => states.length === 30 && states.every(state => state === 'delivered'));
  const late = numbersOf(receiver.received).filter(number => number === 0);
  // Written before, but perhaps placed after it was made.
  t.deepEqual(numbersOf(receiver.received).slice(late.length), [
    ...Array.from({length: 30}, (_, index) => index + 1).filter(number => number !== 3),
    32,
  ]);
  t.is(new Set(receiver.received.map(({id}) => id)).size, receiver.received.length);
  for (const request of receiver.received) {
    t.true(isGenuine(request, secret));
    t.false(isGenuine(request, 'whsec_AAAA'));
    t.false(isGenuine({...request, body: `${request.body} `}, secret));
    t.is(request.headers['x-token'], 'let me in');
  }
  const stored = JSON.stringify(await app.sql`select * from webhooks`);
  t.false(stored.includes('let me in') || stored.includes(secret));
  t.is(view.webhook.name, 'ops');
});

test('a failure is tried again in order; what never works is dead, and is sent again with its id', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  receiver.answerWith(({body}, response) => {
    response.writeHead(numbersOf([{body}])[0] === 1 ? 500 : 200).end('no '.repeat(1000));
  });
  const {view} = await app.add({url: receiver.url});
  const key = view.webhook.id;
  for (const number of [1, 2]) await app.write('machine.ready', {number});
  await receiver.until(received => numbersOf(received).includes(2));
  t.deepEqual(numbersOf(receiver.received), [1, 1, 1, 2]);
  await app.settle(states => states.join() === 'dead,delivered');

  const listing = {webhookKey: key, state: 'dead', pageSize: 0, pageToken: ''} as const;
  const [dead] = (await app.deliveries.list(listing)).deliveries;
  t.like(dead, {statusCode: 500, attemptCount: 3, error: 'The receiver answered 500'});
  const {attempts} = await app.deliveries.get('ops', dead?.id ?? '');
  t.is(attempts.length, 3);
  t.is(attempts[0]?.answer.length, 512);

  receiver.answerWith((_request, response) => response.writeHead(200).end());
  t.is(await app.deliveries.redeliver('user:alice', key, ''), 1);
  await app.settle(states => states.join() === 'delivered,delivered');
  t.is(receiver.received.at(-1)?.id, dead?.id);
  t.is((await app.webhooks.get(key)).webhook.consecutiveFailures, 0);
});

test('several servers send each event once, in order', async t => {
  await using app = await setUp({servers: 3});
  await using receiver = await startReceiver();
  await app.add({url: receiver.url});
  for (let number = 1; number <= 150; number += 1) await app.write('machine.ready', {number});
  await app.settle(states => states.filter(state => state === 'delivered').length === 150);
  t.deepEqual(
    numbersOf(receiver.received),
    Array.from({length: 150}, (_, index) => index + 1),
  );
});

test('receivers that answer nothing hold up no other', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  await using mute = await startReceiver();
  mute.answerWith(() => undefined);
  for (let number = 0; number < 40; number += 1)
    await app.add({name: `mute ${number}`, url: mute.url, attemptsMax: 20});
  await app.write('machine.ready', {number: 0});
  await mute.until(received => received.length >= 40);
  await app.add({name: 'good', url: receiver.url});
  const start = performance.now();
  for (let number = 1; number <= 20; number += 1) await app.write('machine.ready', {number});
  await receiver.until(received => numbersOf(received).includes(20));
  t.true(performance.now() - start < 15 * timeoutMs, `${performance.now() - start} ms`);
  t.deepEqual(
    numbersOf(receiver.received),
    Array.from({length: 20}, (_, index) => index + 1),
  );
});

test('failing for too long, or 410, disables a webhook, tells why, and its events wait as dead', async t => {
  await using app = await setUp({disableAfterMs: 200});
  await using receiver = await startReceiver();
  receiver.answerWith(({path}, response) => {
    response.writeHead(path === '/gone' ? 410 : 503).end();
  });
  const gone = await app.add({name: 'gone', url: receiver.url.replace('hook', 'gone')});
  const slow = await app.add({name: 'slow', url: receiver.url, attemptsMax: 20});
  await app.write('machine.ready', {number: 1});
  await app.write('machine.ready', {number: 2});
  await app.settle(states => states.length >= 4 && states.every(state => state === 'dead'));
  for (const [{view}, reason] of [
    [gone, /answered 410/],
    [slow, /Nothing was delivered for .* The receiver answered 503/],
  ] as const) {
    const {webhook} = await app.webhooks.get(view.webhook.id);
    t.false(webhook.enabled);
    t.regex(webhook.disabledReason, reason);
  }
  const events = await app.sql`select data from events where type = 'webhook.disabled'`;
  t.is(events.length, 2);
  const refused = await t.throwsAsync(app.deliveries.redeliver('user:alice', 'slow', ''));
  t.regex(refused.message, /it is disabled; enable it first/);

  receiver.answerWith((_request, response) => response.writeHead(200).end());
  const before = receiver.received.length;
  const {webhook} = await app.webhooks.update('user:alice', 'slow', {enabled: true});
  t.is(webhook.disabledReason, '');
  await app.deliveries.redeliver('user:alice', 'slow', '');
  await receiver.until(received => received.length >= before + 2);
  t.deepEqual(numbersOf(receiver.received.slice(before)).slice(0, 2), [1, 2]);
});

test('while a secret is changed both sign; headers keep their values; a test goes out though disabled', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  const headers = [{name: 'X-Token', value: 'one'}];
  const {secret} = await app.add({url: receiver.url, enabled: false, headers});
  const rotated = await app.webhooks.rotate('user:alice', 'ops', 60);
  await app.webhooks.update('user:alice', 'OPS', {
    headers: [
      {name: 'x-token', value: ''},
      {name: 'X-More', value: 'two'},
    ],
  });
  const delivery = await app.deliveries.test('user:alice', 'ops', new AbortController().signal);
  t.like(delivery, {state: 'delivered', statusCode: 204, eventType: 'webhook.test'});
  const [request] = receiver.received;
  t.true(request && isGenuine(request, secret) && isGenuine(request, rotated.secret));
  t.like(request?.headers, {'x-token': 'one', 'x-more': 'two'});

  const last = await app.webhooks.rotate('user:alice', 'ops', 0);
  await app.deliveries.test('user:alice', 'ops', new AbortController().signal);
  const second = receiver.received[1];
  t.true(second && isGenuine(second, last.secret) && !isGenuine(second, rotated.secret));
  const again = await t.throwsAsync(app.deliveries.redeliver('user:alice', 'ops', delivery.id));
  t.regex(again.message, /disabled/);
});

test('a delivery may be sent again by its id; old ones are forgotten, waiting ones are not', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  await app.add({url: receiver.url});
  for (const number of [1, 2, 3]) await app.write('machine.ready', {number});
  await app.settle(states => states.join() === 'delivered,delivered,delivered');
  const page = {webhookKey: 'ops', state: undefined, pageSize: 2, pageToken: ''};
  const first = await app.deliveries.list(page);
  t.is(first.deliveries.length, 2);
  const {deliveries} = await app.deliveries.list({...page, pageToken: first.nextPageToken});
  const [oldest] = deliveries;
  t.is(await app.deliveries.redeliver('user:alice', 'ops', oldest?.id ?? ''), 1);
  await receiver.until(received => received.length === 4);
  t.deepEqual(numbersOf(receiver.received), [1, 2, 3, 1]);
  t.is(receiver.received[3]?.id, receiver.received[0]?.id);
  const unknown = app.deliveries.redeliver('user:alice', 'ops', randomUUID());
  t.regex((await t.throwsAsync(unknown)).message, /Cannot find delivery/);

  await app.settle(states => states.every(state => state === 'delivered'));
  await app.webhooks.update('user:alice', 'ops', {enabled: false});
  const old = new Date(Date.now() - 31 * 86_400_000);
  await app.sql`update webhook_deliveries set end_time = ${old} where event_position > 1 and id <> ${oldest?.id ?? ''}`;
  await app.sql`update webhook_deliveries set state = 'pending', end_time = null, create_time = ${old} where id = ${oldest?.id ?? ''}`;
  await app.deliveries.keepUp();
  t.deepEqual([...(await app.sql`select id from webhook_deliveries`)], [{id: oldest?.id}]);
  t.is((await app.sql`select from webhook_attempts`).length, 2);
});

test('a webhook that is deleted while it is sent to is gone without a word', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  const arrived = Promise.withResolvers<() => void>();
  receiver.answerWith((_request, response) => arrived.resolve(() => response.writeHead(200).end()));
  await app.add({url: receiver.url});
  await app.write('machine.ready', {number: 1});
  const answer = await arrived.promise;
  await app.webhooks.delete('user:alice', 'ops');
  answer();
  await app.add({url: receiver.url});
  await app.write('machine.ready', {number: 2});
  await receiver.until(received => numbersOf(received).includes(2));
  t.is((await app.sql`select from webhook_deliveries`).length, 1);
});

test('a filter that cannot be read disables its webhook and holds up no other', async t => {
  await using app = await setUp();
  await using receiver = await startReceiver();
  const {view} = await app.add({name: 'odd', url: receiver.url});
  await app.add({url: receiver.url});
  await app.sql`update webhooks set filter = 'colour = red' where id = ${view.webhook.id}`;
  await app.write('machine.ready', {number: 1});
  await receiver.until(received => received.length === 1);
  const {webhook} = await app.webhooks.get('odd');
  t.false(webhook.enabled);
  t.regex(webhook.disabledReason, /events have no field "colour"/);
});
