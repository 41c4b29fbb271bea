import {execFileSync} from 'node:child_process';
import {mkdtemp, readFile, readlink, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {type Tree, type TreeEntry, writeCpio} from './cpio.ts';

const timeSeconds = 1_735_689_600;

async function pack(tree: Tree): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of writeCpio(tree, timeSeconds)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const file = (text: string, mode = 0o644): TreeEntry => ({
  type: 'file',
  mode,
  content: Buffer.from(text),
});

test('cpio(1) unpacks what was packed: content, modes, links, owner and time', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-cpio-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const source = path.join(directory, 'source');
  await writeFile(source, 'from a file');
  const tree: Tree = new Map<string, TreeEntry>([
    ['usr/bin/tool', {type: 'file', mode: 0o755, source}],
    ['bin', {type: 'link', target: 'usr/bin'}],
    ['muster/boot.json', file('{}', 0o400)],
    ['tmp', {type: 'directory', mode: 0o1777}],
  ]);
  const target = path.join(directory, 'target');
  execFileSync('mkdir', [target]);
  execFileSync('cpio', ['--extract', '--quiet', '--preserve-modification-time'], {
    cwd: target,
    input: await pack(tree),
  });

  t.is(await readFile(path.join(target, 'bin/tool'), 'utf8'), 'from a file');
  t.is(await readlink(path.join(target, 'bin')), 'usr/bin');
  t.is((await stat(path.join(target, 'tmp'))).mode & 0o7777, 0o1777);
  const boot = await stat(path.join(target, 'muster/boot.json'));
  t.is(boot.mode & 0o7777, 0o400);
  t.is(boot.mtimeMs, timeSeconds * 1000);
  t.is(boot.uid, 0);
});

test('the same tree gives the same bytes, in whatever order it was made', async t => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, fc.string(), {maxKeys: 8}), async contents => {
      const entries = Object.entries(contents).map(
        ([key, text]) => [`folder/${key}`, file(text)] as const,
      );
      const archive = await pack(new Map(entries));
      t.is(archive.length % 4, 0);
      return archive.equals(await pack(new Map(entries.toReversed())));
    }),
    {numRuns: 30},
  );
});

test('paths that leave the archive are refused', async t => {
  for (const name of ['/etc/passwd', '../up', 'a/../b', 'a//b', ''])
    await t.throwsAsync(pack(new Map([[name, file('x')]])), undefined, name);
});

test('a file cannot lie inside of a link or a file', async t => {
  const tree = new Map<string, TreeEntry>([
    ['bin', {type: 'link', target: 'usr/bin'}],
    ['bin/tool', file('x')],
  ]);
  await t.throwsAsync(pack(tree), {message: /"bin" is not a directory/});
});
