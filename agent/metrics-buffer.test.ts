import test from 'ava';
import * as fc from 'fast-check';
import {createMetricsBuffer, sampleCountMax, samplesPerBatchMax} from './metrics-buffer.ts';

const time = '2026-01-02T03:04:05.678Z';

test('a batch holds the oldest samples with the sequence of the first', t => {
  const buffer = setUp();
  fill(buffer, 3);
  const report = buffer.take(0);
  t.like(batchOf(report), {
    session: 's',
    firstSequence: '1',
    uptimes: {length: 3},
    form: 'columns',
  });
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
  t.like(batchOf(buffer.take(60_000)), {firstSequence: '1', uptimes: {length: 2}});
});

test('the receipt of an earlier batch confirms what it held', t => {
  const buffer = setUp();
  fill(buffer, 1);
  const first = buffer.take(0);
  fill(buffer, 1);
  buffer.take(60_000);
  buffer.confirm(first?.reportId ?? '');
  t.like(batchOf(buffer.take(60_001)), {firstSequence: '2', uptimes: {length: 1}, form: 'rows'});
});

test('the oldest samples go when there are too many', t => {
  const buffer = setUp();
  fill(buffer, sampleCountMax + 5);
  t.is(buffer.sampleCount, sampleCountMax);
  t.like(batchOf(buffer.take(0)), {firstSequence: '6', uptimes: {length: samplesPerBatchMax}});
});

test('a new connection sends the batch again at once', t => {
  const buffer = setUp();
  fill(buffer, 1);
  buffer.take(0);
  buffer.makeDue();
  t.like(batchOf(buffer.take(1)), {firstSequence: '1'});
});

test('a server that confirms no columns gets rows, and the next batch is tried as columns', t => {
  const buffer = setUp();
  fill(buffer, 5);
  const forms: string[] = [];
  let last: ReturnType<typeof buffer.take>;
  for (let nowMs = 0; forms.length < 6; nowMs += 600_000) {
    last = buffer.take(nowMs);
    t.like(batchOf(last), {firstSequence: '1', uptimes: {length: 5}});
    forms.push(batchOf(last).form);
  }
  t.deepEqual(forms, ['columns', 'rows', 'columns', 'columns', 'columns', 'rows']);
  buffer.confirm(last?.reportId ?? '');
  t.is(buffer.sampleCount, 0);
  fill(buffer, 2);
  t.like(batchOf(buffer.take(0)), {firstSequence: '6', form: 'columns'});
});

test('samples that are not alike go in rows', t => {
  const buffer = setUp();
  buffer.add({time});
  fill(buffer, 2);
  t.like(batchOf(buffer.take(0)), {form: 'rows', uptimes: [undefined, 0, 1]});
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
        if (what === 'sample') buffer.add({time, uptime: ++made});
        if (what === 'send') last = buffer.take(nowMs) ?? last;
        if (what === 'reconnect') buffer.makeDue();
        if (what === 'confirm' && last) {
          const {firstSequence, uptimes} = batchOf(last);
          // The server takes what follows on the last that it stored.
          const fresh = uptimes.slice(Math.max(0, stored + 1 - Number(firstSequence)));
          for (const uptime of fresh) t.is(uptime, ++stored);
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
  for (let index = 0; index < count; index++) buffer.add({time, uptime: index});
}

/** In either form. */
function batchOf(report: ReturnType<ReturnType<typeof setUp>['take']>) {
  const {metrics, metricsColumns} = report?.body ?? {};
  const {session, firstSequence} = metrics ?? metricsColumns ?? {};
  const uptimes = metrics?.samples?.map(({uptime}) => uptime) ?? metricsColumns?.uptime ?? [];
  return {session, firstSequence, uptimes, form: metricsColumns ? 'columns' : 'rows'};
}
