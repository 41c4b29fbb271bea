import test from 'ava';
import {diffParts} from './hardware-diff.ts';
import {judgeHardware} from './hardware-issues.ts';
import {arrangeParts, type ObservedPart, type PartState} from './hardware-parts.ts';
import type {OpenIssue} from './issues.ts';

const part = (text: string, state: PartState = {}, classId?: string): ObservedPart => {
  const [kind = '', slot = '', serial = '', model = ''] = text.split('|');
  const attributes = classId ? {class_id: classId} : {};
  return {kind: kind as ObservedPart['kind'], slot, serial, model, attributes, state};
};

/** What a second inventory raises and clears, given the issues of the first. */
function judge(
  before: readonly ObservedPart[],
  after: readonly ObservedPart[],
  open: readonly OpenIssue[] = [],
) {
  const [old, fresh] = [arrangeParts(before), arrangeParts(after)];
  const {raise, clear} = judgeHardware({changes: diffParts(old, fresh), parts: fresh, open});
  const issues = raise.map((finding, index) => ({...finding, id: `issue-${index}`}));
  return {
    issues,
    raised: raise.map(({kind, severity, component}) => `${kind} ${severity}: ${component}`),
    cleared: clear.map(({reason}) => reason),
  };
}

const raises = test.macro({
  exec(
    t,
    before: readonly ObservedPart[],
    after: readonly ObservedPart[],
    expected: readonly string[],
  ) {
    t.deepEqual(judge(before, after).raised, expected);
  },
  title: name => `raises: ${name}`,
});
const disk = part('disk|0|D1|X');
test('a disk that is gone', raises, [disk], [], ['component_lost critical: disk D1']);
test(
  'a module without a serial that is gone',
  raises,
  [part('dimm|A1||M')],
  [],
  ['component_lost critical: dimm A1'],
);
test(
  'a controller that is gone',
  raises,
  [part('pci|1||2:3', {}, '010700')],
  [],
  ['component_lost critical: pci 1'],
);
test('no other card that is gone', raises, [part('pci|1||2:3', {}, '0c0330')], [], []);
test(
  'an exchanged disk',
  raises,
  [disk],
  [part('disk|0|D2|X')],
  ['component_swapped warning: disk D1'],
);
test(
  'an exchanged board',
  raises,
  [part('baseboard||B1|M')],
  [part('baseboard||B2|M')],
  ['component_swapped warning: baseboard B1'],
);
test('nothing that came or moved', raises, [disk], [part('disk|1|D1|X'), part('disk|0|D2|X')], []);

const nic = (now: number, best: number) =>
  part('nic|1|aa|M', {speed_mbps: now, speed_mbps_max: best});
const card = (state: PartState, classId = '020000') => part('pci|1||2:3', state, classId);
test(
  'a NIC slower than it can be',
  raises,
  [],
  [nic(100, 1000)],
  ['link_degraded warning: nic aa'],
);
test('no NIC at its best, or whose best is unknown', raises, [], [nic(1000, 1000)], []);
test('no NIC whose link is down', raises, [], [part('nic|1|aa|M', {speed_mbps_max: 1000})], []);
test(
  'a card with half its lanes',
  raises,
  [],
  [card({link_width: 4, link_width_max: 8})],
  ['link_degraded warning: pci 1'],
);
test(
  'a card with a slow link',
  raises,
  [],
  [card({link_speed_gts: 5, link_speed_gts_max: 8})],
  ['link_degraded warning: pci 1'],
);
test(
  'no GPU that idles',
  raises,
  [],
  [card({link_speed_gts: 2.5, link_speed_gts_max: 16}, '030000')],
  [],
);
test(
  'a GPU with half its lanes',
  raises,
  [],
  [card({link_width: 8, link_width_max: 16}, '030200')],
  ['link_degraded warning: pci 1'],
);
test('no bridge', raises, [], [card({link_width: 1, link_width_max: 16}, '060400')], []);

const health = (verdict: string) => part('disk|0|D1|X', verdict ? {verdict, reason: 'worn'} : {});
test(
  'a disk that expects to fail',
  raises,
  [],
  [health('failed')],
  ['disk_failing critical: disk D1'],
);
test(
  'no disk that passes, or says nothing',
  raises,
  [],
  [health('passed'), part('disk|1|D2|X')],
  [],
);

const clears = test.macro({
  exec(
    t,
    [before, after, later]: readonly (readonly ObservedPart[])[],
    expected: readonly string[],
  ) {
    const {issues} = judge(before ?? [], after ?? []);
    t.is(issues.length, 1);
    t.deepEqual(judge(after ?? [], later ?? [], issues).cleared, expected);
  },
  title: name => `clears: ${name}`,
});
test(
  'a lost disk that is back in another slot',
  clears,
  [[disk], [], [part('disk|5|D1|X')]],
  ['It is back'],
);
test(
  'a lost disk whose slot is filled',
  clears,
  [[disk], [], [part('disk|0|D9|X')]],
  ['Disk D9 (X) is in its slot'],
);
test(
  'not a lost disk while another one comes elsewhere',
  clears,
  [[disk], [], [part('disk|7|D9|X')]],
  [],
);
test(
  'a swap that was undone',
  clears,
  [[disk], [part('disk|0|D2|X')], [disk]],
  ['The part from before is back'],
);
test('not a swap that stays', clears, [[disk], [part('disk|0|D2|X')], [part('disk|0|D2|X')]], []);
test(
  'a link at its best again',
  clears,
  [[], [nic(100, 1000)], [nic(1000, 1000)]],
  ['The link is at its best again'],
);
test('not a slow link that is down now', clears, [[], [nic(100, 1000)], [nic(0, 1000)]], []);
test(
  'a slow card that was taken out',
  clears,
  [[], [card({link_width: 4, link_width_max: 8})], []],
  ['It is no longer in the machine'],
);
test(
  'a disk that passes again',
  clears,
  [[], [health('failed')], [health('passed')]],
  ['The disk passes again'],
);
test(
  'not a failing disk that nobody could ask',
  clears,
  [[], [health('failed')], [health('')]],
  [],
);
test(
  'a failing disk that was replaced',
  clears,
  [[], [health('failed')], [part('disk|0|D2|X')]],
  ['The disk is no longer in the machine'],
);

test('an issue says what, where and what to do', t => {
  const [issue] = judge([disk], []).issues;
  t.like(issue, {
    summary: 'Disk D1 (X) in slot 0 is gone',
    evidence: {before: {kind: 'disk', slot: '0', serial: 'D1', model: 'X'}},
  });
  t.regex(issue?.nextStep ?? '', /^Reseat or replace it/);
});
