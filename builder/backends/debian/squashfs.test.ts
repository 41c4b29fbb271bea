import {execFileSync} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {create} from '@bufbuild/protobuf';
import test from 'ava';
import {ImageConfigSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {sha256OfFile} from '../../digests.ts';
import {parseMachineConfig} from './machine-config.ts';
import {machineTree} from './machine-layer.ts';
import {writeTreeLayer} from './squashfs.ts';

const secondMs = 1000;

test('a machine layer has the same bytes whenever it is made, and belongs to root', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-squashfs-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const config = parseMachineConfig(
    create(ImageConfigSchema, {
      hostName: 'web-1',
      files: [
        {path: '/etc/motd', content: 'hello'},
        {path: '/usr/local/bin/run', content: '#!/bin/sh\n', mode: '0755'},
      ],
    }),
  );
  const {signal} = new AbortController();
  const write = async (name: string) => {
    const file = path.join(directory, name);
    await writeTreeLayer(machineTree(config, 'key'), file, signal);
    return sha256OfFile(file);
  };
  const first = await write('first');
  // File systems count in seconds here: the second one must differ in time.
  await sleep(secondMs + 100);
  t.is(await write('second'), first);

  const list = execFileSync('unsquashfs', ['-lls', path.join(directory, 'first')]).toString();
  t.regex(list, /-rwxr-xr-x root\/root .* squashfs-root\/usr\/local\/bin\/run/);
  t.regex(list, /drwxr-xr-x root\/root .* squashfs-root\/etc\n/);
});
