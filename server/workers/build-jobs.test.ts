import {setTimeout} from 'node:timers/promises';
import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {buildersDurable} from '@muster/runtime/bus.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {createTestBuilds, debianBuilder, succeededWith} from '../../test/helpers/builds.ts';
import {startNats} from '../../test/helpers/nats.ts';
import {until} from '../../test/helpers/processes.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {createBuildUpkeep, requestMissingRegistrationImage} from '../domain/build-upkeep.ts';
import {startBuildJobs} from './build-jobs.ts';

const postgres = postgresOf(test);

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const {sql} = stack.use(await postgres.createDatabase());
  const app = stack.use(await createTestBuilds(sql));
  const connection = stack.adopt(
    await nats.connectServer({
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      reconnectJitter: 0,
      reconnectJitterTLS: 0,
    }),
    open => open.close(),
  );
  const limits = {queuedMs: 60_000, silentMs: 180_000, attemptMs: 3_600_000};
  const upkeep = createBuildUpkeep({...app.deps, transitions: app.transitions, limits});
  const start = () => startBuildJobs({sql, nats: connection, upkeep, log: silentLogger});
  const owned = stack.move();
  return {
    ...app,
    nats,
    connection,
    upkeep,
    start,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Takes one job as a builder does, which also waits for queue and connection; the caller answers. */
async function nextJob(connection: NatsConnection) {
  const deadlineMs = performance.now() + 40_000;
  while (performance.now() < deadlineMs) {
    try {
      const consumer = await jetstream(connection).consumers.get('JOBS', buildersDurable);
      const message = await consumer.next({expires: 5000});
      if (message) return {buildId: message.json<{buildId: string}>().buildId, message};
    } catch {
      await setTimeout(50);
    }
  }
  throw new Error('No job within 40 s');
}

const variant = Image_Variant.VIRTUAL;

test('a build that is asked for becomes a job at once, one for each however many servers', async t => {
  await using app = await setUp();
  await using one = await app.start();
  await using two = await app.start();
  void [one, two];
  const {build} = await app.client.createRegistrationBuild({variant});
  const {buildId, message} = await nextJob(app.connection);
  t.is(buildId, build?.id ?? '');
  await app.builder('b1').claimBuild({buildId});
  message.ack();

  const manager = await jetstreamManager(app.connection);
  t.like((await manager.consumers.info('JOBS', buildersDurable)).config, {
    max_deliver: 20,
    max_ack_pending: 256,
    ack_wait: 30e9,
  });
  // It is put down after the queue has it: the job may be here first.
  await until(
    'the record of the job',
    async () => (await app.sql`select 1 from builds where job_count >= 1`).length === 1,
  );
  t.pass();
});

test('a job that NATS lost with all its data is queued again', async t => {
  await using app = await setUp();
  const {build} = await app.client.createRegistrationBuild({variant});
  {
    await using jobs = await app.start();
    void jobs;
    t.is((await nextJob(app.connection)).buildId, build?.id ?? '');
  }
  const manager = await jetstreamManager(app.connection);
  await manager.streams.delete('JOBS');
  app.passTime(61_000);
  await using jobs = await app.start();
  void jobs;
  t.is((await nextJob(app.connection)).buildId, build?.id ?? '');
});

test('a builder that falls silent loses its build to the next', async t => {
  await using app = await setUp();
  const {build} = await app.client.createRegistrationBuild({variant});
  const id = build?.id ?? '';
  await app.upkeep.jobQueued(id);
  const {spec} = await app.builder('b1').claimBuild({buildId: id});
  app.passTime(181_000);
  t.deepEqual(await app.upkeep.review({queueIsEmpty: true}), [{buildId: id, jobCount: 1}]);
  t.is((await app.client.getBuild({id})).build?.operation?.state, Operation_State.QUEUED);

  // It lived after all: while nobody else has taken the build, its report counts.
  await app.builder('b1').reportBuild({buildId: id, attempt: 1, log: {lines: ['back']}});
  t.is((await app.client.getBuild({id})).build?.operation?.state, Operation_State.RUNNING);
  await app.builder('b1').finishBuild({buildId: id, attempt: 1, ...succeededWith(spec, 'a')});
  t.deepEqual(await app.upkeep.review({queueIsEmpty: true}), []);
});

test('a build that takes too long fails', async t => {
  await using app = await setUp();
  const {build} = await app.client.createRegistrationBuild({variant});
  const id = build?.id ?? '';
  await app.builder('b1').claimBuild({buildId: id});
  app.passTime(3_601_000);
  await app.upkeep.review({queueIsEmpty: true});
  t.like((await app.client.getBuild({id})).build?.operation, {
    state: Operation_State.FAILED,
    error: 'Cannot build: no result within 60 minutes',
  });
});

test('a job that was given up is cleared from the queue and comes anew', async t => {
  await using app = await setUp();
  await using jobs = await app.start();
  void jobs;
  await app.client.createRegistrationBuild({variant});
  const first = await nextJob(app.connection);
  first.message.nak();
  for (let delivery = 2; delivery <= 20; delivery += 1) {
    const {message} = await nextJob(app.connection);
    t.is(message.info.deliveryCount, delivery);
    message.nak();
  }
  const anew = await nextJob(app.connection);
  t.is(anew.buildId, first.buildId);
  t.is(anew.message.info.deliveryCount, 1);
  anew.message.ack();
});

test('goes on after nats-server was killed', async t => {
  await using app = await setUp();
  await using jobs = await app.start();
  void jobs;
  await app.client.createRegistrationBuild({variant});
  (await nextJob(app.connection)).message.ack();
  await app.nats.stop('SIGKILL');
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.FULL});
  await app.nats.start();
  t.is((await nextJob(app.connection)).buildId, build?.id ?? '');
});

test('asks for the small registration image, then for the full one, and waits after a failure', async t => {
  await using app = await setUp();
  let builders = [] as (typeof debianBuilder)[];
  const request = () =>
    requestMissingRegistrationImage({
      ...app.deps,
      builds: app.builds,
      listLiveBuilders: () => Promise.resolve(builders),
      backOffMs: 300_000,
    });
  t.is(await request(), undefined);
  builders = [debianBuilder];
  t.is(await request(), 'virtual');
  t.is(await request(), undefined);

  const [virtual] = (await app.client.listBuilds({})).builds;
  t.is(virtual?.operation?.actor, 'system');
  const {spec, attempt} = await app.builder('b1').claimBuild({buildId: virtual?.id ?? ''});
  await app
    .builder('b1')
    .finishBuild({buildId: virtual?.id ?? '', attempt, ...succeededWith(spec, 'a')});
  t.is(await request(), 'full');
  const [full] = (await app.client.listBuilds({})).builds;
  await app.client.cancelBuild({id: full?.id ?? ''});
  t.is(await request(), undefined);
  app.passTime(301_000);
  t.is(await request(), 'full');
});
