import test from 'ava';
import {machineStates} from '../store/machines.ts';
import {
  type BootSubject,
  decideBoot,
  decideStandingBoot,
  decideUnknownBoot,
} from './boot-decision.ts';

const registration = {full: 'r1', virtual: undefined};
const none = {full: undefined, virtual: undefined};
const machine = (part: Partial<BootSubject>): BootSubject => ({
  state: 'enrolled',
  stateReason: '',
  quarantineReason: '',
  banReason: '',
  stranger: false,
  desiredImageId: undefined,
  lastGoodImageId: undefined,
  badImageIds: [],
  override: undefined,
  entry: undefined,
  ...part,
});

const cases = test.macro((t, part: Partial<BootSubject>, expected: string) => {
  const {decision} = decideBoot(machine(part), registration);
  t.is(decision.imageId ? `${decision.action} ${decision.imageId}` : decision.action, expected);
});

test('EXPECTED registers', cases, {state: 'expected'}, 'registration');
test('DISCOVERED registers', cases, {state: 'discovered'}, 'registration');
test(
  'a stranger where none are taken boots its disk',
  cases,
  {state: 'discovered', stranger: true},
  'local_disk',
);
test('PENDING registers', cases, {state: 'pending', desiredImageId: 'i1'}, 'registration');
test('ENROLLED registers', cases, {state: 'enrolled'}, 'registration');
test(
  'PROVISIONING registers',
  cases,
  {state: 'provisioning', desiredImageId: 'i1'},
  'registration',
);
test('READY boots its image', cases, {state: 'ready', desiredImageId: 'i1'}, 'image i1');
test('ACTIVE boots its image', cases, {state: 'active', desiredImageId: 'i1'}, 'image i1');
test('READY without an image registers', cases, {state: 'ready'}, 'registration');
test(
  'a bad image gives way to the last good one',
  cases,
  {state: 'active', desiredImageId: 'i2', lastGoodImageId: 'i1', badImageIds: ['i2']},
  'image i1',
);
test(
  'a bad image without a good one',
  cases,
  {state: 'ready', desiredImageId: 'i2', badImageIds: ['i2']},
  'registration',
);
test(
  'FAILED boots the last good image',
  cases,
  {state: 'failed', desiredImageId: 'i2', lastGoodImageId: 'i1'},
  'image i1',
);
test(
  'FAILED without a good image registers',
  cases,
  {state: 'failed', desiredImageId: 'i2'},
  'registration',
);
test(
  'MAINTENANCE boots its disk',
  cases,
  {state: 'maintenance', desiredImageId: 'i1'},
  'local_disk',
);
test(
  'MAINTENANCE follows its entry',
  cases,
  {state: 'maintenance', entry: {action: 'registration', imageId: undefined}},
  'registration',
);
test(
  'REJECTED boots its disk',
  cases,
  {state: 'rejected', entry: {action: 'image', imageId: 'i1'}},
  'local_disk',
);
test('RETIRED boots its disk', cases, {state: 'retired'}, 'local_disk');
test(
  'an override wins over all',
  cases,
  {
    state: 'active',
    desiredImageId: 'i1',
    override: {action: 'local_disk', imageId: undefined},
    entry: {action: 'registration', imageId: undefined},
  },
  'local_disk',
);
test(
  'an entry wins over the state',
  cases,
  {state: 'active', desiredImageId: 'i1', entry: {action: 'image', imageId: 'i9'}},
  'image i9',
);
test(
  'a quarantined machine gets no image',
  cases,
  {state: 'active', desiredImageId: 'i1', quarantineReason: 'a tie'},
  'registration',
);
test(
  'a quarantined machine gets no image by override',
  cases,
  {state: 'active', quarantineReason: 'a tie', override: {action: 'image', imageId: 'i1'}},
  'registration',
);
test(
  'a quarantined machine may go to its disk',
  cases,
  {
    state: 'active',
    quarantineReason: 'a tie',
    override: {action: 'local_disk', imageId: undefined},
  },
  'local_disk',
);

test('says every rule up to the one that decides', t => {
  t.deepEqual(decideBoot(machine({state: 'ready', desiredImageId: 'i1'}), registration), {
    decision: {action: 'image', imageId: 'i1', reason: 'It is ready: this is its desired image'},
    considered: [
      'Ban: none of its identifiers is banned',
      'One-time override: none is set',
      'Quarantine: it is not quarantined',
      'Boot entry: none is set',
      'State ready: decides image i1. It is ready: this is its desired image',
    ],
  });
});

test('waits while no registration image is built', t => {
  t.like(decideUnknownBoot('open', none).decision, {
    action: 'retry',
    reason:
      'Nobody knows this machine; the policy "open" registers it; no registration image is built yet, so it waits and asks again',
  });
});

test('strangers follow the policy', t => {
  t.is(decideUnknownBoot('open', registration).decision.action, 'registration');
  t.is(decideUnknownBoot('approve', registration).decision.action, 'registration');
  t.is(decideUnknownBoot('expected-only', registration).decision.action, 'local_disk');
});

test('every state has an answer, and overrides are in no standing one', t => {
  for (const state of machineStates) {
    const subject = machine({state, override: {action: 'image', imageId: 'i9'}});
    t.is(decideBoot(subject, registration).decision.imageId, 'i9');
    t.not(decideStandingBoot(subject, registration).decision.imageId, 'i9');
  }
});
