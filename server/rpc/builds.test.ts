import {randomUUID} from 'node:crypto';
import {Code} from '@connectrpc/connect';
import {
  type BuildService,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {
  BootTest_Firmware,
  Image_Kind,
  Image_Variant,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Client} from '@connectrpc/connect';
import test from 'ava';
import {
  createTestBuilds,
  createTestMachine,
  debianBuilder,
  imageConfig,
  sha256,
  succeededWith,
} from '../../test/helpers/builds.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {refused} from '../../test/helpers/refusal.ts';
import type {Database} from '../store/db.ts';
import {findImages, latestRegistrationImage} from '../store/images.ts';
import {findMachine} from '../store/machines.ts';

const postgres = postgresOf(test);

const setUp = () => onDatabase(postgres, createTestBuilds);

const byText = (a: string, b: string) => a.localeCompare(b);

const typesOf = async (sql: Database) =>
  (await sql<{type: string}[]>`select type from events order by sequence`).map(row => row.type);

async function claimed(builder: Client<typeof BuildService>, buildId: string) {
  const {spec, attempt} = await builder.claimBuild({buildId});
  return {spec, attempt, buildId};
}

test('a build carries an ENROLLED machine to READY with its image, and tells how', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled');
  const {build} = await app.client.createBuild({machineId});
  const buildId = build?.id ?? '';
  t.like(build?.operation, {state: Operation_State.QUEUED, kind: 'build', actor: 'user:alice'});
  t.is((await findMachine(app.sql, machineId))?.state, 'provisioning');

  const seen: string[] = [];
  const watching = (async () => {
    for await (const {update} of app.client.watchBuild({id: buildId})) {
      if (update.case === 'log') seen.push(...update.value.lines);
      if (update.case === 'build')
        seen.push(`${update.value.operation?.state} ${update.value.operation?.progressPercent}%`);
    }
  })();

  const builder = app.builder('b1');
  const {spec, attempt} = await claimed(builder, buildId);
  t.like(spec, {
    kind: Image_Kind.MACHINE,
    variant: Image_Variant.FULL,
    backend: 'debian',
    machineId,
  });
  t.like(spec?.imageConfig, imageConfig);
  const report = (step: string, progressPercent: number, lines: string[]) =>
    builder.reportBuild({buildId, attempt, step, progressPercent, log: {lines}});
  await report('packages', 30, ['one', 'two']);
  await report('layers', 20, ['three']);
  await builder.finishBuild({buildId, attempt, ...succeededWith(spec, 'a')});
  await watching;

  t.deepEqual(
    seen.filter(line => !line.endsWith('%')),
    ['Attempt 1 by builder:b1', 'one', 'two', 'three'],
  );
  t.is(seen.at(-1), `${Operation_State.SUCCEEDED} 100%`);
  const machine = await findMachine(app.sql, machineId);
  const done = (await app.client.getBuild({id: buildId})).build;
  t.is(machine?.state, 'ready');
  t.is(machine?.desiredImageId, done?.imageId);
  t.deepEqual(
    done?.operation?.steps.map(({name, state}) => [name, state]),
    [
      ['packages', Operation_State.SUCCEEDED],
      ['layers', Operation_State.SUCCEEDED],
    ],
  );
  t.deepEqual(await typesOf(app.sql), [
    'build.requested',
    'machine.provisioning',
    'build.started',
    'image.added',
    'machine.ready',
    'build.succeeded',
  ]);
  const [image] = await findImages(app.sql, [done?.imageId ?? '']);
  t.like(image, {kind: 'machine', inputKey: sha256('a'), buildId, bootTests: {length: 2}});
});

test('refuses what cannot be built and says what is missing', async t => {
  await using app = await setUp();
  const bare = await createTestMachine(app.sql, 'enrolled', {
    imageConfig: undefined,
    hostname: 'r7',
  });
  t.deepEqual(await refused(app.client.createBuild({machineId: bare})), {
    code: Code.FailedPrecondition,
    rawMessage:
      'Cannot build machine "r7": it has neither image_config nor nixos_config nor templates',
  });

  const nix = await createTestMachine(app.sql, 'enrolled', {nixosConfig: '{}', hostname: 'r8'});
  t.deepEqual(await refused(app.client.createBuild({machineId: nix})), {
    code: Code.FailedPrecondition,
    rawMessage:
      'Cannot build machine "r8": no live builder offers nix (builder "b1": Cannot build with nix: no nix command on this host)',
  });

  app.setBuilders([]);
  const debian = await createTestMachine(app.sql, 'enrolled', {hostname: 'r9'});
  t.regex(
    (await refused(app.client.createBuild({machineId: debian}))).rawMessage ?? '',
    /no builder is online/,
  );
  app.setBuilders([debianBuilder]);

  const away = await createTestMachine(app.sql, 'rejected', {hostname: 'r10'});
  t.regex(
    (await refused(app.client.createBuild({machineId: away}))).rawMessage ?? '',
    /it is rejected/,
  );
  const unknown = randomUUID();
  t.is((await refused(app.client.createBuild({machineId: unknown}))).code, Code.NotFound);
  t.is((await app.sql`select id from operations`).length, 0);
});

test('of two builds of one machine at once one is made, and the other is told which', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled', {hostname: 'r7'});
  const results = await Promise.all(
    [1, 2, 3].map(() => refused(app.client.createBuild({machineId}))),
  );
  const [live] = (await app.client.listBuilds({machineId})).builds;
  t.is((await app.client.listBuilds({machineId})).builds.length, 1);
  const expected = `Cannot build machine "r7": build "${live?.id}" is queued; wait for it or cancel it`;
  t.deepEqual(results.map(({rawMessage}) => rawMessage ?? '').sort(byText), [
    expected,
    expected,
    'not refused',
  ]);

  const variant = Image_Variant.VIRTUAL;
  await app.client.createRegistrationBuild({variant});
  t.is((await refused(app.client.createRegistrationBuild({variant}))).code, Code.AlreadyExists);
  await app.client.createRegistrationBuild({variant: Image_Variant.FULL});
});

test('after another builder took over, the first one is told to stop', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled');
  const {build} = await app.client.createBuild({machineId});
  const [first, second] = [app.builder('b1'), app.builder('b2')];
  const old = await claimed(first, build?.id ?? '');
  t.is((await refused(second.claimBuild({buildId: old.buildId}))).code, Code.Unavailable);

  app.passTime(21_000);
  const current = await claimed(second, old.buildId);
  t.is(current.attempt, 2);
  const {buildId} = old;
  const late = [
    first.reportBuild({buildId, attempt: old.attempt, log: {lines: ['late']}}),
    first.finishBuild({buildId, attempt: old.attempt, ...succeededWith(old.spec, 'a')}),
    first.finishBuild({buildId, attempt: current.attempt, ...succeededWith(old.spec, 'a')}),
  ];
  for (const call of late) t.is((await refused(call)).code, Code.Aborted);

  const finish = () =>
    second.finishBuild({buildId, attempt: current.attempt, ...succeededWith(current.spec, 'b')});
  await Promise.all([finish(), finish(), finish()]);
  await finish();
  t.is((await typesOf(app.sql)).filter(type => type === 'build.succeeded').length, 1);
  t.is((await refused(second.claimBuild({buildId}))).code, Code.FailedPrecondition);
});

test('the same inputs give the same image', async t => {
  await using app = await setUp();
  const ids = await Promise.all(
    ['b1', 'b2', 'b3'].map(async name => {
      const machineId = await createTestMachine(app.sql, 'enrolled');
      const {build} = await app.client.createBuild({machineId});
      const builder = app.builder(name);
      const {spec, attempt, buildId} = await claimed(builder, build?.id ?? '');
      await builder.finishBuild({buildId, attempt, ...succeededWith(spec, 'same')});
      return (await app.client.getBuild({id: buildId})).build?.imageId;
    }),
  );
  t.is(new Set(ids).size, 1);
  t.is((await app.images.listImages({})).images.length, 1);
  const found = await app.builder('b1').findImage({inputKey: sha256('same')});
  t.is(found.image?.id, ids[0]);
  t.is((await app.builder('b1').findImage({inputKey: 'other'})).image, undefined);
});

test('a failed build keeps error and console, and fails the machine that waited', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled');
  const {build} = await app.client.createBuild({machineId});
  const builder = app.builder('b1');
  const {attempt, buildId} = await claimed(builder, build?.id ?? '');
  await builder.reportBuild({buildId, attempt, step: 'boot-test'});
  await builder.finishBuild({
    buildId,
    attempt,
    outcome: FinishBuildRequest_Outcome.FAILED,
    error: 'The agent did not report in 300 s',
    bootTests: [
      {firmware: BootTest_Firmware.UEFI, consoleTail: 'Kernel panic\0', failure: 'Time-out'},
    ],
  });

  const failed = (await app.client.getBuild({id: buildId})).build;
  t.like(failed?.operation, {
    state: Operation_State.FAILED,
    error: 'The agent did not report in 300 s',
  });
  t.is(failed?.operation?.steps[0]?.state, Operation_State.FAILED);
  t.like(failed?.bootTests[0], {
    firmware: BootTest_Firmware.UEFI,
    consoleTail: 'Kernel panic\uFFFD',
  });
  t.like(await findMachine(app.sql, machineId), {
    state: 'failed',
    stateReason: `Build "${buildId}" failed: The agent did not report in 300 s`,
  });
});

test('a build that waits is cancelled at once, one that runs when its builder says so', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled');
  const waiting = (await app.client.createBuild({machineId})).build?.id ?? '';
  const {build} = await app.client.cancelBuild({id: waiting});
  t.is(build?.operation?.state, Operation_State.CANCELLED);
  t.is((await findMachine(app.sql, machineId))?.state, 'enrolled');

  const running = (await app.client.createBuild({machineId})).build?.id ?? '';
  const builder = app.builder('b1');
  const {attempt, buildId} = await claimed(builder, running);
  t.false((await builder.reportBuild({buildId, attempt})).cancelRequested);
  const {operation} = await app.operations.cancelOperation({id: running});
  t.like(operation, {state: Operation_State.RUNNING, cancelRequested: true});
  t.true((await builder.reportBuild({buildId, attempt})).cancelRequested);
  await builder.finishBuild({buildId, attempt, outcome: FinishBuildRequest_Outcome.CANCELLED});
  t.is(
    (await app.operations.getOperation({id: running})).operation?.state,
    Operation_State.CANCELLED,
  );
  t.is((await findMachine(app.sql, machineId))?.state, 'enrolled');
});

test('a build that nobody can finish fails after five attempts', async t => {
  await using app = await setUp();
  const variant = Image_Variant.VIRTUAL;
  const {build} = await app.client.createRegistrationBuild({variant});
  const buildId = build?.id ?? '';
  for (let attempt = 1; attempt <= 5; attempt += 1)
    t.is((await app.builder('b1').claimBuild({buildId})).attempt, attempt);
  t.is((await refused(app.builder('b1').claimBuild({buildId}))).code, Code.FailedPrecondition);
  t.like((await app.client.getBuild({id: buildId})).build?.operation, {
    state: Operation_State.FAILED,
  });
});

test('refuses a result that is not what was asked for', async t => {
  await using app = await setUp();
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const builder = app.builder('b1');
  const {spec, attempt, buildId} = await claimed(builder, build?.id ?? '');
  const good = succeededWith(spec, 'a');
  const finish = (image: object) =>
    refused(builder.finishBuild({buildId, attempt, ...good, image: {...good.image, ...image}}));
  t.regex(
    (await finish({variant: Image_Variant.FULL})).rawMessage ?? '',
    /virtual, debian was asked for/,
  );
  t.regex((await finish({bootTests: []})).rawMessage ?? '', /did not pass its boot tests/);
  t.regex(
    (await finish({initrds: [{...good.image.initrds[0], sizeBytes: 7n}]})).rawMessage ?? '',
    /multiple of 4/,
  );
  t.is((await finish({})).rawMessage, 'not refused');
  t.is((await latestRegistrationImage(app.sql, 'virtual'))?.inputKey, sha256('a'));
  t.is(await latestRegistrationImage(app.sql, 'full'), undefined);
});

test('a passed boot test counts for the same parts below another top layer', async t => {
  await using app = await setUp();
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const builder = app.builder('b1');
  const {spec, attempt, buildId} = await claimed(builder, build?.id ?? '');
  const {image} = succeededWith(spec, 'a');
  await builder.finishBuild({buildId, attempt, ...succeededWith(spec, 'a')});
  const digests = [image.kernel, ...image.initrds, ...image.layers].map(part => part.sha256);
  const {commandLine} = image;
  const find = async (artifactSha256s: string[], words = '') =>
    (
      await builder.findBootTests({artifactSha256s, commandLine: `${commandLine}${words}`})
    ).bootTests.map(found => found.durationMs);
  t.deepEqual(await find([...digests].reverse()), [20_000, 30_000]);
  t.deepEqual(await find(digests.slice(0, 3)), [20_000, 30_000]);
  t.deepEqual(await find(digests.slice(0, 2)), []);
  t.deepEqual(await find([...digests.slice(0, 3), sha256('other')]), []);
  t.deepEqual(await find(digests, ' muster.layers=elsewhere'), [20_000, 30_000]);
  t.deepEqual(await find(digests, ' nomodeset'), []);
});

test('another server and a late viewer see the log, whose oldest lines go first', async t => {
  await using app = await setUp();
  await using other = await createTestBuilds(app.sql);
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const builder = app.builder('b1');
  const {spec, attempt, buildId} = await claimed(builder, build?.id ?? '');
  const line = 'x'.repeat(4000);
  for (let part = 0; part < 6; part += 1) {
    const lines = Array.from({length: 250}, (_, index) => `${part * 250 + index} ${line}`);
    await builder.reportBuild({buildId, attempt, log: {lines}});
  }

  const numbers: number[] = [];
  for await (const {update} of other.client.watchBuild({id: buildId})) {
    if (update.case === 'build' && update.value.operation?.state === Operation_State.RUNNING)
      await builder.finishBuild({buildId, attempt, ...succeededWith(spec, 'a')});
    if (update.case === 'log')
      numbers.push(...update.value.lines.map(text => Number.parseInt(text, 10)));
  }
  t.is(numbers.at(-1), 1499);
  t.true(numbers.length < 1050 && numbers.length >= 700, `${numbers.length} lines are kept`);
  t.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

test('lists builds and operations newest first, page by page', async t => {
  await using app = await setUp();
  for (let count = 0; count < 5; count += 1) {
    const machineId = await createTestMachine(app.sql, 'enrolled');
    await app.client.createBuild({machineId});
  }
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await app.client.listBuilds({pageSize: 2, pageToken});
    seen.push(...page.builds.map(build => build.id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.is(seen.length, 5);
  t.deepEqual(seen, seen.toSorted().reverse());
  t.is((await app.operations.listOperations({pageSize: 3})).operations.length, 3);
  t.is((await refused(app.client.listBuilds({pageToken: 'x'}))).code, Code.InvalidArgument);
});
