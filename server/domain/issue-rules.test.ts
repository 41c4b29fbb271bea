import test from 'ava';
import type {JudgeContext, MachineFacts} from './issue-rule.ts';
import {isBad} from './issue-rule.ts';
import {defaultSettings, issueRules, judgedRules} from './issue-rules.ts';
import {compareVersions} from './issue-rules-software.ts';

const now = new Date('2026-05-01T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

const facts: MachineFacts = {
  id: 'm1',
  state: 'active',
  stateReason: '',
  stateTime: ago(86_400),
  quarantineReason: '',
  desiredImageId: 'i1',
  bootedImageId: 'i1',
  badImageIds: [],
  agentVersion: '1.2.3',
  clockSkewMs: 0,
  lastSeenTime: now,
  management: 'present',
  hardwareTime: ago(500),
  boots: undefined,
  builds: [],
  presence: 'online',
  listeningSince: ago(1_000_000),
  sample: undefined,
};

const sample = (part: object) => ({machineId: 'm1', time: now, ...part});
const build = (state: 'succeeded' | 'failed', secondsAgo: number) => ({
  id: `b${secondsAgo}`,
  state,
  endTime: ago(secondsAgo),
  error: state === 'failed' ? 'boom' : '',
});

const context = (kind: string, open: readonly string[]): JudgeContext => {
  const {thresholds = {}, windowSeconds = 0} = defaultSettings(kind) ?? {};
  return {
    now,
    version: '1.2.3',
    windowSeconds,
    isBad(name, value, component) {
      const threshold = thresholds[name];
      return threshold !== undefined && isBad(threshold, value, open.includes(component));
    },
  };
};

/** What a rule says of a machine with these facts; a machine with `open` has an issue of that component. */
const says = test.macro({
  exec(
    t,
    kind: string,
    part: Partial<MachineFacts>,
    [expected, open = []]: readonly ['unknown' | readonly string[], (readonly string[])?],
  ) {
    const rule = judgedRules.find(own => own.kind === kind);
    const found = rule?.judge({...facts, ...part}, context(kind, open));
    t.deepEqual(found === 'unknown' ? found : found?.map(({summary}) => summary), expected);
  },
  title: name => `rules: ${name}`,
});

const heard = {lastSeenTime: ago(700), presence: 'offline'} as const;
test('online', says, 'offline', {}, [[]]);
test('offline', says, 'offline', heard, [['It is ACTIVE and was last heard 11 minutes ago']]);
test(
  'never heard',
  says,
  'offline',
  {state: 'ready', presence: 'offline', lastSeenTime: undefined},
  [['It is READY and was expected 24 hours ago']],
);
test('cut off', says, 'offline', {...heard, presence: 'unknown'}, ['unknown']);

const boots = (count: number) => ({boots: {count, firstTime: ago(600), lastTime: ago(10)}});
test('four boots', says, 'crash_loop', boots(4), [[]]);
test('five boots', says, 'crash_loop', boots(5), [['It has booted 5 times within 60 minutes']]);
test('two boots later', says, 'crash_loop', boots(2), [
  ['It has booted 2 times within 60 minutes'],
  [''],
]);
test('one boot later', says, 'crash_loop', boots(1), [[], ['']]);

test('no limit on ACTIVE', says, 'stuck', {stateTime: ago(1e8)}, [[]]);
test('within its limit', says, 'stuck', {state: 'ready', stateTime: ago(1799)}, [[]]);
test('past its limit', says, 'stuck', {state: 'ready', stateTime: ago(1801)}, [
  ['It has been READY for 30 minutes'],
]);

test('no sample', says, 'temperature', {}, ['unknown']);
test('no sensor', says, 'temperature', {sample: sample({load1: 1})}, ['unknown']);
test('cool', says, 'temperature', {sample: sample({temperature: 89.9})}, [[]]);
test('hot', says, 'temperature', {sample: sample({temperature: 90})}, [
  ['Its hottest sensor is at 90 °C'],
]);
test('still hot', says, 'temperature', {sample: sample({temperature: 85})}, [
  ['Its hottest sensor is at 85 °C'],
  [''],
]);
test('cool again', says, 'temperature', {sample: sample({temperature: 84.9})}, [[], ['']]);

const fans = (a: number, b: number) => ({
  sample: sample({devices: {'fan/rpm/one': a, 'fan/rpm/two': b, 'sensor/temperature/x': 40}}),
});
test('no word of devices', says, 'fan', {sample: sample({temperature: 40})}, ['unknown']);
test('no fans', says, 'fan', {sample: sample({devices: {'disk/readBytes/sda': 1}})}, [[]]);
test('fans turn', says, 'fan', fans(900, 101), [[]]);
test('one stands', says, 'fan', fans(900, 0), [['Fan "two" turns at 0 rpm']]);
test('both stand', says, 'fan', fans(100, 0), [
  ['Fan "one" turns at 100 rpm', 'Fan "two" turns at 0 rpm'],
]);
test('one is slow still', says, 'fan', fans(300, 300), [['Fan "two" turns at 300 rpm'], ['two']]);

test('no inventory', says, 'no_bmc', {management: undefined}, ['unknown']);
test('an inventory that could not tell', says, 'no_bmc', {management: 'unknown'}, ['unknown']);
test('a BMC', says, 'no_bmc', {}, [[]]);
test('a virtual machine', says, 'no_bmc', {management: 'virtual'}, [[]]);
test('none', says, 'no_bmc', {management: 'absent'}, [['Its inventory has no BMC']]);

test('clock right', says, 'clock_skew', {clockSkewMs: 4999}, [[]]);
test('clock behind', says, 'clock_skew', {clockSkewMs: -5000}, [['Its clock is 5 s behind']]);
test('clock ahead', says, 'clock_skew', {clockSkewMs: 5000}, [['Its clock is 5 s ahead']]);
test('clock of a silent machine', says, 'clock_skew', {...heard, clockSkewMs: 1e6}, ['unknown']);
test('clock that nobody told', says, 'clock_skew', {clockSkewMs: undefined}, ['unknown']);

test('agent as new', says, 'agent_outdated', {}, [[]]);
test('agent newer', says, 'agent_outdated', {agentVersion: '1.10.0'}, [[]]);
test('agent older', says, 'agent_outdated', {agentVersion: '1.2.2-rc1'}, [
  ['Its agent is 1.2.2-rc1, the server 1.2.3'],
]);
test('agent of no version', says, 'agent_outdated', {agentVersion: 'dev'}, ['unknown']);

test('no image known', says, 'image_drift', {bootedImageId: undefined}, ['unknown']);
test('its image', says, 'image_drift', {}, [[]]);
test('another image', says, 'image_drift', {desiredImageId: 'i2'}, [
  ['It runs image i1, and shall run i2'],
]);
test(
  'another image, for a reason',
  says,
  'image_drift',
  {desiredImageId: 'i2', badImageIds: ['i2']},
  [['It runs image i1, and shall run i2, which has failed on it']],
);

test('one of its own', says, 'duplicate_identity', {}, [[]]);
test('quarantined', says, 'duplicate_identity', {quarantineReason: 'a tie'}, [
  ['It is quarantined: a tie'],
]);

test('no builds', says, 'build_failing', {}, [[]]);
test('one failed', says, 'build_failing', {builds: [build('failed', 1)]}, [[]]);
test('two failed', says, 'build_failing', {builds: [build('failed', 1), build('failed', 2)]}, [
  ['Its last 2 builds failed: boom'],
]);
test(
  'one succeeded since',
  says,
  'build_failing',
  {builds: [build('succeeded', 1), build('failed', 2), build('failed', 3)]},
  [[], ['']],
);
test(
  'one failed after that',
  says,
  'build_failing',
  {builds: [build('failed', 1), build('succeeded', 2), build('failed', 3)]},
  [['Its last build failed: boom'], ['']],
);

test('versions are compared by their numbers', t => {
  t.true((compareVersions('1.9.0', '1.10.0') ?? 0) < 0);
  t.true((compareVersions('2.0.0', '1.99.99') ?? 0) > 0);
  t.is(compareVersions('v1.2.3', '1.2.3-simulated'), 0);
  t.is(compareVersions('1.2', '1.2.3'), undefined);
});

test('each rule has a kind of its own, and limits that its own bounds allow', t => {
  t.is(new Set(issueRules.map(({kind}) => kind)).size, issueRules.length);
  for (const {kind, thresholds} of issueRules) {
    t.regex(kind, /^[a-z][a-z_]+$/);
    for (const {raiseAt, clearAt, min, max, below} of Object.values(thresholds)) {
      t.true(min <= raiseAt && raiseAt <= max && min <= clearAt && clearAt <= max, kind);
      t.true(below ? clearAt >= raiseAt : clearAt <= raiseAt, kind);
    }
  }
});

test('every next step is one sentence for a person', t => {
  const wrong: Partial<MachineFacts> = {
    ...boots(9),
    ...fans(0, 0),
    presence: 'online',
    clockSkewMs: 1e6,
    agentVersion: '1.0.0',
    management: 'absent',
    desiredImageId: 'i2',
    quarantineReason: 'a tie',
    builds: [build('failed', 1), build('failed', 2)],
    state: 'failed',
  };
  for (const rule of judgedRules) {
    const own = rule.kind === 'offline' ? heard : {};
    const hot = rule.kind === 'temperature' ? {sample: sample({temperature: 99})} : {};
    const found = rule.judge({...facts, ...wrong, ...own, ...hot}, context(rule.kind, []));
    t.true(found !== 'unknown' && found.length > 0, rule.kind);
    for (const {nextStep} of found === 'unknown' ? [] : found)
      t.regex(nextStep, /^[A-Z][^.]+$/, rule.kind);
  }
});
