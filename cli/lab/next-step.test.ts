import {Machine_State as State} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {nextStep, type Situation, type Step} from './next-step.ts';

const step = test.macro<[Partial<Situation>, Step['kind']]>((t, situation, kind) => {
  const whole = {
    state: undefined,
    stateReason: '',
    configured: false,
    hasFreshMetrics: false,
    silentMs: 0,
    ...situation,
  };
  t.is(nextStep(whole).kind, kind);
});

const long = 400_000;
test('a stranger gets time', step, {}, 'wait');
test('a stranger that is silent for long', step, {silentMs: long}, 'power-cycle');
test('a machine that waits for acceptance', step, {state: State.PENDING}, 'accept');
test('a machine that nobody told what to run', step, {state: State.ENROLLED}, 'configure');
test('configured once', step, {state: State.ENROLLED, configured: true}, 'wait');
test('its build runs', step, {state: State.PROVISIONING, silentMs: long}, 'wait');
test('Muster reboots it', step, {state: State.READY}, 'wait');
test('it did not reboot', step, {state: State.READY, silentMs: long}, 'power-cycle');
test('ACTIVE from an earlier run', step, {state: State.ACTIVE}, 'wait');
test('ACTIVE and measured', step, {state: State.ACTIVE, hasFreshMetrics: true}, 'done');
test('failed in an earlier run', step, {state: State.FAILED}, 'configure');
test('failed in this run', step, {state: State.FAILED, configured: true}, 'give-up');
test('turned away', step, {state: State.REJECTED}, 'give-up');
