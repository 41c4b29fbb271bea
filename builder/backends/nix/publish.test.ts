import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {MessageInitShape} from '@bufbuild/protobuf';
import type {BuildSpecSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import test from 'ava';
import type {Depot} from '../backend.ts';
import {openBinaryCache} from './binary-cache.ts';
import {createNixBackend} from './nix.ts';
import {batches} from './publish.ts';
import {recordContext, specOf, startNixLab} from './testing/nix-lab.ts';

const pathOf = (characters: number) => ({
  narinfo: 'x'.repeat(characters),
  archiveName: '',
  archiveFile: '',
});
const mebibyte = 1024 * 1024;

test('paths go in their order, in portions that one call takes', t => {
  const small = Array.from({length: 250}, () => pathOf(500));
  t.deepEqual(
    batches(small).map(batch => batch.length),
    [100, 100, 50],
  );
  const large = [pathOf(mebibyte - 1), pathOf(1), pathOf(1), pathOf(2 * mebibyte), pathOf(1)];
  t.deepEqual(
    batches(large).map(batch => batch.length),
    [2, 1, 1, 1],
  );
  t.deepEqual(batches(large).flat(), large);
  t.deepEqual(batches([]), []);
});

const key = {nixCachePublicKey: 'site-1:key'};
const off = {publishBytesMax: 0};

test('an image names the key of the site exactly when its system is published', async t => {
  await using lab = await startNixLab();
  const binaryCache = await openBinaryCache(lab.settings.stateDirectory, 1e9);
  const plan = async (
    more: MessageInitShape<typeof BuildSpecSchema>,
    settings: {publishBytesMax: number; binaryCache?: undefined} = {publishBytesMax: 1e9},
  ) => {
    const backend = createNixBackend({...lab.settings, binaryCache, ...settings});
    const context = recordContext();
    const planned = await backend.plan(specOf('{...}: {}', more), context);
    const image = await planned.build(await lab.artifacts(), context);
    const named = await readFile(image.initrds[1]?.path ?? '', 'utf8');
    const [, publicKey] = /"nix_cache":\{"public_key":"([^"]*)"\}/.exec(named) ?? [];
    return {inputKey: planned.inputKey, publishes: planned.publish !== undefined, publicKey};
  };

  const published = await plan(key);
  t.like(published, {publishes: true, publicKey: 'site-1:key'});
  const others = [
    await plan({}),
    await plan(key, off),
    await plan(key, {publishBytesMax: 1e9, binaryCache: undefined}),
  ];
  for (const other of others) {
    t.like(other, {publishes: false, publicKey: undefined});
    t.not(other.inputKey, published.inputKey, 'another image, another key');
  }
  t.is(new Set(others.map(({inputKey}) => inputKey)).size, 1);
  const registration = await plan({...key, kind: Image_Kind.REGISTRATION, machineId: ''});
  t.like(registration, {publishes: false, publicKey: undefined});
});

test('a system that is too large is not published, and the log says why', async t => {
  await using lab = await startNixLab();
  const binaryCache = await openBinaryCache(path.join(lab.directory, 'cache'), 1e9);
  const backend = createNixBackend({...lab.settings, binaryCache, publishBytesMax: 1});
  const context = recordContext();
  const plan = await backend.plan(specOf('{...}: {}', key), context);
  await plan.build(await lab.artifacts(), context);
  // Nobody is asked anything.
  await plan.publish?.({} as Depot, context);
  t.regex(context.lines.at(-1) ?? '', /packed it has \d+ bytes, NIX_PUBLISH_BYTES_MAX allows 1$/);
});

test('a cancelled build stops publishing', async t => {
  await using lab = await startNixLab();
  const binaryCache = await openBinaryCache(path.join(lab.directory, 'cache'), 1e9);
  const backend = createNixBackend({...lab.settings, binaryCache, publishBytesMax: 1e9});
  const context = recordContext();
  const plan = await backend.plan(specOf('{...}: {}', key), context);
  await plan.build(await lab.artifacts(), context);
  context.stop.abort(new Error('cancelled'));
  await t.throwsAsync(async () => plan.publish?.({} as Depot, context), {message: 'cancelled'});
});
