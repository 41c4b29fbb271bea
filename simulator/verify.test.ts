import test from 'ava';
import {
  addRange,
  countOf,
  createSessionBook,
  type MachineRecord,
  sampleOf,
  samplesPerSessionMax,
  sentBytesOf,
} from './ledger.ts';
import {emptyVerdict, isSound, judgeMachine} from './verify.ts';

/** Two sessions: five samples sent of which four are receipted, and two of which both are. */
function play() {
  const book = createSessionBook(() => Date.UTC(2026, 10, 26));
  const [first, second] = [book.begin('one'), book.begin('two')];
  Object.assign(first, {made: 6, sentThrough: 5, receipted: [[1, 4]]});
  Object.assign(second, {made: 2, sentThrough: 2, receipted: [[1, 2]]});
  const machine: MachineRecord = {machineId: 'id', serial: 'SIM-1', sessions: book.sessions};
  const stored = [
    ...[1, 2, 3, 4].map(sequence => sentBytesOf(first, sequence, 0.99)),
    ...[1, 2].map(sequence => sentBytesOf(second, sequence, 0)),
  ];
  return {machine, first, second, stored};
}

test('a sample is told by its counter, in sessions that begin in the same second too', t => {
  const {first, second} = play();
  t.not(first.block, second.block);
  for (const session of [first, second])
    for (const sequence of [1, 2, samplesPerSessionMax - 1])
      for (const noise of [0, 0.5, 0.9999])
        t.deepEqual(sampleOf(sentBytesOf(session, sequence, noise)), {
          block: session.block,
          sequence,
        });
  t.true(Number.isSafeInteger(sentBytesOf({...first, block: 28 * 365 * 86_400}, 1, 0)));
});

test('each sample once is sound, and so is one whose receipt was not heard', t => {
  const {machine, first, stored} = play();
  t.like(judgeMachine(emptyVerdict, machine, stored), {
    machines: 1,
    made: 8,
    receipted: 6,
    stored: 6,
    lost: 0,
  });
  const verdict = judgeMachine(emptyVerdict, machine, [...stored, sentBytesOf(first, 5, 0)]);
  t.true(isSound(verdict));
  t.is(verdict.unreceipted, 1);
});

test('a lost, a doubled and an invented sample are found and named', t => {
  const {machine, first, stored} = play();
  const lost = judgeMachine(emptyVerdict, machine, stored.slice(1));
  t.is(lost.lost, 1);
  t.deepEqual(lost.problems, ['SIM-1 (id): 1 lost, 0 stored more than once, 0 never sent']);
  t.is(judgeMachine(emptyVerdict, machine, [...stored, stored[0] ?? 0]).twice, 1);
  t.is(judgeMachine(emptyVerdict, machine, [...stored, sentBytesOf(first, 6, 0)]).invented, 1);
  t.false(isSound(lost));
});

test('samples of earlier runs are nobody’s fault', t => {
  const {machine, first, stored} = play();
  const earlier = sentBytesOf({...first, block: first.block - 100}, 1, 0);
  t.true(isSound(judgeMachine(emptyVerdict, machine, [...stored, earlier])));
});

test('ranges of receipts join, in whatever order they come', t => {
  t.deepEqual(addRange([], 1, 3), [[1, 3]]);
  t.deepEqual(addRange([[1, 3]], 4, 5), [[1, 5]]);
  t.deepEqual(addRange([[1, 3]], 2, 6), [[1, 6]]);
  t.deepEqual(addRange([[5, 6]], 1, 2), [
    [1, 2],
    [5, 6],
  ]);
  t.is(
    countOf([
      [1, 2],
      [5, 6],
    ]),
    4,
  );
});
