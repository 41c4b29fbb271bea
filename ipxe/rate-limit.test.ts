import test from 'ava';
import {limitPerKey, limitPerSecond} from './rate-limit.ts';

test('so many in a second, and again in the next', t => {
  let nowMs = 0;
  const may = limitPerSecond(2, () => nowMs);
  t.deepEqual([may(), may(), may()], [true, true, false]);
  nowMs = 1000;
  t.true(may());
});

test('each key has its own allowance, which grows back', t => {
  let nowMs = 0;
  const may = limitPerKey({burst: 2, perSecond: 10, nowMs: () => nowMs});
  t.deepEqual([may('a'), may('a'), may('a'), may('b')], [true, true, false, true]);
  nowMs = 100;
  t.deepEqual([may('a'), may('a')], [true, false]);
  nowMs = 100_000;
  t.deepEqual([may('a'), may('a'), may('a')], [true, true, false]);
});
