import {create} from '@bufbuild/protobuf';
import test from 'ava';
import {GuestReportSchema, ImageTest_TestType} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {createBoundedLog, createLineReader} from './console.ts';
import {startTestRun, type TestRun} from './test-run.ts';

const {BOOT, HELLO, SERVICE} = ImageTest_TestType;
const hello = {bootToken: 'nonce', imageInputKey: 'key'};

function start(testType: ImageTest_TestType, isDisk = false, timeLimitSeconds = 600) {
  return startTestRun({
    testType,
    isDisk,
    nonce: 'nonce',
    inputKey: 'key',
    timeLimitSeconds,
    checkTimeLimitSeconds: 120,
    onStage: () => undefined,
  });
}

const report = (...checks: readonly (readonly [string, boolean])[]) =>
  create(GuestReportSchema, {
    nonce: 'nonce',
    checks: checks.map(([name, passed]) => ({name, passed, detail: passed ? 'fine' : 'broken'})),
  });

type Row = readonly [
  what: string,
  test: ImageTest_TestType,
  happen: (run: TestRun) => void,
  verdict: string | RegExp | undefined,
];

const passed = '';

const table: readonly Row[] = [
  ['nothing yet', BOOT, run => run.reach('network up'), undefined],
  ['the agent started', BOOT, run => run.line('MUSTER agent start'), passed],
  ['the agent said hello', HELLO, run => run.enrolled(hello), passed],
  ['the agent of HELLO only started', HELLO, run => run.line('MUSTER agent start'), undefined],
  [
    'another nonce',
    HELLO,
    run => run.enrolled({...hello, bootToken: 'x'}),
    /another token than the boot\.json/,
  ],
  ['another image', HELLO, run => run.enrolled({...hello, imageInputKey: 'x'}), /input key "x"/],
  ['a panic', SERVICE, run => run.line('Kernel panic - not syncing: x'), /the console said/],
  ['it switched itself off', BOOT, run => run.stopped(), /switched itself off; the last stage/],
  ['a hello is not all of a service test', SERVICE, run => run.enrolled(hello), undefined],
  ['its units are active', SERVICE, run => run.reported(report(['unit a', true])), passed],
  [
    'one of its units is not',
    SERVICE,
    run => run.reported(report(['unit a', true], ['unit b', false])),
    /^unit b: broken$/,
  ],
  ['a report without checks', SERVICE, run => run.reported(report()), /does not know this kind/],
  [
    'a report of another test',
    SERVICE,
    run => run.reported(create(GuestReportSchema, {nonce: 'x'})),
    /another nonce/,
  ],
];

for (const [what, testType, happen, verdict] of table)
  test(`the verdict of a machine: ${what}`, t => {
    using run = start(testType);
    happen(run);
    t.is(run.over.aborted, verdict !== undefined);
    if (verdict instanceof RegExp) t.regex(run.failure() ?? '', verdict);
    else t.is(run.failure(), undefined);
    // What comes later does not change it.
    run.stopped();
    if (verdict === passed) t.is(run.failure(), undefined);
  });

test('a machine has its time, and says how far it came', async t => {
  using run = start(HELLO, false, 0.05);
  run.reach('kernel fetched');
  if (!run.over.aborted)
    await new Promise(resolve => run.over.addEventListener('abort', resolve, {once: true}));
  t.regex(
    run.failure() ?? '',
    /did not end within 0\.05 s; the last stage reached was "kernel fetched"/,
  );
});

const logins: readonly (readonly [line: string, up: boolean])[] = [
  ['debian login: ', true],
  ['login:', true],
  ['[  OK  ] Reached target multi-user.target - Multi-User System.', true],
  ['[  OK  ] Reached target Multi-User System.', true],
  ['Last login: yesterday', false],
  ['MUSTER agent start', false],
  ['Booting from Hard Disk...', false],
];

for (const [line, up] of logins)
  test(`a disk image is ${up ? '' : 'not '}up at "${line}"`, t => {
    using run = start(BOOT, true);
    run.line(line);
    t.is(run.over.aborted, up);
    t.is(run.failure(), undefined);
  });

test('lines are cut, and the rest is told before it ends', t => {
  const lines: string[] = [];
  const rests: string[] = [];
  const reader = createLineReader({
    onLine: line => lines.push(line),
    onRest: text => rests.push(text),
  });
  reader.add(Buffer.from('one\r\ntw'));
  reader.add(Buffer.from('o\n\u001b[1mhost log'));
  reader.add(Buffer.from('in: '));
  t.deepEqual(lines, ['one', 'two']);
  t.deepEqual(rests, ['tw', 'host log', 'host login: ']);
  reader.end();
  t.is(lines.at(-1), 'host login: ');
  reader.add(Buffer.alloc(10_000, 'x'));
  t.true(lines.every(line => line.length <= 4000));
});

test('a serial log keeps its beginning and its end', t => {
  const log = createBoundedLog(4000);
  for (let index = 0; index < 1000; index += 1) log.add(`line ${index}`);
  const text = log.text();
  t.true(text.length <= 4000, String(text.length));
  t.true(text.startsWith('line 0\nline 1\n'));
  t.true(text.endsWith('line 998\nline 999\n'));
  t.regex(text, /\((\d+) lines left out\)/);
  const short = createBoundedLog(4000);
  short.add('a');
  t.is(short.text(), 'a\n');
  const wide = createBoundedLog(4000);
  for (let index = 0; index < 1000; index += 1) wide.add(`\u001b[32m● ${index}\u001b[0m`);
  t.true(Buffer.byteLength(wide.text()) <= 4000);
  t.true(wide.text().endsWith('\u001b[32m● 999\u001b[0m\n'));
});
