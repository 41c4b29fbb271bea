import {readdir, readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {type BinaryCache, openBinaryCache} from './binary-cache.ts';
import {fingerprintOf, isSignedBy, parseNarInfo} from './narinfo.ts';
import {createNixBackend} from './nix.ts';
import {loadSigningKey} from './signing-key.ts';
import {type NixLab, recordContext, specOf, startNixLab} from './testing/nix-lab.ts';

let lab: NixLab;
test.before(async () => {
  lab = await startNixLab();
});
test.after.always(() => lab[Symbol.asyncDispose]());

const machine = (hostName: string) => `{...}: { networking.hostName = "${hostName}"; }`;

async function build(hostName: string, binaryCache: BinaryCache | undefined, more = {}) {
  const backend = createNixBackend({...lab.settings, binaryCache, ...more});
  const context = recordContext();
  const plan = await backend.plan(specOf(machine(hostName)), context);
  await plan.build(await lab.artifacts(), context);
  return {backend, lines: context.lines};
}

const systemsIn = async ({directory}: BinaryCache): Promise<string[]> => {
  const names = (await readdir(directory)).filter(name => name.endsWith('.narinfo'));
  const infos = await Promise.all(
    names.map(async name => parseNarInfo(await readFile(path.join(directory, name), 'utf8'))),
  );
  for (const {url} of infos) await stat(path.join(directory, url));
  return infos.map(({storePath}) => storePath.replace(/^.*-system-/, '')).sort();
};

test.serial('what was built is in the cache, signed', async t => {
  const cache = await openBinaryCache(path.join(lab.directory, 'signed'), 1e9);
  await build('signed', cache);
  t.deepEqual(await systemsIn(cache), ['signed']);

  const [name = ''] = (await readdir(cache.directory)).filter(file => file.endsWith('.narinfo'));
  const text = await readFile(path.join(cache.directory, name), 'utf8');
  const info = parseNarInfo(text);
  t.regex(fingerprintOf(info), /^1;\/.*-system-signed;sha256:\w+;\d+;$/);
  t.true(isSignedBy(info, cache.publicKey));
  t.false(isSignedBy({...info, narSize: info.narSize + 1}, cache.publicKey));
  const other = await loadSigningKey(path.join(lab.directory, 'other-key'), 'muster-builder-1');
  t.false(isSignedBy(info, other.publicKey));
});

test.serial('the key is made once, for its owner only', async t => {
  const directory = path.join(lab.directory, 'key');
  const first = await loadSigningKey(directory, 'key-1');
  t.deepEqual(await loadSigningKey(directory, 'key-1'), first);
  t.is((await stat(first.file)).mode & 0o777, 0o600);
  t.regex(first.publicKey, /^key-1:[A-Za-z0-9+/]{43}=$/);
});

test.serial('systems used longest ago go first, and whole', async t => {
  const cache = await openBinaryCache(path.join(lab.directory, 'small'), 1);
  await build('old', cache);
  await build('new', cache);
  t.deepEqual(await systemsIn(cache), ['new']);
  t.is((await readdir(path.join(cache.directory, 'nar'))).length, 1);
});

test.serial('what a trusted cache has is fetched and not built', async t => {
  const cache = await openBinaryCache(path.join(lab.directory, 'fetched'), 1e9);
  const {backend} = await build('fetched', cache);
  await backend.prune?.(async () => false, recordContext());

  const substituters = [`file://${cache.directory}`];
  const trusting = {substituters, trustedPublicKeys: [cache.publicKey]};
  const {lines} = await build('fetched', undefined, trusting);
  t.true(
    lines.some(line => line.startsWith('fetching system-fetched from file://')),
    lines.join('\n'),
  );
  t.false(lines.some(line => line.includes('building system-fetched')));
  t.true(lines.some(line => line.includes('building image-fetched')));

  await backend.prune?.(async () => false, recordContext());
  const other = await loadSigningKey(path.join(lab.directory, 'stranger'), 'muster-builder-1');
  const strange = await build('fetched', undefined, {
    substituters,
    trustedPublicKeys: [other.publicKey],
  });
  t.true(strange.lines.some(line => line.includes('building system-fetched')));
});

test.serial('an image is none the worse when its system cannot be cached', async t => {
  const cache = await openBinaryCache(path.join(lab.directory, 'broken'), 1e9);
  const failing: BinaryCache = {
    ...cache,
    add: (_, use) => cache.add('/nowhere', use),
  };
  const {lines} = await build('uncached', failing);
  t.true(lines.some(line => line.startsWith('warning: the system is not in the binary cache')));
});
