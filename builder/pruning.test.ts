import {createClient, createRouterTransport} from '@connectrpc/connect';
import test from 'ava';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import type {Backend} from './backends/backend.ts';
import {startPruning} from './pruning.ts';

const backendOf = (prune: NonNullable<Backend['prune']>): Backend => ({
  name: 'nix',
  steps: [],
  findMissing: async () => undefined,
  plan: async () => Promise.reject(new Error('not part of pruning')),
  prune,
});

const transport = createRouterTransport(router =>
  router.service(BuildService, {
    findImage: ({inputKey}) => (inputKey === 'known' ? {image: {inputKey}} : {}),
  }),
);
const builds = createClient(BuildService, transport);

test('back ends learn from the server which images are known, again and again', async t => {
  const answers: boolean[][] = [];
  const twice = Promise.withResolvers<void>();
  const backend = backendOf(async isKnown => {
    answers.push([await isKnown('known'), await isKnown('unknown')]);
    if (answers.length === 2) twice.resolve();
    return true;
  });
  await using pruning = startPruning({builds, backends: [backend], everyMs: 5, log: silentLogger});
  void pruning;
  await twice.promise;
  t.deepEqual(answers.slice(0, 2), [
    [true, false],
    [true, false],
  ]);
});

test('a back end that cannot prune is asked again', async t => {
  let calls = 0;
  const third = Promise.withResolvers<void>();
  const backend = backendOf(async () => {
    calls += 1;
    if (calls === 1) throw new Error('no');
    if (calls === 3) third.resolve();
    return false;
  });
  await using pruning = startPruning({builds, backends: [backend], everyMs: 5, log: silentLogger});
  void pruning;
  await third.promise;
  t.pass();
});
