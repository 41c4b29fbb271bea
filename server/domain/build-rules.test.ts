import test from 'ava';
import type {Build} from '../store/builds.ts';
import type {OperationStep} from '../store/operations.ts';
import {
  type ConfiguredMachine,
  specOf,
  type Upkeep,
  type UpkeepLimits,
  upkeepOf,
} from './build-rules.ts';
import {bootTestKey, imageId} from './images.ts';
import {advanceSteps, endSteps} from './operations.ts';

const imageConfig = {
  hostName: '',
  packages: ['nginx'],
  sshAuthorizedKeys: [],
  files: [],
  kernelArguments: [],
};

const bare: ConfiguredMachine = {
  id: 'm',
  hostname: '',
  serviceTag: 'ABC1234',
  uuid: 'u',
  manufacturer: 'Dell Inc.',
  product: 'R640',
  macAddresses: ['52:54:00:00:00:02', '52:54:00:00:00:01'],
  cpuThreads: 8,
  memoryBytes: 2 ** 35,
  firmwareMode: 'uefi',
  imageConfig: undefined,
  nixosConfig: '',
};
const module = {name: 'web', version: 3, nixosModule: '_: {}', parameters: {port: 80}};

test('with templates or a module of its own a machine runs NixOS, and is told of itself', t => {
  const machine = {
    ...bare,
    hostname: 'web1.example.net',
    imageConfig: {...imageConfig, sshAuthorizedKeys: ['k']},
  };
  const facts = {
    machineId: 'm',
    hostName: 'web1',
    serviceTag: 'ABC1234',
    uuid: 'u',
    manufacturer: 'Dell Inc.',
    product: 'R640',
    macAddresses: ['52:54:00:00:00:01', '52:54:00:00:00:02'],
    cpuThreads: 8,
    memoryBytes: 2 ** 35,
    firmwareMode: 'uefi',
    sshAuthorizedKeys: ['k'],
  };
  const nix = {backend: 'nix', imageConfig: undefined, facts};
  t.like(specOf(machine, 'full', [module]), {...nix, templates: [module], nixosConfig: ''});
  t.like(specOf({...machine, nixosConfig: '{}'}, 'full', []), {...nix, nixosConfig: '{}'});
  t.like(specOf(machine, 'full', []), {backend: 'debian', templates: [], facts: undefined});
  t.throws(() => specOf(bare, 'full', []), {
    message: /neither image_config nor nixos_config nor templates/,
  });
});

test('a system without a host name of its own gets the machine’s', t => {
  const hostNameOf = (hostname: string, hostName: string) => {
    const machine = {...bare, hostname, imageConfig: {...imageConfig, hostName}};
    return specOf(machine, 'full', []).imageConfig?.hostName;
  };
  t.is(hostNameOf('web1.example.net', ''), 'web1');
  t.is(hostNameOf('web1', 'db1'), 'db1');
  t.is(hostNameOf('', ''), '');
});

const now = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const limits: UpkeepLimits = {queuedMs: 60_000, silentMs: 180_000, attemptMs: 3_600_000};

type Facts = Pick<Build, 'jobTime' | 'claimTime' | 'reportTime'> & {
  readonly state: Build['operation']['state'];
  readonly cancelRequested: boolean;
};
const facts: Facts = {
  state: 'running',
  cancelRequested: false,
  jobTime: ago(7200),
  claimTime: ago(600),
  reportTime: ago(1),
};

const keep = test.macro((t, changed: Partial<Facts>, expected: Upkeep) => {
  const {state, cancelRequested, ...times} = {...facts, ...changed};
  const operation = {state, cancelRequested};
  t.is(upkeepOf({...times, operation} as Build, now, limits), expected);
});
const queued = {state: 'queued', claimTime: undefined, reportTime: undefined} as const;
test('a new build gets a job', keep, {...queued, jobTime: undefined}, 'queue');
test('a job that was just queued is waited for', keep, {...queued, jobTime: ago(59)}, 'none');
test('a job that nobody took is queued again', keep, {...queued, jobTime: ago(61)}, 'requeue');
test('a build that reports goes on', keep, {}, 'none');
test('a silent build is queued again', keep, {reportTime: ago(181)}, 'requeue');
test(
  'a silent build to be cancelled is',
  keep,
  {reportTime: ago(181), cancelRequested: true},
  'cancel',
);
test('its builder is given time to cancel', keep, {cancelRequested: true}, 'none');
test('a build without end is ended', keep, {claimTime: ago(3601)}, 'fail');
test('a claim counts as a report', keep, {claimTime: ago(10), reportTime: undefined}, 'none');

test('each step ends when the next begins', t => {
  const first = advanceSteps([], 'packages', ago(30));
  const second = advanceSteps(first, 'layers', ago(20));
  t.is(advanceSteps(second, 'layers', ago(10)), second);
  t.is(advanceSteps(second, '', ago(10)), second);
  const expected: OperationStep[] = [
    {name: 'packages', state: 'succeeded', startTime: ago(30), endTime: ago(20)},
    {name: 'layers', state: 'failed', startTime: ago(20), endTime: now},
  ];
  t.deepEqual(endSteps(second, 'failed', now), expected);

  let many: readonly OperationStep[] = [];
  for (let number = 0; number < 100; number += 1) many = advanceSteps(many, `step ${number}`, now);
  t.is(many.length, 64);
});

const artifact = (name: string, digit: string) => ({name, sha256: digit.repeat(64), sizeBytes: 4});
const manifest = {
  kernel: artifact('vmlinuz', '1'),
  initrds: [artifact('initrd.zst', '2')],
  layers: [artifact('base.squashfs', '3')],
  commandLine: 'panic=30',
};

test('the id of an image is its content: parts, their order and the command line', t => {
  t.is(imageId(manifest), '7788944e59ca31d071921a1aa76818153ccc79f137bf0af70a4d34d3f403f668');
  const others = [
    {...manifest, commandLine: 'panic=31'},
    {...manifest, layers: []},
    {...manifest, initrds: manifest.layers, layers: manifest.initrds},
    {...manifest, kernel: artifact('vmlinuz', '4')},
  ];
  t.is(new Set([manifest, ...others].map(imageId)).size, 5);
});

test('a set of artifacts is the same in any order', t => {
  const key = bootTestKey(['a', 'b'], 'quiet panic=30');
  t.is(bootTestKey(['b', 'a'], 'quiet panic=30 muster.layers=aa/base,bb/machine'), key);
  t.not(bootTestKey(['a'], 'quiet panic=30'), key);
  t.not(bootTestKey(['a', 'b'], 'quiet panic=30 nomodeset'), key);
});
