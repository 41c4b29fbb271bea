import test from 'ava';
import {createStartGate} from './start-gate.ts';
import {createStatistics, createTiming, kindOf} from './statistics.ts';

test('percentiles are right to five percent', t => {
  const timing = createTiming();
  for (let ms = 1; ms <= 1000; ms++) timing.add(ms);
  const {count, p50Ms, p99Ms, maxMs} = timing.get();
  t.is(count, 1000);
  t.true(p50Ms >= 480 && p50Ms <= 530, String(p50Ms));
  t.true(p99Ms >= 950 && p99Ms <= 1000, String(p99Ms));
  t.is(maxMs, 1000);
  t.deepEqual(createTiming().get(), {count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0});
});

test('failures are counted by kind, without what differs between machines', t => {
  const statistics = createStatistics();
  statistics.failed('connect ECONNREFUSED 127.0.0.1:4222');
  statistics.failed('connect ECONNREFUSED 127.0.0.1:4223');
  t.deepEqual(Object.values(statistics.failures()), [2]);
  t.is(kindOf('machine "0198c0de-0000-7000-8000-000000000001" is gone'), 'machine "…" is gone');
});

test('a gate lets through no more than its rate, in order, and all at once at the end', async t => {
  const gate = createStartGate(100);
  const {signal} = new AbortController();
  const order: number[] = [];
  const startedMs = performance.now();
  await Promise.all(
    [
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
      26, 27, 28, 29,
    ].map(async number => {
      await gate.pass(signal);
      order.push(number);
    }),
  );
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  // 30 at 100 a second, less the burst that a late timer may let through.
  t.true(performance.now() - startedMs >= 80);

  const stop = new AbortController();
  const slow = createStartGate(1);
  const waiting = Promise.all(Array.from({length: 50}, () => slow.pass(stop.signal)));
  stop.abort();
  await waiting;
  t.pass();
});
