import test from 'ava';
import {machineStates} from '../store/machines.ts';
import {assertTransition, lifecycle, stuckReason} from './lifecycle.ts';

test('every state but RETIRED can be left towards RETIRED', t => {
  for (const from of machineStates) {
    const reached = new Set([from]);
    for (const state of reached) for (const next of lifecycle[state].to) reached.add(next);
    t.true(reached.has('retired'), from);
  }
});

test('nothing but an operator-driven state takes an ACTIVE machine out of ACTIVE', t => {
  t.deepEqual(lifecycle.active.to, ['maintenance', 'retiring', 'failed']);
});

test('names what is possible when a transition is refused', t => {
  t.throws(() => assertTransition('pending', 'active'), {
    message:
      'Cannot move a machine from "pending" to "active": possible from here is "enrolled", "rejected", "retired"',
  });
});

const since = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number) => new Date(since.getTime() + seconds * 1000);

test('shows a machine as stuck only after the time limit of its state', t => {
  t.is(stuckReason('ready', since, after(1800)), '');
  t.is(
    stuckReason('ready', since, after(1860)),
    'Power-cycle it: its image is ready, but it has not booted into it (ready for 31 minutes)',
  );
  t.is(stuckReason('active', since, after(1e9)), '');
  t.regex(stuckReason('pending', since, after(3 * 86_400)), /^Accept or reject it \(.* 3 days\)$/);
});

test('every state with a time limit has a next step', t => {
  for (const state of machineStates)
    t.is(lifecycle[state].limitSeconds === undefined, lifecycle[state].nextStep === undefined);
});
