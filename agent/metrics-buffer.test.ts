import type {MetricsBatchJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import test from 'ava';
import * as fc from 'fast-check';
import {createMetricsBuffer, sampleCountMax, samplesPerBatchMax} from './metrics-buffer.ts';

test('a batch holds the oldest samples with the sequence of the first', t => {
  const buffer = setUp();
  fill(buffer, 3);
  const report = buffer.take(0);
  t.like(batchOf(report), {session: 's', firstSequence: '1', samples: {length: 3}});
  buffer.confirm(report?.reportId ?? '');
  t.is(buffer.sampleCount, 0);
  t.is(buffer.take(0), undefined);
});

test('one batch at a time: later samples wait for its receipt or its time', t => {
  const buffer = setUp();
  fill(buffer, 1);
  buffer.take(0);
  fill(buffer, 1);
  t.is(buffer.take(1), undefined);
  t.like(batchOf(buffer.take(60_000)), {firstSequence: '1', samples: {length: 2}});
});

test('the receipt of an earlier batch confirms what it held', t => {
  const buffer = setUp();
  fill(buffer, 1);
  const first = buffer.take(0);
  fill(buffer, 1);
  buffer.take(60_000);
  buffer.confirm(first?.reportId ?? '');
  t.like(batchOf(buffer.take(60_001)), {firstSequence: '2', samples: {length: 1}});
});

test('the oldest samples go when there are too many', t => {
  const buffer = setUp();
  fill(buffer, sampleCountMax + 5);
  t.is(buffer.sampleCount, sampleCountMax);
  t.like(batchOf(buffer.take(0)), {firstSequence: '6', samples: {length: samplesPerBatchMax}});
});

test('a new connection sends the batch again at once', t => {
  const buffer = setUp();
  fill(buffer, 1);
  buffer.take(0);
  buffer.makeDue();
  t.like(batchOf(buffer.take(1)), {firstSequence: '1'});
});

test('whatever is lost or confirmed, no stored sample comes again as new and none is skipped', t => {
  const step = fc.constantFrom('sample', 'send', 'confirm', 'reconnect');
  fc.assert(
    fc.property(fc.array(step, {maxLength: 200}), steps => {
      const buffer = setUp();
      let nowMs = 0;
      let made = 0;
      let stored = 0;
      let last: ReturnType<typeof buffer.take>;
      for (const what of steps) {
        nowMs += 7000;
        if (what === 'sample') buffer.add({uptime: ++made});
        if (what === 'send') last = buffer.take(nowMs) ?? last;
        if (what === 'reconnect') buffer.makeDue();
        if (what === 'confirm' && last) {
          const {firstSequence, samples = []} = batchOf(last) ?? {};
          // The server takes what follows on the last that it stored.
          const fresh = samples.slice(Math.max(0, stored + 1 - Number(firstSequence)));
          for (const sample of fresh) t.is(sample.uptime, ++stored);
          buffer.confirm(last.reportId);
        }
      }
      t.true(buffer.sampleCount >= made - stored);
    }),
    {numRuns: 100},
  );
});

function setUp() {
  let count = 0;
  return createMetricsBuffer({session: 's', newId: () => String(++count), random: () => 1});
}

function fill(buffer: ReturnType<typeof setUp>, count: number): void {
  for (let index = 0; index < count; index++) buffer.add({uptime: index});
}

const batchOf = (
  report: ReturnType<ReturnType<typeof setUp>['take']>,
): MetricsBatchJson | undefined => report?.body.metrics;
