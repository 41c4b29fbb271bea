import {createHash} from 'node:crypto';
import {mkdtemp, rm, utimes} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Code, type ConnectError} from '@connectrpc/connect';
import {Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import test from 'ava';
import {createTestBuilds, createTestMachine, succeededWith} from '../../test/helpers/builds.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {until} from '../../test/helpers/processes.ts';
import {addImage, wireMachines} from '../../test/helpers/server-machines.ts';
import {openFolderBlobStore} from '../clients/blob-store.ts';
import {holdImage, type ImageOutline} from '../store/image-collection.ts';
import type {Artifact} from '../store/images.ts';
import {updateMachine} from '../store/machines.ts';
import {hasArtifact} from './blobs.ts';
import {imagesToCollect} from './image-collection.ts';

const hourMs = 3_600_000;
const time = (hours: number) => new Date(Date.UTC(2026, 0, 1) + hours * hourMs);
const before = time(0);

const image = (id: string, part: Partial<ImageOutline> = {}): ImageOutline => ({
  id,
  kind: 'machine',
  variant: 'full',
  createTime: time(-10),
  ...part,
});
const registration = {kind: 'registration'} as const;

const decides = test.macro(
  (t, images: readonly ImageOutline[], used: readonly string[], expected: readonly string[]) => {
    t.deepEqual(imagesToCollect(images, new Set(used), before), expected);
  },
);
test('an old image that nothing names goes', decides, [image('a')], [], ['a']);
test('one that is named stays', decides, [image('a'), image('b')], ['a'], ['b']);
test('a young one stays', decides, [image('a', {createTime: time(0)})], [], []);
test(
  'the oldest go first',
  decides,
  [image('b'), image('a', {createTime: time(-9)}), image('c', {createTime: time(-11)})],
  [],
  ['c', 'b', 'a'],
);
test(
  'the newest registration image of each variant stays',
  decides,
  [
    image('old', {...registration, createTime: time(-12)}),
    image('new', {...registration, createTime: time(-11)}),
    image('virtual', {...registration, variant: 'virtual', createTime: time(-13)}),
    image('machine', {createTime: time(-1)}),
  ],
  [],
  ['old', 'machine'],
);
test(
  'also when a young one has come, of two made at once the one that boots',
  decides,
  [
    image('a', {...registration, createTime: time(-5)}),
    image('b', {...registration, createTime: time(-5)}),
    image('y', {...registration, variant: 'virtual', createTime: time(1)}),
    image('x', {...registration, variant: 'virtual'}),
  ],
  [],
  ['x', 'a'],
);

const postgres = postgresOf(test);

/** With a real image store; `age` makes everything in it two days old. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-collect-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  const blobs = await openFolderBlobStore(folder);
  const app = stack.use(await createTestBuilds(sql, {blobs, hasArtifact: hasArtifact(blobs)}));
  const old = new Date(Date.now() - 48 * hourMs);
  const store = async (content: string): Promise<Artifact> => {
    const bytes = Buffer.from(content.padEnd(Math.ceil(content.length / 4) * 4));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await blobs.write(
      sha256,
      (async function* () {
        yield bytes;
      })(),
      1000,
    );
    return {name: content, sha256, sizeBytes: bytes.length};
  };
  const age = async ({sha256}: Artifact) =>
    utimes(join(folder, sha256.slice(0, 2), sha256), old, old);
  const addOld = async (name: string, parts: {kernel?: Artifact} = {}) => {
    const kernel = parts.kernel ?? (await store(`kernel ${name}`));
    const initrd = await store(`initrd ${name}`);
    await age(kernel);
    await age(initrd);
    return addImage(sql, {kernel, initrds: [initrd], createTime: old});
  };
  const owned = stack.move();
  return {
    ...app,
    blobs,
    store,
    age,
    addOld,
    collect: (dryRun = false) => app.images.collectImages({dryRun, minimumAgeHours: 24}),
    exists: async (id: string) => (await sql`select 1 from images where id = ${id}`).length === 1,
    files: async () => (await Array.fromAsync(blobs.list())).map(({sha256}) => sha256),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('removes images and the files that only they named, and says so', async t => {
  await using app = await setUp();
  const kernel = await app.store('shared kernel');
  const [kept, gone] = [await app.addOld('kept', {kernel}), await app.addOld('gone', {kernel})];
  const [orphan, young] = [await app.store('orphan'), await app.store('young')];
  await app.age(orphan);
  const ids = {desiredImageId: kept.id, badImageIds: [gone.id]};
  await createTestMachine(app.sql, 'ready', ids);

  const expected = {imageIds: [gone.id], fileCount: 2, freedBytes: 12n + 8n};
  t.like(await app.collect(true), expected);
  t.true(await app.exists(gone.id), 'a dry run removes nothing');
  t.is((await app.files()).length, 5);

  t.like(await app.collect(), expected);
  t.false(await app.exists(gone.id));
  t.deepEqual(
    (await app.files()).sort(),
    [kernel, ...kept.initrds, young].map(({sha256}) => sha256).sort(),
  );
  t.like(await app.collect(), {imageIds: {length: 0}, fileCount: 0});
  const events = await app.sql<{type: string; actor: string}[]>`
    select type, actor from events where type like 'image.%' order by sequence
  `;
  t.deepEqual(
    events.map(({type, actor}) => `${type} ${actor}`),
    ['image.collected user:alice', 'image.files_removed user:alice'],
  );
});

test('whatever a machine, a boot or a build names stays', async t => {
  await using app = await setUp();
  const {sql} = app;
  const names = ['desired', 'booted', 'lastGood', 'override', 'entry'] as const;
  const images = await Promise.all(names.map(name => app.addOld(name)));
  for (const [index, name] of names.entries())
    await createTestMachine(sql, 'ready', {[`${name}ImageId`]: images[index]?.id});
  const booting = await app.addOld('booting');
  const now = new Date();
  await sql`
    insert into boot_sessions (id, edge_session, state, image_id, start_time, heard_time)
    values (gen_random_uuid(), 's1', 'open', ${booting.id}, ${now}, ${now})
  `;
  t.like(await app.collect(), {imageIds: {length: 0}, fileCount: 0});
  await sql`update boot_sessions set state = 'completed'`;
  t.deepEqual((await app.collect()).imageIds, [booting.id]);
});

test('an image that a build was told of stays until that build is over', async t => {
  await using app = await setUp();
  const hit = await app.addOld('hit');
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const buildId = build?.id ?? '';
  const builder = app.builder('b1');
  const {attempt} = await builder.claimBuild({buildId});
  t.is((await builder.findImage({inputKey: hit.inputKey})).image?.id, hit.id);
  await builder.findImage({inputKey: hit.inputKey});
  t.deepEqual((await app.collect()).imageIds, []);

  await builder.finishBuild({buildId, attempt, outcome: 2, error: 'no'});
  t.deepEqual((await app.collect()).imageIds, [hit.id]);
  t.is((await builder.findImage({inputKey: hit.inputKey})).image, undefined);
});

test('a builder that asks at the same moment is told of it and keeps it, or is not told', async t => {
  await using app = await setUp();
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const builder = app.builder('b1');
  await builder.claimBuild({buildId: build?.id ?? ''});
  for (let round = 0; round < 20; round += 1) {
    const {id, inputKey} = await app.addOld(`round ${round}`);
    const [{image}, {imageIds}] = await Promise.all([builder.findImage({inputKey}), app.collect()]);
    t.is(image !== undefined, await app.exists(id));
    t.is(imageIds.includes(id), image === undefined);
  }
});

/** A build of which nothing is missing but its end; its files look as if nobody had a use for them. */
async function almostDone(app: Awaited<ReturnType<typeof setUp>>, content: string) {
  const {build} = await app.client.createRegistrationBuild({variant: Image_Variant.VIRTUAL});
  const buildId = build?.id ?? '';
  const builder = app.builder('b1');
  const {spec, attempt} = await builder.claimBuild({buildId});
  const files = [await app.store(`kernel ${content}`), await app.store(`initrd ${content}`)];
  for (const file of files) await app.age(file);
  const [kernel, ...initrds] = files.map(file => ({...file, sizeBytes: BigInt(file.sizeBytes)}));
  const done = succeededWith(spec, content);
  const image = {...done.image, kernel, initrds, layers: []};
  return {
    sha256s: files.map(({sha256}) => sha256),
    cancel: () => builder.finishBuild({buildId, attempt, outcome: 3}),
    finish: () =>
      builder.finishBuild({...done, buildId, attempt, image}).then(
        () => undefined,
        (error: ConnectError) => error,
      ),
  };
}

test('a build that finishes first keeps its files; one that comes later is told to upload them', async t => {
  await using app = await setUp();
  const first = await almostDone(app, 'first');
  t.is(await first.finish(), undefined);
  t.like(await app.collect(), {imageIds: {length: 0}, fileCount: 0});

  const second = await almostDone(app, 'second');
  t.is((await app.collect()).fileCount, 2);
  const refusal = await second.finish();
  t.is(refusal?.code, Code.FailedPrecondition);
  t.regex(refusal?.rawMessage ?? '', /is not in the image store; upload it first/);
});

test('a build that finishes at the same moment has all of its files, or no image', async t => {
  await using app = await setUp();
  for (let round = 0; round < 12; round += 1) {
    const {sha256s, finish, cancel} = await almostDone(app, `round ${round}`);
    const [refusal] = await Promise.all([finish(), app.collect()]);
    const files = await app.files();
    for (const sha256 of sha256s) t.is(files.includes(sha256), refusal === undefined);
    if (refusal) await cancel();
  }
});

test('an override that is about to name an image is waited for', async t => {
  await using app = await setUp();
  const [chosen, other] = [await app.addOld('chosen'), await app.addOld('other')];
  const machineId = await createTestMachine(app.sql, 'ready');
  const release = Promise.withResolvers<void>();
  const choosing = app.sql.begin(async tx => {
    await updateMachine(tx, machineId, {
      entryAction: 'image',
      entryImageId: chosen.id,
      entryTime: new Date(),
    });
    t.true(await holdImage(tx, chosen.id));
    await release.promise;
  });
  const collecting = app.collect();
  await until('the collection waits', async () => {
    const rows = await app.sql`select 1 from pg_locks where not granted`;
    return rows.length > 0;
  });
  release.resolve();
  await choosing;
  t.deepEqual((await collecting).imageIds, [other.id]);

  const server = await wireMachines(app.sql);
  const override = {action: 'image', persistent: false} as const;
  await t.throwsAsync(
    server.boot.setOverride('alice', machineId, {...override, imageId: other.id}),
    {
      message: /there is no such image/,
    },
  );
});

test('a file that is asked for counts as used; one that is touched while it goes stays', async t => {
  await using app = await setUp();
  const file = await app.store('file');
  await app.age(file);
  const {sha256} = file;
  t.like(await app.blobs.touch(sha256), {sizeBytes: file.sizeBytes});
  const dayAgo = new Date(Date.now() - 24 * hourMs);
  t.false(await app.blobs.removeUnused(sha256, dayAgo));
  t.deepEqual(await app.files(), [sha256]);
  await app.age(file);
  const removals = [1, 2].map(() => app.blobs.removeUnused(sha256, dayAgo));
  t.is((await Promise.all(removals)).filter(removed => removed).length, 1);
  t.is(await app.blobs.touch(sha256), undefined);
  t.deepEqual(await app.files(), []);
});
