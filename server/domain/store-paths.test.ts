import {createHash, generateKeyPairSync} from 'node:crypto';
import {mkdtemp, rm, utimes} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Code} from '@connectrpc/connect';
import test from 'ava';
import {createTestBuilds} from '../../test/helpers/builds.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {addImage} from '../../test/helpers/server-machines.ts';
import {openFolderBlobStore} from '../clients/blob-store.ts';
import {loadMasterKey} from '../secrets.ts';
import {fingerprintOf, parseNarInfo} from './narinfo.ts';
import {isSignedBy, loadNixCacheKey, nixCacheKeyOf} from './nix-cache-key.ts';

const hourMs = 3_600_000;
const minimumAgeHours = 24;

const postgres = postgresOf(test);

const builderKey = nixCacheKeyOf(generateKeyPairSync('ed25519').privateKey);
const digest = (content: string | Buffer) => createHash('sha256').update(content).digest();
const hashOf = (name: string) => digest(name).toString('hex').slice(0, 32).replaceAll('e', 'z');

/** The bits in groups of 5, the last ones first, as Nix writes them. */
function nixHash(bytes: Buffer): string {
  let value = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  let text = '';
  for (let index = 0; index < 52; index += 1) {
    text = `${'0123456789abcdfghijklmnpqrsvwxyz'[Number(value % 32n)]}${text}`;
    value /= 32n;
  }
  return `sha256:${text}`;
}

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-paths-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  const blobs = await openFolderBlobStore(folder);
  const app = stack.use(await createTestBuilds(sql, {blobs}));
  const old = new Date(Date.now() - 48 * hourMs);

  /** A path as a builder's cache has it; its archive is uploaded unless it is left out. */
  async function path(name: string, options: {references?: string[]; uploaded?: boolean} = {}) {
    const archive = Buffer.from(`archive of ${name}`);
    const fileSha256 = digest(archive).toString('hex');
    const source = async function* () {
      yield archive;
    };
    if (options.uploaded ?? true) await blobs.write(fileSha256, source(), 1000);
    const references = (options.references ?? []).map(other => `${hashOf(other)}-${other}`);
    const lines = [
      `StorePath: /nix/store/${hashOf(name)}-${name}`,
      'URL: nar/x.nar.zst',
      'Compression: zstd',
      `FileHash: ${nixHash(digest(archive))}`,
      `FileSize: ${archive.length}`,
      `NarHash: ${nixHash(digest(name))}`,
      'NarSize: 1000',
      `References: ${references.join(' ')}`,
    ];
    const unsigned = `${lines.join('\n')}\n`;
    const signature = builderKey.sign(fingerprintOf(parseNarInfo(unsigned)));
    return {name, hash: hashOf(name), fileSha256, narinfo: `${unsigned}Sig: ${signature}\n`};
  }
  type Path = Awaited<ReturnType<typeof path>>;

  const builder = app.storePathBuilder('b1');
  const publish = (...paths: Path[]) =>
    builder.publishStorePaths({
      publicKey: builderKey.publicKey,
      narinfos: paths.map(({narinfo}) => narinfo),
    });
  const owned = stack.move();
  return {
    ...app,
    builder,
    blobs,
    path,
    publish,
    addImage: (inputKey: string) => addImage(sql, {inputKey, createTime: old}),
    publishSystem: (inputKey: string, ...paths: Path[]) =>
      builder.publishSystem({inputKey, hashes: paths.map(({hash}) => hash)}),
    /** As if all of it had happened two days ago. */
    async age() {
      await sql`update store_paths set use_time = ${old}`;
      await sql`update systems set use_time = ${old}`;
      for await (const {sha256} of blobs.list())
        await utimes(join(folder, sha256.slice(0, 2), sha256), old, old);
    },
    collect: (dryRun = false) => app.images.collectImages({dryRun, minimumAgeHours}),
    hashes: async () =>
      (await sql<{hash: string}[]>`select hash from store_paths order by hash`).map(
        ({hash}) => hash,
      ),
    archives: async () => (await Array.fromAsync(blobs.list())).map(({sha256}) => sha256).sort(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const inputKey = (name: string) => digest(name).toString('hex');
const hashesOf = (...paths: readonly {hash: string}[]) => paths.map(({hash}) => hash).sort();

test('what a builder publishes is found, signed by the site and by the builder', async t => {
  await using app = await setUp();
  const glibc = await app.path('glibc');
  const hello = await app.path('hello', {references: ['glibc', 'hello']});
  t.deepEqual(
    (await app.builder.findMissingStorePaths({hashes: [glibc.hash, hello.hash]})).hashes,
    [glibc.hash, hello.hash],
  );
  await app.publish(glibc, hello);
  await app.publish(hello);
  t.deepEqual((await app.builder.findMissingStorePaths({hashes: [hello.hash]})).hashes, []);

  const found = await app.storePaths.find({hash: hello.hash});
  t.like(found, {narSha256: hello.fileSha256, narSizeBytes: 16});
  t.deepEqual(await app.storePaths.find({narSha256: hello.fileSha256}), found);
  const info = signedPartOf(found?.narinfo ?? '');
  t.true(isSignedBy(info.fingerprint, info.signatures, app.storePaths.publicKey));
  t.true(isSignedBy(info.fingerprint, info.signatures, builderKey.publicKey));
  t.false(isSignedBy(`${info.fingerprint}x`, info.signatures, app.storePaths.publicKey));
  t.regex(found?.narinfo ?? '', new RegExp(`URL: nar/${hello.fileSha256}\\.nar\\.zst\n`));
});

/** The served form has its FileHash in hexadecimal, which is no input of ours. */
function signedPartOf(narinfo: string) {
  const text = narinfo.replace(/^FileHash: .*$/m, `FileHash: ${nixHash(digest(''))}`);
  const info = parseNarInfo(text);
  return {fingerprint: fingerprintOf(info), signatures: info.signatures};
}

test('what is not as its builder signed it is refused, and nothing of its batch is taken', async t => {
  await using app = await setUp();
  const [good, bad] = [await app.path('good'), await app.path('bad')];
  const tampered = {...bad, narinfo: bad.narinfo.replace('NarSize: 1000', 'NarSize: 1001')};
  await t.throwsAsync(app.publish(good, tampered), {
    code: Code.InvalidArgument,
    message: /bad": the signature of its builder's cache does not fit/,
  });
  await t.throwsAsync(app.publish({...bad, narinfo: 'StorePath: /etc/passwd\n'}), {
    code: Code.InvalidArgument,
    message: /its narinfo is not in order/,
  });
  const stranger = nixCacheKeyOf(generateKeyPairSync('ed25519').privateKey);
  await t.throwsAsync(
    app.builder.publishStorePaths({publicKey: stranger.publicKey, narinfos: [bad.narinfo]}),
    {code: Code.InvalidArgument},
  );
  const absent = await app.path('absent', {uploaded: false});
  await t.throwsAsync(app.publish(good, absent), {
    code: Code.FailedPrecondition,
    message: /is not in the image store; upload it first/,
  });
  t.deepEqual(await app.hashes(), []);
});

test('a path that is known stays as machines were told of it', async t => {
  await using app = await setUp();
  const first = await app.path('same');
  await app.publish(first);
  const before = await app.storePaths.find({hash: first.hash});
  const second = await app.path('same', {references: ['other']});
  await app.publish(second);
  t.deepEqual(await app.storePaths.find({hash: first.hash}), before);
});

test('a system with holes is refused', async t => {
  await using app = await setUp();
  const [glibc, hello] = [
    await app.path('glibc'),
    await app.path('hello', {references: ['glibc']}),
  ];
  await app.publish(hello);
  const refusal = {code: Code.FailedPrecondition, message: new RegExp(glibc.hash)};
  await t.throwsAsync(app.publishSystem(inputKey('a'), hello), refusal);
  await t.throwsAsync(app.publishSystem(inputKey('a'), hello, glibc), refusal);
  await app.publish(glibc);
  await app.publishSystem(inputKey('a'), hello, glibc);
  await app.publishSystem(inputKey('a'), hello, glibc);
  const events = await app.sql`select actor, data from events where type = 'system.published'`;
  t.like(events, {length: 1, 0: {actor: 'builder:b1', data: {storePathCount: 2}}});
});

test('store paths go with the last image that needs them, and their archives too', async t => {
  await using app = await setUp();
  const [glibc, hello, web] = [
    await app.path('glibc'),
    await app.path('hello', {references: ['glibc']}),
    await app.path('web', {references: ['glibc']}),
  ];
  await app.publish(glibc, hello, web);
  await app.publishSystem(inputKey('hello'), glibc, hello);
  await app.publishSystem(inputKey('web'), glibc, web);
  const image = await app.addImage(inputKey('hello'));
  const other = await app.addImage(inputKey('web'));
  await app.sql`
    insert into boot_sessions (id, edge_session, state, image_id, start_time, heard_time)
    values (gen_random_uuid(), 's1', 'open', ${other.id}, now(), now())
  `;
  await app.age();

  t.like(await app.collect(true), {imageIds: [image.id], fileCount: 1});
  t.is((await app.hashes()).length, 3, 'a dry run removes nothing');
  t.like(await app.collect(), {imageIds: [image.id], fileCount: 1});
  t.deepEqual(await app.hashes(), hashesOf(glibc, web));
  t.deepEqual(await app.archives(), [glibc.fileSha256, web.fileSha256].sort());

  await app.sql`update boot_sessions set state = 'completed'`;
  t.like(await app.collect(), {imageIds: [other.id], fileCount: 2});
  t.deepEqual(await app.hashes(), []);
  t.deepEqual(await app.archives(), []);
  t.is((await app.sql`select 1 from systems`).length, 0);
});

test('what a builder has just asked for or published stays for its image to come', async t => {
  await using app = await setUp();
  const [asked, forgotten] = [await app.path('asked'), await app.path('forgotten')];
  await app.publish(asked, forgotten);
  await app.publishSystem(inputKey('gone'), asked, forgotten);
  await app.age();
  await app.builder.findMissingStorePaths({hashes: [asked.hash]});
  await app.collect();
  t.deepEqual(await app.hashes(), [asked.hash]);
  t.deepEqual(await app.archives(), [asked.fileSha256]);
  await app.publishSystem(inputKey('new'), asked);
  await app.age();
  await app.addImage(inputKey('new'));
  await app.sql`update images set create_time = now()`;
  t.like(await app.collect(), {fileCount: 0});
  t.deepEqual(await app.hashes(), [asked.hash]);
});

test('a publication at the moment of a collection is whole, or is told what is missing', async t => {
  await using app = await setUp();
  for (let round = 0; round < 12; round += 1) {
    const paths = [await app.path(`a${round}`), await app.path(`b${round}`)];
    if (round % 2 === 0) await app.publish(...paths);
    await app.age();
    const key = inputKey(`race ${round}`);
    const publish = async () => {
      if (round % 2 === 1) await app.publish(...paths);
      await app.publishSystem(key, ...paths);
    };
    const [refusal] = await Promise.all([
      publish().then(
        () => undefined,
        (error: {code: Code}) => error,
      ),
      app.collect(),
    ]);
    const [hashes, archives] = [await app.hashes(), await app.archives()];
    if (refusal) t.is(refusal.code, Code.FailedPrecondition);
    for (const {hash, fileSha256} of paths) {
      if (!refusal) t.true(hashes.includes(hash));
      if (hashes.includes(hash)) t.true(archives.includes(fileSha256));
    }
  }
});

test("the site's key is made once and is the same for every server", async t => {
  await using database = await postgres.createDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'muster-key-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const deps = {
    sql: database.sql,
    now: () => new Date(),
    key: await loadMasterKey(join(folder, 'master.key')),
  };
  const [first, second] = await Promise.all([loadNixCacheKey(deps), loadNixCacheKey(deps)]);
  t.is(first.publicKey, second.publicKey);
  t.regex(first.publicKey, /^muster-[0-9a-f]{16}:[0-9A-Za-z+/]{43}=$/);
  t.true(isSignedBy('text', [second.sign('text')], first.publicKey));
});
