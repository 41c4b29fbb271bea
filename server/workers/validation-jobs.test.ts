import {setTimeout} from 'node:timers/promises';
import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {validationsDurable} from '@muster/runtime/bus.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {createTestBuilds} from '../../test/helpers/builds.ts';
import {startNats} from '../../test/helpers/nats.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {until} from '../../test/helpers/processes.ts';
import {startValidationJobs} from './validation-jobs.ts';

const postgres = postgresOf(test);

const nixBuilder = {builder: 'b1', backends: [{name: 'nix', available: true, missing: ''}]};

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const {sql} = stack.use(await postgres.createDatabase());
  const app = stack.use(await createTestBuilds(sql, {builders: [nixBuilder]}));
  const connection = stack.adopt(await nats.connectServer(), open => open.close());
  const {validations} = app;
  const start = () => startValidationJobs({sql, nats: connection, validations, log: silentLogger});
  const owned = stack.move();
  return {
    ...app,
    connection,
    start,
    ask: () => Array.fromAsync(app.client.validateConfig({nixosConfig: '{}'})),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Takes one job as a builder does; the caller answers. */
async function nextJob(connection: NatsConnection) {
  const deadlineMs = performance.now() + 40_000;
  while (performance.now() < deadlineMs) {
    try {
      const consumer = await jetstream(connection).consumers.get('JOBS', validationsDurable);
      const message = await consumer.next({expires: 5000});
      if (message) return {message, ...message.json<{validationId: string}>()};
    } catch {
      await setTimeout(50);
    }
  }
  throw new Error('No job within 40 s');
}

test('whoever asks is answered by a builder that took the job, once however many servers there are', async t => {
  await using app = await setUp();
  await using one = await app.start();
  await using two = await app.start();
  void [one, two];
  const asked = app.ask();
  const {validationId, message} = await nextJob(app.connection);
  const builder = app.builder('b1');
  await builder.claimValidation({validationId});
  await builder.finishValidation({validationId, durationMs: 7});
  message.ack();
  t.like(await asked, {length: 2, 1: {durationMs: 7, diagnostics: {length: 0}}});

  const manager = await jetstreamManager(app.connection);
  t.like((await manager.consumers.info('JOBS', validationsDurable)).config, {
    filter_subject: 'muster.jobs.validate',
    max_deliver: 5,
    max_ack_pending: 64,
    ack_wait: 30e9,
  });
  await until('an empty queue', async () => {
    const {state} = await manager.streams.info('JOBS');
    return state.messages === 0;
  });
});

test('a job that builders gave back too often is cleared, and comes anew while somebody waits', async t => {
  await using app = await setUp();
  await using jobs = await app.start();
  void jobs;
  const asked = app.ask();
  const first = await nextJob(app.connection);
  first.message.nak();
  for (let delivery = 2; delivery <= 5; delivery += 1) {
    const {message} = await nextJob(app.connection);
    t.is(message.info.deliveryCount, delivery);
    message.nak();
  }
  app.passTime(31_000);
  const {validationId, message} = await nextJob(app.connection);
  t.is(validationId, first.validationId);
  t.is(message.info.deliveryCount, 1);
  await app.builder('b1').claimValidation({validationId});
  await app.builder('b1').finishValidation({validationId});
  message.ack();
  t.is((await asked).length, 2);
});
