import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {openCache} from './cache.ts';

async function setUp(entriesMax = 8) {
  const root = await mkdtemp(path.join(tmpdir(), 'muster-cache-'));
  return {
    root,
    cache: await openCache(root, entriesMax),
    [Symbol.asyncDispose]: () => rm(root, {recursive: true, force: true}),
  };
}

const writing = (text: string) => (partial: string) => writeFile(path.join(partial, 'file'), text);

test('an entry is made once, also when two ask at the same time', async t => {
  await using setup = await setUp();
  let made = 0;
  const make = async (partial: string) => {
    made += 1;
    await writing('x')(partial);
  };
  const both = await Promise.all([
    setup.cache.directory('kind', 'key', make),
    setup.cache.directory('kind', 'key', make),
  ]);
  t.is(both[0], both[1]);
  t.is(made, 1);
  t.is(await readFile(path.join(both[0], 'file'), 'utf8'), 'x');
});

test('what failed leaves nothing behind, and who waited makes it himself', async t => {
  await using setup = await setUp();
  const first = setup.cache.directory('kind', 'key', () => Promise.reject(new Error('cancelled')));
  const second = setup.cache.directory('kind', 'key', writing('mine'));
  await t.throwsAsync(first, {message: 'cancelled'});
  t.is(await readFile(path.join(await second, 'file'), 'utf8'), 'mine');
  t.deepEqual(await readdir(path.join(setup.root, 'partial')), []);
});

test('the entries used longest ago go when there are too many', async t => {
  await using setup = await setUp(2);
  for (const key of ['a', 'b']) await setup.cache.directory('kind', key, writing(key));
  await setup.cache.directory('kind', 'a', writing('again'));
  await setup.cache.directory('kind', 'c', writing('c'));
  t.deepEqual((await readdir(path.join(setup.root, 'kind'))).sort(), ['a', 'c']);
});
