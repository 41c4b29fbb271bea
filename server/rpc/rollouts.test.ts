import {randomUUID} from 'node:crypto';
import {Code} from '@connectrpc/connect';
import {type Rollout, Rollout_State} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import test from 'ava';
import {createTestMachine, sha256, succeededWith} from '../../test/helpers/builds.ts';
import {createTestBulks, type TestBulks} from '../../test/helpers/bulks.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {refused} from '../../test/helpers/refusal.ts';

const postgres = postgresOf(test);

const setUp = () => onDatabase(postgres, createTestBulks);

async function addMachines({sql}: TestBulks, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let number = 1; number <= count; number += 1)
    ids.push(await createTestMachine(sql, 'enrolled', {hostname: `m${number}`}));
  return ids;
}

type Request = Parameters<TestBulks['rollouts']['createRollout']>[0];

async function start(app: TestBulks, request: Request): Promise<string> {
  const {rollout} = await app.rollouts.createRollout(request);
  return rollout?.id ?? '';
}

async function get(app: TestBulks, id: string): Promise<Rollout> {
  const {rollout} = await app.rollouts.getRollout({id});
  if (!rollout) throw new Error('An answer without a roll-out');
  return rollout;
}

const liveBuilds = ({sql}: TestBulks) =>
  sql<{id: string; machineId: string}[]>`select id, machine_id from builds where live order by id`;

/** Builders finish what there is; those of `broken` fail. Gives the machines of the builds. */
async function buildAll(app: TestBulks, broken: readonly string[] = []) {
  const builder = app.builder('b1');
  const builds = await liveBuilds(app);
  for (const {id: buildId, machineId} of builds) {
    const {spec, attempt} = await builder.claimBuild({buildId});
    const outcome = broken.includes(machineId)
      ? ({outcome: 2, error: 'No space left'} as const)
      : succeededWith(spec, `${machineId} ${spec?.imageConfig?.hostName}`);
    await builder.finishBuild({buildId, attempt, ...outcome});
  }
  return builds.map(({machineId}) => machineId);
}

/** Each comes back from its reboot with the image that it shall run. */
async function bootAll(app: TestBulks, machineIds: readonly string[], hostName: string) {
  for (const machineId of machineIds) {
    const hello = {
      bootSession: '',
      bootId: randomUUID(),
      agentVersion: '1',
      machineTime: undefined,
    };
    const imageInputKey = sha256(`${machineId} ${hostName}`);
    const heard = {...hello, imageInputKey, heardTime: new Date()};
    await app.sql.begin(tx => app.hellos.hear(tx, machineId, heard));
  }
}

/** One wave to its end, and the next begins. */
async function runWave(app: TestBulks, id: string, hostName: string): Promise<readonly string[]> {
  await app.drive(id);
  const machineIds = await buildAll(app);
  await app.drive(id);
  await bootAll(app, machineIds, hostName);
  await app.drive(id);
  return machineIds;
}

const change = {data: {imageConfig: {hostName: 'new'}}};

test('a build that ends while its machine is looked at does not fail it', async t => {
  await using app = await setUp();
  // Each time the end comes at another moment of the look.
  for (const machineId of await addMachines(app, 30)) {
    const id = await start(app, {machineIds: [machineId], ...change});
    await app.drive(id);
    const over = new AbortController();
    const looking = (async () => {
      while (!over.signal.aborted) await app.turn(id);
    })();
    t.deepEqual(await buildAll(app), [machineId]);
    over.abort();
    await looking;
    await app.drive(id);
    t.like((await app.children(id))[0], {step: 'rebooting', error: ''});
  }
});

test('a canary, then wave after wave, each when the one before is ACTIVE in its image', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 6);
  const id = await start(app, {
    machineIds: [...ids],
    ...change,
    canary: 1,
    wave: {case: 'waveSize', value: 3},
  });
  await app.drive(id);
  const first = await get(app, id);
  t.like(first, {
    state: Rollout_State.RUNNING,
    currentWave: 1,
    nextStep:
      'Wave 1 of 3: 0 of 1 machine up to here are over; wave 2 begins when all of them are, and no more than 0 failed',
    waves: [
      {number: 1, canary: true, counts: {total: 1, running: 1}},
      {number: 2, canary: false, counts: {total: 3, queued: 3}},
      {number: 3, counts: {total: 2, queued: 2}},
    ],
  });
  t.deepEqual(await buildAll(app), ids.slice(0, 1));
  await app.drive(id);
  t.like((await app.children(id))[0], {step: 'rebooting'});
  t.is((await liveBuilds(app)).length, 0, 'the next wave waits until the canary is ACTIVE');
  await bootAll(app, ids.slice(0, 1), 'new');
  await app.drive(id);
  t.is((await app.told(id))[0]?.split('; ').at(-1), 'it is ACTIVE in its new image');

  t.deepEqual(await runWave(app, id, 'new'), ids.slice(1, 4));
  t.deepEqual(await runWave(app, id, 'new'), ids.slice(4));
  t.like(await get(app, id), {state: Rollout_State.SUCCEEDED, nextStep: '', currentWave: 3});
  for (const machineId of ids) {
    const {state, imageConfig} = await app.machines.get(machineId);
    t.is(state, 'active');
    t.is(imageConfig?.hostName, 'new');
  }
  const events = await app.sql<{type: string}[]>`
    select type from events where type like 'rollout.%' order by sequence
  `;
  t.deepEqual(
    events.map(({type}) => type),
    ['rollout.started', 'rollout.wave_started', 'rollout.wave_started', 'rollout.succeeded'],
  );
});

test('it halts at one failure too many; resumed, it goes on without the failed machine', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 4);
  const id = await start(app, {machineIds: [...ids], ...change, canary: 2});
  await app.drive(id);
  await buildAll(app, ids.slice(0, 1));
  await app.drive(id);
  t.like(await get(app, id), {
    state: Rollout_State.HALTED,
    holdReason: '1 machine failed, more than the 0 that are allowed',
    nextStep:
      'What has begun goes on to its end (1 machine). Look at the machines that failed; then resume it, with or without another try of them, or cancel it',
  });
  await bootAll(app, ids.slice(1, 2), 'new');
  await app.drive(id);
  t.like(await get(app, id), {
    state: Rollout_State.HALTED,
    waves: [{counts: {failed: 1, succeeded: 1}}, {counts: {queued: 1}}, {counts: {queued: 1}}],
  });
  t.is((await refused(app.rollouts.pauseRollout({id}))).code, Code.FailedPrecondition);

  t.like(await app.rollouts.resumeRollout({id}), {rollout: {state: Rollout_State.RUNNING}});
  await runWave(app, id, 'new');
  await runWave(app, id, 'new');
  t.like(await get(app, id), {
    state: Rollout_State.FAILED,
    operation: {error: 'Of 4 machines 1 failed', children: {succeeded: 3, failed: 1}},
  });
  t.is((await refused(app.rollouts.resumeRollout({id}))).code, Code.FailedPrecondition);
});

test('resumed with another try, the failed machine comes first', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 2);
  const wave = {case: 'waveSize', value: 1} as const;
  const id = await start(app, {machineIds: [...ids], ...change, wave});
  await app.drive(id);
  await buildAll(app, ids);
  await app.drive(id);
  t.like(await get(app, id), {state: Rollout_State.HALTED});
  await app.rollouts.resumeRollout({id, retryFailed: true});
  t.deepEqual(await runWave(app, id, 'new'), ids.slice(0, 1));
  t.deepEqual(await runWave(app, id, 'new'), ids.slice(1));
  t.like(await get(app, id), {state: Rollout_State.SUCCEEDED});
});

test('a machine that does not come back in time has failed, and says so', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 2);
  const id = await start(app, {
    machineIds: [...ids],
    wave: {case: 'wavePercent', value: 50},
    machineTimeoutSeconds: 60,
  });
  await app.drive(id);
  await buildAll(app);
  await app.drive(id);
  app.passTime(59_000);
  await app.drive(id);
  t.like(await get(app, id), {state: Rollout_State.RUNNING});
  app.passTime(2000);
  app.bus.connected = false;
  await app.drive(id);
  t.like(await get(app, id), {state: Rollout_State.RUNNING}, 'the server could not have heard it');
  app.bus.connected = true;
  await app.drive(id);
  t.like(await get(app, id), {state: Rollout_State.HALTED});
  t.is((await app.told(id))[0], 'failed It was not ACTIVE in its new image 60 s after its reboot');
});

test('paused, nothing begins until it is resumed; cancelled, nothing ever', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 3);
  const wave = {case: 'waveSize', value: 1} as const;
  const id = await start(app, {machineIds: [...ids], ...change, wave});
  await app.rollouts.pauseRollout({id, reason: 'Lunch'});
  await app.drive(id);
  t.is((await liveBuilds(app)).length, 0);
  t.like(await get(app, id), {
    state: Rollout_State.PAUSED,
    holdReason: 'Lunch',
    nextStep: 'Resume it or cancel it',
  });
  t.is((await refused(app.rollouts.resumeRollout({id: ids[0] ?? ''}))).code, Code.NotFound);
  await app.rollouts.resumeRollout({id});
  await runWave(app, id, 'new');
  t.is((await liveBuilds(app)).length, 1);
  await app.rollouts.cancelRollout({id});
  await app.drive(id);
  await app.drive(id);
  t.like(await get(app, id), {
    state: Rollout_State.CANCELLED,
    operation: {children: {succeeded: 1, cancelled: 2}},
  });
  t.is((await liveBuilds(app)).length, 0);
});

test('a dry run goes through all waves, tells who would be refused, and changes nothing', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 2);
  const expected = await createTestMachine(app.sql, 'expected');
  const machineIds = [expected, ...ids];
  const id = await start(app, {machineIds, ...change, canary: 1, dryRun: true});
  await app.drive(id);
  t.deepEqual(await app.told(id), [
    `failed Cannot roll out to machine "${expected}": it is expected`,
    'succeeded Changed image_config; started a build',
    'succeeded Changed image_config; started a build',
  ]);
  t.is((await app.sql`select 1 from builds`).length, 0);
  t.is((await app.machines.get(ids[0] ?? '')).imageConfig?.hostName, 'web-1');
});

test('roll-outs are listed by pages, newest first', async t => {
  await using app = await setUp();
  const ids = await addMachines(app, 1);
  const started: string[] = [];
  for (let count = 0; count < 3; count += 1)
    started.push(await start(app, {machineIds: [...ids], dryRun: true}));
  const first = await app.rollouts.listRollouts({pageSize: 2});
  const {nextPageToken: pageToken} = first;
  const second = await app.rollouts.listRollouts({pageSize: 2, pageToken});
  t.deepEqual(
    [...first.rollouts, ...second.rollouts].map(({id}) => id),
    started.toReversed(),
  );
  t.is(second.nextPageToken, '');
});
