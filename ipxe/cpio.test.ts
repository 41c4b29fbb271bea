import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {writeCpio} from './cpio.ts';

/** GNU cpio, the independent reader. */
function cpio(args: readonly string[], archive: Buffer, directory: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('cpio', [...args], {cwd: directory}, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`Cannot run cpio (Debian package "cpio"): ${stderr}`, {cause: error}));
      else resolve(stdout);
    });
    child.stdin?.end(archive);
  });
}

test('GNU cpio reads what is written', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-cpio-'));
  t.teardown(() => rm(directory, {recursive: true}));

  for (const length of [1, 2, 3, 4, 1000, 4096]) {
    const data = Buffer.alloc(length, 'x');
    const archive = writeCpio('muster', {name: 'boot.json', mode: 0o400, data});
    t.is(archive.length % 512, 0);

    const listing = await cpio(['-itvn', '--quiet'], archive, directory);
    t.regex(
      listing,
      new RegExp(
        `^drwxr-xr-x +2 0 +0 +0 .* muster\\n-r-------- +1 0 +0 +${length} .* muster/boot.json\\n$`,
      ),
    );

    await cpio(['-idu', '--quiet'], archive, directory);
    const file = path.join(directory, 'muster/boot.json');
    t.deepEqual(await readFile(file), data);
    t.is((await stat(file)).mode & 0o777, 0o400);
  }
});

test('the same content gives the same bytes', t => {
  const file = {name: 'boot.json', mode: 0o400, data: Buffer.from('{}\n')};
  t.deepEqual(writeCpio('muster', file), writeCpio('muster', file));
});
