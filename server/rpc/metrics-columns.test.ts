import {create, fromJson} from '@bufbuild/protobuf';
import {toColumns} from '@muster/agent/metrics-columns.ts';
import {
  MetricsColumnsSchema,
  type MetricsJson,
  MetricsSchema,
} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import test from 'ava';
import * as fc from 'fast-check';
import {fromColumnsMessage} from './metrics-columns.ts';
import {fromMetricsMessage} from './metrics-messages.ts';

const machineId = '6f1c3a52-0c6b-4c0e-9a51-0d1f5d6f7a01';

const unpacked = (columns: object) =>
  fromColumnsMessage(fromJson(MetricsColumnsSchema, {session: 's', ...columns}))?.unpack(
    machineId,
    timeMs => timeMs,
  );

const known = (sample: object) =>
  Object.fromEntries(Object.entries(sample).filter(([, value]) => value !== undefined));

const byRows = (samples: readonly MetricsJson[]) =>
  samples.map(sample => known({...fromMetricsMessage(fromJson(MetricsSchema, sample)), machineId}));

const count = fc.maxSafeNat().map(String);
const number = fc.double({min: 0, max: 1e6, noNaN: true});
const values = {
  cpuUsagePercent: fc.double({min: 0, max: 100, noNaN: true}),
  memoryUsedBytes: count,
  memoryTotalBytes: count,
  diskUsedBytes: count,
  diskTotalBytes: count,
  networkRxBytes: count,
  networkTxBytes: count,
  loadAverage1: number,
  loadAverage5: number,
  loadAverage15: number,
  temperature: fc.double({min: -50, max: 200, noNaN: true}),
  uptime: number,
};
const time = fc
  .date({min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true})
  .map(date => date.toISOString());
const disks = fc.option(fc.constant([{name: 'sda', readBytes: '7'}]), {nil: undefined});

/** As an agent takes them: each has a time, and all have the same of the rest, but for devices. */
const alike = fc
  .tuple(fc.subarray(Object.keys(values) as (keyof typeof values)[]), fc.boolean())
  .chain(([names, hasPower]) =>
    fc.array(
      fc.record({
        time,
        ...Object.fromEntries(names.map(name => [name, values[name]])),
        ...(hasPower ? {powerState: fc.constant('on')} : {}),
        disks,
      }),
      {minLength: 2, maxLength: 12},
    ),
  )
  .map(samples => samples.map(known) as MetricsJson[]);

test('what agents send as columns is what they send in rows', t => {
  fc.assert(
    fc.property(alike, samples => {
      const columns = toColumns(samples);
      t.truthy(columns);
      const read = unpacked(columns ?? {})?.map(known);
      t.deepEqual(read, byRows(samples));
    }),
    {numRuns: 300},
  );
});

test('columns that contradict each other or the contract are no samples', t => {
  const good = {timeMs: [1000, 10], memoryUsedBytes: [5, -5], uptime: [1, 2]};
  t.is(unpacked(good)?.length, 2);
  for (const bad of [
    {timeMs: []},
    {timeMs: Array.from({length: 361}, () => 1)},
    {timeMs: [1000, 0.5]},
    {timeMs: [10, -11]},
    {timeMs: [253_402_300_799_999, 1]},
    {memoryUsedBytes: [5]},
    {memoryUsedBytes: [5, -6]},
    {memoryUsedBytes: [Number.MAX_SAFE_INTEGER, 1]},
    {memoryUsedBytes: [1, 2, 3]},
    {memoryUsedBytes: ['NaN', 1]},
    {uptime: [1, -1]},
    {uptime: ['Infinity', 1]},
    {cpuUsagePercent: [100, 100.1]},
    {temperature: ['-Infinity', 1]},
    {others: {2: {disks: [{name: 'sda'}]}}},
  ])
    t.is(unpacked({...good, ...bad}), undefined, JSON.stringify(bad).slice(0, 80));
  t.is(fromColumnsMessage(create(MetricsColumnsSchema)), undefined);
});

test('what only some samples have stays in rows', t => {
  const sample = {time: '2026-01-02T03:04:05.000Z', cpuUsagePercent: 1, powerState: 'on'};
  t.truthy(toColumns([sample, sample]));
  for (const other of [
    {time: sample.time, powerState: 'on'},
    {...sample, uptime: 5},
    {...sample, powerState: 'off'},
    {...sample, memoryUsedBytes: '1'},
  ])
    t.is(toColumns([sample, other]), undefined);
  t.is(toColumns([sample]), undefined, 'one is no column');
  const large = {...sample, networkRxBytes: '9007199254740993'};
  t.is(toColumns([large, large]), undefined, 'no number that JSON keeps exact');
});
