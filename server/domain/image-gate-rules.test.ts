import test from 'ava';
import type {ImageTest, ImageTestResult, ImageTestStatus} from '../store/image-tests.ts';
import {
  type GateFacts,
  type GateVerdict,
  judgeGate,
  missingTests,
  requirementsOf,
} from './image-gate-rules.ts';

type Known = GateFacts['tests'][number];

const known = (
  id: string,
  names: readonly string[],
  status: ImageTestStatus,
  results: readonly ImageTestResult[] = [],
): Known => ({id, names, status, results, failure: status === 'failed' ? 'it broke' : ''});

const result = (
  firmware: 'bios' | 'uefi',
  passed: boolean,
  checks: readonly (readonly [string, boolean])[] = [],
): ImageTestResult => ({
  firmware,
  passed,
  durationMs: 1,
  stage: 'agent started',
  failure: '',
  consoleTail: '',
  checks: checks.map(([name, ok]) => ({
    name,
    passed: ok,
    detail: '',
    output: '',
    durationMs: 1,
  })),
});

const built = [
  {firmware: 'bios', passed: true},
  {firmware: 'uefi', passed: true},
] as const;

const judge = (gate: readonly string[], facts: Partial<GateFacts>): GateVerdict =>
  judgeGate(requirementsOf([{name: 'web', imageGate: gate}]), {
    tests: [],
    bootTests: [],
    ...facts,
  });

type Row = readonly [
  what: string,
  gate: readonly string[],
  facts: Partial<GateFacts>,
  verdict: GateVerdict['verdict'],
  reason: RegExp,
];

const table: readonly Row[] = [
  ['no gate', [], {}, 'open', /^No group requires a test$/],
  ['never run', ['hello'], {}, 'waiting', /^It waits for hello \(required by group web\)$/],
  [
    "a build's own boot test counts as boot and as hello",
    ['boot-bios', 'boot-uefi', 'hello'],
    {bootTests: built},
    'open',
    /^It passed every test that is required$/,
  ],
  [
    'one firmware was built for only',
    ['boot-uefi'],
    {bootTests: [built[0]]},
    'waiting',
    /boot-uefi/,
  ],
  ['passed', ['network'], {tests: [known('1', ['network'], 'passed')]}, 'open', /passed/],
  [
    'failed',
    ['network', 'hello'],
    {tests: [known('1', ['network'], 'failed')], bootTests: built},
    'closed',
    /^It failed network \(required by group web\)$/,
  ],
  [
    'the newest result counts',
    ['network'],
    {tests: [known('2', ['network'], 'passed'), known('1', ['network'], 'failed')]},
    'open',
    /passed/,
  ],
  [
    'a newer failure closes what was open, also over the boot test of the build',
    ['hello'],
    {tests: [known('2', ['hello'], 'failed')], bootTests: built},
    'closed',
    /hello/,
  ],
  [
    'one that runs again is waited for',
    ['network'],
    {tests: [known('2', ['network'], 'running'), known('1', ['network'], 'failed')]},
    'waiting',
    /network/,
  ],
  [
    'a cancelled one leaves what was known',
    ['network'],
    {tests: [known('2', ['network'], 'cancelled'), known('1', ['network'], 'passed')]},
    'open',
    /passed/,
  ],
  [
    'one without a result says nothing',
    ['network'],
    {tests: [known('2', ['network'], 'error')]},
    'waiting',
    /network/,
  ],
  [
    'of units tested together the broken one alone closes',
    ['service:a.service'],
    {
      tests: [
        known('1', ['service:a.service', 'service:b.service'], 'failed', [
          result('bios', false, [
            ['unit a.service', true],
            ['unit b.service', false],
          ]),
        ]),
      ],
    },
    'open',
    /passed/,
  ],
  [
    'units that were never looked at have not passed',
    ['service:a.service'],
    {tests: [known('1', ['service:a.service'], 'failed', [result('bios', false)])]},
    'closed',
    /service:a\.service/,
  ],
  [
    'under UEFI it failed, under BIOS it passed',
    ['boot-bios'],
    {
      tests: [
        known('1', ['boot-bios', 'boot-uefi'], 'failed', [
          result('bios', true),
          result('uefi', false),
        ]),
      ],
    },
    'open',
    /passed/,
  ],
  [
    'the firmware that was not tried any more',
    ['boot-uefi'],
    {tests: [known('1', ['boot-bios', 'boot-uefi'], 'failed', [result('bios', false)])]},
    'waiting',
    /boot-uefi/,
  ],
];

for (const [what, gate, facts, verdict, reason] of table)
  test(`a gate: ${what}`, t => {
    const judged = judge(gate, facts);
    t.is(judged.verdict, verdict);
    t.regex(judged.reason, reason);
    t.deepEqual(
      judged.findings.map(finding => finding.test),
      gate,
    );
  });

test('what groups require adds up, and each says who requires it', t => {
  const groups = [
    {name: 'web', imageGate: ['hello', 'network']},
    {name: 'site', imageGate: ['hello']},
    {name: 'open'},
  ];
  t.deepEqual(requirementsOf(groups), [
    {test: 'hello', origins: ['group web', 'group site']},
    {test: 'network', origins: ['group web']},
  ]);
});

test('a finding names the test that decides and says what to do', t => {
  const tests: readonly Pick<ImageTest, 'id' | 'names' | 'status' | 'results' | 'failure'>[] = [
    known('3', ['hello'], 'cancelled'),
    known('2', ['network'], 'failed'),
  ];
  const {findings} = judge(['hello', 'network', 'script:x'], {tests});
  t.like(findings[0], {status: 'cancelled', testId: '3'});
  t.regex(findings[0]?.explanation ?? '', /muster image-tests retry 3/);
  t.like(findings[1], {status: 'failed', testId: '2', explanation: 'Failed in test "2": it broke'});
  t.like(findings[2], {status: undefined, explanation: 'Never run for this image'});
});

const missing = (gate: readonly string[], facts: Partial<GateFacts>) =>
  missingTests(judge(gate, facts).findings);

test('missing tests are asked for in as few machines as possible', t => {
  const gate = ['boot-bios', 'boot-uefi', 'service:a.service', 'service:b.service', 'script:x'];
  t.deepEqual(missing([...gate, 'hello', 'network'], {}), [
    {testType: 'boot', firmwares: ['bios', 'uefi']},
    {testType: 'hello'},
    {testType: 'network'},
    {testType: 'service', units: ['a.service', 'b.service']},
    {testType: 'script', scriptName: 'x'},
  ]);
  t.deepEqual(missing(gate.slice(0, 2), {bootTests: [built[0]]}), [
    {testType: 'boot', firmwares: ['uefi']},
  ]);
});

test('only what was never run, or ended without a result a few times, is asked for again', t => {
  const ended = (...statuses: ImageTestStatus[]) => ({
    tests: statuses.map((status, index) => known(String(9 - index), ['network'], status)),
  });
  t.is(missing(['network'], ended('passed')).length, 0);
  t.is(missing(['network'], ended('failed')).length, 0);
  t.is(missing(['network'], ended('pending')).length, 0);
  t.is(missing(['network'], ended('cancelled')).length, 0);
  t.is(missing(['network'], ended('error', 'error')).length, 1);
  t.is(missing(['network'], ended('error', 'error', 'error')).length, 0);
});
