import test from 'ava';
import {noChildren} from '../store/bulk-children.ts';
import {nextStepOf, nextStepOfChild} from './rollout-view.ts';

const rollout = {action: 'rollout', machineLimitSeconds: 60} as const;
const running = {state: 'running', machineId: 'm'} as const;

const child = test.macro({
  title: (what = '') => `what comes next for a machine: ${what}`,
  exec(t, given: Partial<Parameters<typeof nextStepOfChild>[0]>, text: string) {
    const held = {reason: 'It waits for hello (required by group web)'};
    t.is(nextStepOfChild({...running, step: '', ...given}, rollout, held), text);
  },
});
test('one that waits has none', child, {state: 'queued'}, '');
test('one that is over has none', child, {state: 'failed', step: 'testing'}, '');
test(
  'its build',
  child,
  {step: 'building'},
  'It is told to reboot when its image is built and has passed the tests that its groups require',
);
test(
  'tests of its image',
  child,
  {step: 'testing'},
  'It waits for hello (required by group web); "muster image-tests gate m" shows each test. Then it is told to reboot',
);
test(
  'its reboot',
  child,
  {step: 'rebooting'},
  'It is done when it is ACTIVE in its new image, and has failed when it is not 60 s after its reboot',
);

test('the gate has opened a moment ago, and the machine is about to be told', t => {
  t.is(
    nextStepOfChild({...running, step: 'testing'}, rollout, undefined),
    'Its image has passed its tests: it is told to reboot',
  );
});

test('in other bulk actions a build and a reboot are the end', t => {
  const bulk = {...rollout, action: 'build'} as const;
  t.is(
    nextStepOfChild({...running, step: 'building'}, bulk, undefined),
    'It is done when its build is',
  );
  t.is(
    nextStepOfChild({...running, step: 'rebooting'}, {...bulk, action: 'reboot'}, undefined),
    'It is done when it is back',
  );
});

const operation = {
  id: 'r',
  kind: 'rollout',
  state: 'running',
  steps: [],
  progressPercent: 0,
  error: '',
  machineId: undefined,
  actor: 'user:alice',
  cancelRequested: false,
  revision: 1,
  createTime: new Date(0),
  startTime: undefined,
  endTime: undefined,
} as const;
const bulk = {operation, hold: '', wave: 1, waves: 2, failuresMax: 0} as const;
const waves = [
  {wave: 1, counts: {...noChildren, running: 3}},
  {wave: 2, counts: {...noChildren, queued: 4}},
];

test('a roll-out says how many machines wait for tests', t => {
  const told = (testing: number) => nextStepOf(bulk, waves, testing);
  const then = 'wave 2 begins when all of them are, and no more than 0 failed';
  const place = 'Wave 1 of 2: 0 of 3 machines up to here are over';
  const shown = 'for tests of the new image ("muster image-tests gate MACHINE" shows which)';
  t.is(told(0), `${place}; ${then}`);
  t.is(told(1), `${place}; 1 machine waits ${shown}; ${then}`);
  t.is(told(2), `${place}; 2 machines wait ${shown}; ${then}`);
});

test('held, it says what to do, and what goes on meanwhile', t => {
  t.is(
    nextStepOf({...bulk, hold: 'paused'}, waves, 3),
    'What has begun goes on to its end (3 machines). Resume it or cancel it',
  );
});
