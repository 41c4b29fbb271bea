import test from 'ava';
import {commonSteps} from '../backends/backend.ts';
import {createLogBuffer} from './log-buffer.ts';
import {progressAt} from './progress.ts';

const ownSteps = [
  {name: 'evaluate', weight: 8},
  {name: 'build', weight: 35},
];

test('progress grows from step to step and within them, and reaches the end only at the end', t => {
  const names = [...ownSteps, ...commonSteps].map(({name}) => name);
  const progress = names.flatMap(name => [0, 0.5].map(part => progressAt(ownSteps, name, part)));
  t.is(progress[0], 0);
  t.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
  );
  t.is(progressAt(ownSteps, 'upload', 1), 100);
  t.is(progressAt(ownSteps, 'nobody announced this', 1), 0);
});

test('log lines wait in order, in portions, and a flood is counted', t => {
  const buffer = createLogBuffer();
  for (let line = 0; line < 5007; line += 1) buffer.add(`line ${line}`);
  t.is(buffer.next().length, 500);
  t.is(buffer.next()[0], 'line 0');
  for (let sent = 0; sent < 10; sent += 1) buffer.drop(buffer.next().length);
  t.deepEqual(buffer.next(), ['(7 lines left out)']);
  t.false(buffer.isEmpty());
  buffer.drop(1);
  t.true(buffer.isEmpty());
});

test('a long line is cut', t => {
  const buffer = createLogBuffer();
  buffer.add('x'.repeat(10_000));
  t.is(buffer.next()[0]?.length, 4096);
});
