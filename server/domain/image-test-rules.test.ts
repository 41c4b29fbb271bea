import test from 'ava';
import type {ImageTest} from '../store/image-tests.ts';
import {
  attemptLimitMs,
  completeTest,
  emptyPlan,
  nextStepOf,
  testUpkeepOf,
  type WantedTest,
} from './image-test-rules.ts';

const wanted = (test: Partial<WantedTest>): WantedTest => ({
  testType: 'boot',
  firmwares: [],
  plan: {},
  isDisk: false,
  ...test,
});

const names: readonly (readonly [
  wanted: Partial<WantedTest>,
  names: readonly string[],
  firmwares: readonly string[],
])[] = [
  [{}, ['boot-bios', 'boot-uefi'], ['bios', 'uefi']],
  [{firmwares: ['uefi']}, ['boot-uefi'], ['uefi']],
  [{testType: 'hello'}, ['hello'], ['bios']],
  [{testType: 'network', plan: {resolveName: 'example.org'}}, ['network'], ['bios']],
  [
    {testType: 'service', plan: {units: ['sshd.service', 'nginx.service']}},
    ['service:sshd.service', 'service:nginx.service'],
    ['bios'],
  ],
  [{testType: 'script', plan: {script: 'true'}}, [], ['bios']],
  [{testType: 'script', plan: {script: 'true', scriptName: 'x'}}, ['script:x'], ['bios']],
];

for (const [order, expected, firmwares] of names)
  test(`a test as gates call it: ${JSON.stringify(order)}`, t => {
    const complete = completeTest(wanted(order));
    t.deepEqual(complete.names, expected);
    t.deepEqual(complete.firmwares, firmwares as typeof complete.firmwares);
    t.is(complete.plan.checkTimeLimitSeconds, 120);
  });

const refused: readonly (readonly [wanted: Partial<WantedTest>, why: RegExp])[] = [
  [{testType: 'service'}, /needs the units/],
  [{testType: 'script', plan: {script: ' \n'}}, /needs a script/],
  [{testType: 'boot', plan: {units: ['a.service']}}, /plan\.units are for a service test/],
  [{testType: 'hello', plan: {script: 'true'}}, /plan\.script is for a script test/],
  [{testType: 'boot', plan: {resolveName: 'x'}}, /plan\.resolve_name is for a network test/],
  [{testType: 'hello', isDisk: true}, /a disk image is given no boot\.json/],
];

for (const [order, why] of refused)
  test(`a test that cannot be: ${JSON.stringify(order)}`, t => {
    t.throws(() => completeTest(wanted(order)), {message: why});
  });

const now = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const limits = {queuedMs: 60_000, silentMs: 120_000};
const plan = {...emptyPlan, timeLimitSeconds: 600};

const base = {
  status: 'pending',
  cancelRequested: false,
  jobTime: undefined,
  claimTime: undefined,
  reportTime: undefined,
  firmwares: ['bios'],
  plan,
  attempt: 0,
} as const satisfies Parameters<typeof testUpkeepOf>[0];
const running = {...base, status: 'running', attempt: 1, claimTime: ago(30)} as const;

const upkeep: readonly (readonly [
  what: string,
  test: Parameters<typeof testUpkeepOf>[0],
  expected: ReturnType<typeof testUpkeepOf>,
])[] = [
  ['new', base, 'queue'],
  ['queued a moment ago', {...base, jobTime: ago(5)}, 'none'],
  ['queued long ago', {...base, jobTime: ago(61)}, 'requeue'],
  ['cancelled while it waits', {...base, cancelRequested: true}, 'cancel'],
  ['runs', {...running, reportTime: ago(1)}, 'none'],
  ['its builder is silent', {...running, claimTime: ago(300), reportTime: ago(121)}, 'requeue'],
  [
    'its builder is silent and it was cancelled',
    {...running, claimTime: ago(300), reportTime: ago(121), cancelRequested: true},
    'cancel',
  ],
  ['silent for the last time', {...running, claimTime: ago(200), attempt: 5}, 'fail'],
  ['too long', {...running, claimTime: ago(600 + 900 + 1), reportTime: ago(1)}, 'fail'],
];

for (const [what, kept, expected] of upkeep)
  test(`a live test, ${what}: ${expected}`, t => {
    t.is(testUpkeepOf(kept, now, limits), expected);
  });

test('an attempt has the time of its boots, and some for fetching and storing', t => {
  t.is(attemptLimitMs({firmwares: ['bios', 'uefi'], plan}), (2 * 600 + 900) * 1000);
});

test('each end has a next step', t => {
  const step = (change: Partial<ImageTest>) =>
    nextStepOf({
      id: '1',
      status: 'failed',
      testType: 'boot',
      results: [],
      imageId: 'i',
      ...change,
    });
  const failed = (name: string) => [
    {
      firmware: 'bios' as const,
      passed: false,
      durationMs: 1,
      stage: '',
      failure: '',
      consoleTail: '',
      checks: [{name, passed: false, detail: '', output: '', durationMs: 1}],
    },
  ];
  t.is(step({status: 'passed'}), '');
  t.regex(step({status: 'error'}), /says nothing about the image/);
  t.regex(step({status: 'cancelled'}), /retry 1/);
  t.regex(step({testType: 'service', results: failed('unit a.service')}), /Correct the unit/);
  t.regex(step({testType: 'script', results: failed('script')}), /what the script wrote/);
  t.regex(step({testType: 'network', results: failed('http')}), /DHCP/);
  t.regex(step({imageId: undefined}), /console=ttyS0/);
  t.regex(step({}), /build again/);
});
