import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import type {TreeEntry} from '../../cpio.ts';
import {joinSegments, writeSegment} from './initrd.ts';

const signal = new AbortController().signal;

test('segments are padded to a multiple of 4, reproducible, and can be joined', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-initrd-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const write = async (name: string, content: string) => {
    const tree = new Map<string, TreeEntry>([
      [name, {type: 'file', mode: 0o644, content: Buffer.from(content)}],
    ]);
    const place = path.join(directory, `${name}-${Math.random()}`);
    await writeSegment(tree, place, signal);
    return place;
  };
  const segments = [await write('one', 'a'.repeat(1001)), await write('two', 'b')];
  const bytes = await Promise.all(segments.map(segment => readFile(segment)));
  for (const segment of bytes) t.is(segment.length % 4, 0);
  t.deepEqual(await readFile(await write('two', 'b')), bytes[1]);

  const joined = path.join(directory, 'initrd.zst');
  await joinSegments(segments, joined, signal);
  t.deepEqual(await readFile(joined), Buffer.concat(bytes));
  // zstd(1) complains of the padding, which the kernel skips; what it unpacked before is right.
  const {stdout} = spawnSync('zstd', ['--decompress', '--stdout', segments[0] ?? '']);
  const list = execFileSync('cpio', ['--list', '--quiet'], {input: stdout});
  t.is(list.toString(), 'one\n');
});
