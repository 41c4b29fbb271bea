import test from 'ava';
import {firstDraft, hasMistake, plannedWaves, requestOf, rolloutMistakes} from './rollout-draft.ts';

test('a canary goes first, then waves of a share of all', t => {
  t.deepEqual(plannedWaves(10, {...firstDraft, wave: '30'}), [1, 3, 3, 3]);
  t.deepEqual(plannedWaves(10, {...firstDraft, canary: '0', wave: '40'}), [4, 4, 2]);
  t.deepEqual(plannedWaves(7, {...firstDraft, canary: '2', waveBy: 'size', wave: '4'}), [2, 4, 1]);
  t.deepEqual(plannedWaves(1, {...firstDraft, canary: '5'}), [1]);
  t.deepEqual(plannedWaves(0, firstDraft), []);
});

test('only what the contract allows is sent', t => {
  t.false(hasMistake(firstDraft));
  t.is(rolloutMistakes({...firstDraft, wave: '101'}).wave, 'A whole number from 1 to 100');
  t.truthy(rolloutMistakes({...firstDraft, change: 'templates'}).uses);
  t.true(hasMistake({...firstDraft, canary: 'x'}));
});

test('a rebuild changes nothing of the machines, other roll-outs name what', t => {
  const rebuild = requestOf('web', firstDraft, true);
  t.is(rebuild.data, undefined);
  t.like(rebuild, {groupId: 'web', canary: 1, dryRun: true, machineTimeoutSeconds: 1800});
  const uses = [{name: 'base', version: 4, parameters: {}}];
  const change = requestOf('web', {...firstDraft, change: 'templates', uses}, false);
  t.like(change, {data: {templates: uses}, updateMask: {paths: ['templates']}, dryRun: false});
});
