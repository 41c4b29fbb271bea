import test from 'ava';
import {noChildren, type WaveCounts} from '../store/bulk-children.ts';
import {
  afterBuild,
  afterReboot,
  type BuildFacts,
  judgeBulk,
  progressOf,
  type RebootFacts,
  type Standing,
  type Verdict,
  wavesOf,
} from './bulk-rules.ts';

const standing: Standing = {
  action: 'update',
  failuresMax: undefined,
  failuresForgiven: 0,
  hold: '',
  wave: 1,
  waves: 1,
  cancelRequested: false,
  refusal: '',
};

const wave = (number: number, counts: Partial<WaveCounts['counts']>): WaveCounts => ({
  wave: number,
  counts: {...noChildren, ...counts},
});

const judged = test.macro({
  title: (what = '') => `judge: ${what}`,
  exec(t, part: Partial<Standing>, waves: readonly WaveCounts[], verdict: Verdict) {
    t.deepEqual(judgeBulk({...standing, ...part}, waves), verdict);
  },
});

const rollout = {action: 'rollout', failuresMax: 0, waves: 2} as const;
const tooMany = '1 machine failed, more than the 0 that are allowed';

test('machines wait: go', judged, {}, [wave(1, {queued: 3})], {do: 'go'});
test('all are over', judged, {}, [wave(1, {succeeded: 3})], {
  do: 'end',
  state: 'succeeded',
  error: '',
});
test('some failed', judged, {}, [wave(1, {succeeded: 1, failed: 1, skipped: 2})], {
  do: 'end',
  state: 'failed',
  error: 'Of 4 machines 1 failed, 2 were skipped',
});
test('failures are borne', judged, {failuresMax: 2}, [wave(1, {queued: 1, failed: 2})], {do: 'go'});
test('one failure too many', judged, {failuresMax: 0}, [wave(1, {queued: 1, failed: 1})], {
  do: 'drop',
  as: 'skipped',
  why: tooMany,
});
test('those that have begun go on', judged, {failuresMax: 0}, [wave(1, {running: 1, failed: 1})], {
  do: 'wait',
});
test('cancelled with some to come', judged, {cancelRequested: true}, [wave(1, {queued: 1})], {
  do: 'drop',
  as: 'cancelled',
  why: 'The operation was cancelled before it began',
});
test('cancelled while some run', judged, {cancelRequested: true}, [wave(1, {running: 1})], {
  do: 'wait',
});
test('cancelled and over', judged, {cancelRequested: true}, [wave(1, {failed: 1, cancelled: 1})], {
  do: 'end',
  state: 'cancelled',
  error: '',
});
test('cancelled too late', judged, {cancelRequested: true}, [wave(1, {succeeded: 2})], {
  do: 'end',
  state: 'succeeded',
  error: '',
});
test('who asked may no longer', judged, {refusal: 'Alice left'}, [wave(1, {queued: 1})], {
  do: 'drop',
  as: 'skipped',
  why: 'Alice left',
});
test('a wave is under way', judged, rollout, [wave(1, {running: 1}), wave(2, {queued: 4})], {
  do: 'go',
});
test('a wave is over', judged, rollout, [wave(1, {succeeded: 1}), wave(2, {queued: 4})], {
  do: 'open_wave',
  wave: 2,
});
test('a roll-out halts', judged, rollout, [wave(1, {failed: 1}), wave(2, {queued: 4})], {
  do: 'halt',
  why: tooMany,
});
test(
  'a halted one waits',
  judged,
  {...rollout, hold: 'halted'},
  [wave(1, {failed: 1}), wave(2, {queued: 4})],
  {do: 'wait'},
);
test(
  'a paused one halts too',
  judged,
  {...rollout, hold: 'paused'},
  [wave(1, {failed: 1}), wave(2, {queued: 4})],
  {do: 'halt', why: tooMany},
);
test('a paused one waits', judged, {...rollout, hold: 'paused'}, [wave(2, {queued: 4})], {
  do: 'wait',
});
test(
  'forgiven failures do not count',
  judged,
  {...rollout, failuresForgiven: 1},
  [wave(1, {failed: 1}), wave(2, {queued: 4})],
  {do: 'open_wave', wave: 2},
);
test(
  'a roll-out whose last machine failed is over',
  judged,
  {...rollout, wave: 2},
  [wave(1, {succeeded: 1}), wave(2, {failed: 1})],
  {do: 'end', state: 'failed', error: 'Of 2 machines 1 failed'},
);

const operation = {
  id: 'b',
  kind: 'build',
  state: 'succeeded',
  steps: [],
  progressPercent: 0,
  error: '',
  machineId: 'm',
  actor: 'user:alice',
  cancelRequested: false,
  revision: 1,
  createTime: new Date(0),
  startTime: undefined,
  endTime: undefined,
} as const;
const image = '0123456789abcdef';
const build = {id: 'b', imageId: image, operation};
const machine = {
  id: 'm',
  state: 'active',
  stateReason: '',
  desiredImageId: image,
  bootedImageId: 'older',
  badImageIds: [],
  quarantineReason: '',
} as const;
const buildFacts: BuildFacts = {action: 'rollout', cancelRequested: false, build, machine};

const built = test.macro({
  title: (what = '') => `after the build: ${what}`,
  exec(t, part: Partial<BuildFacts>, next: object) {
    t.deepEqual(afterBuild({...buildFacts, ...part}), next as ReturnType<typeof afterBuild>);
  },
});

const held = {
  imageId: build.imageId ?? '',
  verdict: 'waiting',
  reason: 'It waits for hello',
} as const;
test(
  'its image waits for the tests of its groups',
  built,
  {held},
  {do: 'await_tests', imageId: image},
);
test(
  'its image failed the tests of its groups',
  built,
  {held: {...held, verdict: 'closed', reason: 'It failed hello'}},
  {
    do: 'end',
    state: 'failed',
    text: 'Its image did not pass the gate of its groups: It failed hello. "muster image-tests gate m" shows the test: correct the image, or run the test again; then resume the roll-out and try the machine again',
  },
);
test(
  'an older image is held back',
  built,
  {held: {...held, imageId: 'another'}},
  {
    do: 'reboot',
    imageId: build.imageId,
  },
);
test(
  'a newer image is held back, or is the desired one',
  built,
  {held: {...held, imageId: 'newer'}, machine: {...machine, desiredImageId: 'older'}},
  {do: 'end', state: 'failed', text: 'Another image was built for the machine meanwhile'},
);
const running = {...build, operation: {...operation, state: 'running'}} as const;
const end = (state: string, text: string) => ({do: 'end', state, text});

test('a roll-out reboots', built, {}, {do: 'reboot', imageId: image});
test(
  'a bulk build is over',
  built,
  {action: 'build'},
  end('succeeded', 'Built image "0123456789ab"'),
);
test('it runs', built, {build: running}, {do: 'wait'});
test(
  'it is to be cancelled',
  built,
  {build: running, cancelRequested: true},
  {
    do: 'cancel_build',
    buildId: 'b',
  },
);
test(
  'the image that it runs already',
  built,
  {machine: {...machine, bootedImageId: image}},
  end('succeeded', 'It runs this image already'),
);
test(
  'it failed',
  built,
  {build: {...build, operation: {...operation, state: 'failed', error: 'No disk'}}},
  end('failed', 'Build "b" failed: No disk'),
);
test(
  'somebody cancelled it',
  built,
  {build: {...build, operation: {...operation, state: 'cancelled'}}},
  end('failed', 'Build "b" was cancelled'),
);
test('it is gone', built, {build: undefined}, end('failed', 'Its build is gone'));
test('the machine is gone', built, {machine: undefined}, end('failed', 'The machine was removed'));

const pending = {state: 'pending', message: ''} as const;
const rebootFacts: RebootFacts = {
  action: 'rollout',
  cancelRequested: false,
  command: pending,
  machine,
  imageId: image,
  waitedSeconds: 10,
  limitSeconds: 60,
};
const rebooted = test.macro({
  title: (what = '') => `after the reboot: ${what}`,
  exec(t, part: Partial<RebootFacts>, next: object) {
    t.deepEqual(afterReboot({...rebootFacts, ...part}), next as ReturnType<typeof afterReboot>);
  },
});
const silent = {state: 'timed_out', message: 'No result came'} as const;

test('it is on its way', rebooted, {}, {do: 'wait'});
test(
  'ACTIVE in the image',
  rebooted,
  {machine: {...machine, bootedImageId: image}},
  end('succeeded', 'It is ACTIVE in its new image'),
);
test(
  'READY in the image is not ACTIVE',
  rebooted,
  {machine: {...machine, state: 'ready', bootedImageId: image}},
  {do: 'wait'},
);
test(
  'rolled back',
  rebooted,
  {machine: {...machine, badImageIds: [image]}},
  end('failed', 'The image failed its trials on this machine and was marked bad'),
);
test(
  'FAILED',
  rebooted,
  {machine: {...machine, state: 'failed', stateReason: 'Silent'}},
  end('failed', 'The machine became failed: Silent'),
);
test(
  'taken out',
  rebooted,
  {machine: {...machine, state: 'maintenance'}},
  end('failed', 'The machine became maintenance'),
);
test(
  'doubted',
  rebooted,
  {machine: {...machine, quarantineReason: 'Two claim it'}},
  end('failed', 'The machine was quarantined: Two claim it'),
);
test(
  'another image',
  rebooted,
  {machine: {...machine, desiredImageId: 'other'}},
  end('failed', 'Another image was built for the machine meanwhile'),
);
test('no answer', rebooted, {command: silent}, end('failed', 'It did not reboot: No result came'));
test(
  'time is over',
  rebooted,
  {waitedSeconds: 61},
  {
    ...end('failed', 'It was not ACTIVE in its new image 60 s after its reboot'),
  },
);
test(
  'cancelled on the way',
  rebooted,
  {cancelRequested: true},
  end('cancelled', 'It had been told to reboot before the operation was cancelled'),
);
test('a bulk reboot waits for its command', rebooted, {action: 'reboot'}, {do: 'wait'});
test(
  'a bulk reboot is over with its command',
  rebooted,
  {action: 'reboot', command: {state: 'succeeded', message: 'Back'}},
  end('succeeded', 'Back'),
);

test('a canary is the first wave, then waves of one size', t => {
  t.deepEqual(wavesOf(7, {canary: 1, waveSize: 3}), [1, 2, 2, 2, 3, 3, 3]);
  t.deepEqual(wavesOf(3, {canary: 0, waveSize: 2}), [1, 1, 2]);
  t.deepEqual(wavesOf(2, {canary: 5, waveSize: 2}), [1, 1]);
});

test('progress counts what is over, however it ended', t => {
  t.is(progressOf({...noChildren, queued: 1, running: 1, failed: 1}), 33.3);
  t.is(progressOf(noChildren), 100);
});
