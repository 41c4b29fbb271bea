import {once} from 'node:events';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {AuditService} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Delivery_State, WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import test from 'ava';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {ready, until} from '../helpers/processes.ts';
import {isGenuine, type Received, startReceiver} from '../helpers/webhook-receiver.ts';
import {onHostOf, said, startCommand, withToken} from '../helpers/command.ts';

const settings = {
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  WEBHOOK_RETRY_SECONDS: '1',
  WEBHOOK_TIMEOUT_SECONDS: '1',
};
const all = {pageSize: 1000, pageToken: ''};

/** As the local administrator; rejects when the command fails. */
const run = async (muster: Muster, args: readonly string[]) =>
  said(args, withToken(muster.serverUrl, await muster.localToken()));

const positionOf = ({body}: Received) => (JSON.parse(body) as {position: number}).position;

test('nothing is lost when the server is killed while it sends, again and again', async t => {
  t.timeout(300_000);
  await using muster = await startMuster({serverEnv: settings});
  await using receiver = await startReceiver();
  // Some answers come late, some are failures, and some receivers take what they then deny.
  receiver.answerWith((_request, response, number) => {
    if (number % 7 === 0) response.writeHead(500).end();
    else if (number % 11 === 0) response.destroy();
    else response.writeHead(204).end();
  });
  const webhooks = muster.client(WebhookService);
  const {webhook, secret} = await webhooks.createWebhook({
    webhook: {
      name: 'e2e',
      url: receiver.url,
      eventTypes: ['machine.'],
      headers: [{name: 'X-Token', value: 'hush-hush'}],
      enabled: true,
    },
  });
  const webhookId = webhook?.id ?? '';

  const machines = muster.client(MachineService);
  let made = 0;
  for (let round = 1; round <= 3; round += 1) {
    for (let number = 0; number < 8; number += 1) {
      const serviceTag = `HOOK-${(made += 1)}`;
      await machines.createMachine({machine: {serviceTag}});
    }
    const before = receiver.received.length;
    await receiver.until(received => received.length >= before + 2);
    await muster.server.stop('SIGKILL');
    muster.server.start();
    await ready(`${muster.serverUrl}/readyz`);
  }

  await until('every delivery', async () => {
    const answer = await webhooks.listDeliveries({webhookId, ...all});
    return (
      answer.deliveries.length >= made &&
      answer.deliveries.every(({state}) => state === Delivery_State.DELIVERED)
    );
  });
  const {events} = await muster.client(EventService).listEvents({pageSize: 1000});
  const wanted = events.filter(({type}) => type.startsWith('machine.'));
  t.is(wanted.length, made);
  const firsts = [...new Map(receiver.received.map(one => [one.id, one])).values()];
  t.deepEqual(
    firsts.map(positionOf),
    wanted.map(({position}) => Number(position)),
    'each one, in order',
  );
  for (const request of receiver.received) t.true(isGenuine(request, secret));

  const {entries} = await muster
    .client(AuditService)
    .listAudit({resource: `webhooks/${webhookId}`});
  const audited = JSON.stringify(entries, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  t.regex(audited, /webhook\.created/);
  for (const hidden of [secret, '/hook', 'hush-hush']) t.false(audited.includes(hidden), hidden);
  const log = await readFile(join(muster.folder, 'log', 'server.log'), 'utf8');
  for (const hidden of [secret, '/hook', 'hush-hush']) t.false(log.includes(hidden), hidden);
});

test('a person makes a webhook, tests it, sees what fails, and sends it again', async t => {
  t.timeout(180_000);
  await using muster = await startMuster({serverEnv: settings});
  await using receiver = await startReceiver();
  const token = join(muster.folder, 'token.txt');
  const template = join(muster.folder, 'body.json');
  await writeFile(token, 'Bearer hidden-token\n');
  await writeFile(
    template,
    '{"text": "{{type}}", "serial": "{{data.serial}}", "n": "{{position}}"}',
  );
  const options = ['--type', 'machine.', '--attempts', '2', '--header', `Authorization=@${token}`];
  const created = await run(muster, [
    ...['webhooks', 'create', 'chat', receiver.url],
    ...[...options, '--template', template],
  ]);
  const secret = /shown this once: (whsec_\S+)/.exec(created)?.[1] ?? '';
  t.regex(created, /headers +Authorization/);
  t.false(created.includes('hidden-token'));

  t.regex(await run(muster, ['webhooks', 'test', 'chat']), /204 .*delivered/);
  const [tested] = receiver.received;
  t.true(tested && isGenuine(tested, secret));
  t.is(tested?.headers.authorization, 'Bearer hidden-token');
  t.deepEqual(JSON.parse(tested?.body ?? ''), {text: 'webhook.test', serial: null, n: 0});

  receiver.answerWith((_request, response) => response.writeHead(503).end('closed on Sundays'));
  await t.throwsAsync(run(muster, ['webhooks', 'test', 'chat']), {message: /answered 503/});
  await run(muster, ['machines', 'create', '--serial', 'CLI-HOOK']);
  const listed = await until('a dead delivery', async () => {
    const text = await run(muster, ['webhooks', 'deliveries', 'chat', '--state', 'dead']);
    return /(\S+) .* machine\.expected +DEAD +2 +503/.exec(text)?.[1];
  });
  const shown = await run(muster, ['webhooks', 'deliveries', 'chat', listed]);
  t.is(shown.match(/503 .* The receiver answered 503 +closed on Sundays/g)?.length, 2);

  receiver.answerWith((_request, response) => response.writeHead(200).end());
  t.regex(await run(muster, ['webhooks', 'redeliver', 'chat', '--dead']), /1 will be sent again/);
  await receiver.until(received => received.at(-1)?.id === listed && received.length >= 5);
  t.regex(await run(muster, ['webhooks', 'list']), /chat +OK/);

  const closed = run(muster, ['webhooks', 'update', 'chat', '--url', 'http://169.254.169.254/']);
  await t.throwsAsync(closed, {message: /169\.254\.169\.254 is closed: it is link-local/});
  const hidden = await fetch(`${muster.serverUrl}/api/v1/webhooks/chat`, {
    headers: {authorization: `Bearer ${await muster.localToken()}`},
  });
  const text = await hidden.text();
  t.false(/hidden-token|whsec_/.test(text));
  t.like(JSON.parse(text), {name: 'chat', headers: [{name: 'Authorization', value: ''}]});
  await run(muster, ['webhooks', 'delete', 'chat']);
  await t.throwsAsync(run(muster, ['webhooks', 'get', 'chat']), {message: /Cannot find webhook/});
});

test('a watcher goes on where a killed server broke it off, without gap or double', async t => {
  t.timeout(180_000);
  await using muster = await startMuster();
  const machines = muster.client(MachineService);
  await machines.createMachine({machine: {serviceTag: 'WATCH-100'}});
  const args = ['events', 'watch', '--from', '1', '--filter', 'type = machine.*', '--json'];
  // The token is new at each start of the server: the command reads it where it lies.
  const watcher = startCommand(args, onHostOf(muster));
  const seen: number[] = [];
  createInterface({input: watcher.stdout}).on('line', line =>
    seen.push(Number((JSON.parse(line) as {position: string}).position)),
  );
  await until('the first event', async () => seen.length === 1);
  const told = once(createInterface({input: watcher.stderr}), 'line');
  await muster.server.stop('SIGKILL');
  t.regex(String((await told)[0]), /The connection broke: trying again after position \d+/);
  muster.server.start();
  await ready(`${muster.serverUrl}/readyz`);

  for (let number = 1; number <= 20; number += 1)
    await machines.createMachine({machine: {serviceTag: `WATCH-${100 + number}`}});
  await until('every event', async () => seen.length >= 21);
  const {events} = await muster.client(EventService).listEvents({pageSize: 1000});
  const wanted = events.filter(({type}) => type.startsWith('machine.'));
  t.deepEqual(
    seen,
    wanted.map(({position}) => Number(position)),
  );
  const exit = once(watcher, 'exit');
  watcher.kill('SIGINT');
  t.deepEqual(await exit, [0, null]);
});
