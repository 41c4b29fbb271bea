import {randomUUID} from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import {fromMetricsMessage} from '../rpc/metrics-messages.ts';
import type {MetricsReport} from '../domain/metrics.ts';
import {fromColumnsMessage} from '../rpc/metrics-columns.ts';
import {parseReport} from './parse-report.ts';
import {readPlainReport} from './plain-samples.ts';

const machineId = randomUUID();
const reportId = randomUUID();
const encode = (report: object) => new TextEncoder().encode(JSON.stringify(report));

/** What the contract makes of it; a text says why it is none. */
function byContract(data: Uint8Array) {
  const parsed = parseReport({subject: `muster.reports.agent.${machineId}.metrics`, data});
  if (typeof parsed === 'string') return parsed;
  const {body} = parsed.report;
  if (body.case !== 'metrics' && body.case !== 'metricsColumns') return 'no metrics';
  const {session, firstSequence} = body.value;
  const samples =
    body.case === 'metrics'
      ? body.value.samples.map(fromMetricsMessage)
      : fromColumnsMessage(body.value);
  if (!samples) return 'its columns contradict each other';
  return shown({
    reportId: parsed.report.reportId,
    machineId,
    session,
    firstSequence: Number(firstSequence),
    samples,
  });
}

const known = (sample: object) =>
  Object.fromEntries(Object.entries(sample).filter(([, value]) => value !== undefined));

const unpacked = (samples: MetricsReport['samples']): readonly object[] =>
  'unpack' in samples ? samples.unpack(machineId, timeMs => timeMs) : samples;

const shown = <T extends {readonly samples: MetricsReport['samples']}>(report: T) => ({
  ...report,
  samples: unpacked(report.samples).map(known),
});

const number = fc.oneof(
  fc.double({min: -10, max: 200, noNaN: true}),
  fc.nat(),
  fc.constantFrom<unknown>('5', 'NaN', null, true, -1, 1e300),
);
const count = fc.oneof(
  fc.nat().map(String),
  fc.maxSafeNat().map(String),
  fc.constantFrom<unknown>('-1', '1.0', '18446744073709551615', 7, '', ' 1', null),
);
const text = fc.oneof(fc.constant('on'), fc.string({maxLength: 40}), fc.constant('o\0n'));
const time = fc.oneof(
  fc.constant('2026-01-02T03:04:05.678Z'),
  fc.constantFrom<unknown>('2026-01-02T03:04:05Z', '2026-13-02T03:04:05.678Z', 'x', 5),
);
const sample = fc.record(
  {
    time,
    cpuUsagePercent: number,
    memoryUsedBytes: count,
    diskTotalBytes: count,
    networkRxBytes: count,
    loadAverage1: number,
    loadAverage15: number,
    temperature: number,
    powerState: text,
    uptime: number,
    disks: fc.constant([{name: 'sda', readBytes: '7'}]),
    unknown: fc.constant(1),
  },
  {requiredKeys: []},
);

test('what is read the short way is what the contract says, and the rest is left to it', t => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.array(sample, {maxLength: 3}),
      fc.constantFrom('s', '', 'x'.repeat(65), 'a\0b'),
      fc.constantFrom<unknown>('0', '12', 3, '-1', '99999999999999999999'),
      (samples, session, firstSequence) => {
        const data = encode({reportId, machineId, metrics: {session, firstSequence, samples}});
        const plain = readPlainReport(data);
        if (!plain) return;
        read += 1;
        t.deepEqual<object, object | string>(shown(plain), byContract(data));
      },
    ),
    {numRuns: 2000},
  );
  t.true(read > 20, `only ${read} were read`);
});

test('a report of our agent is read the short way', t => {
  const own = {
    time: '2026-01-02T03:04:05.678Z',
    cpuUsagePercent: 12.5,
    memoryTotalBytes: '68719476736',
    loadAverage1: 0.5,
    temperature: -3,
    powerState: 'on',
    uptime: 100.25,
  };
  const data = encode({
    reportId,
    machineId,
    metrics: {session: 's', firstSequence: '1', samples: [own]},
  });
  const plain = readPlainReport(data);
  t.deepEqual<object | undefined, object | string>(plain && shown(plain), byContract(data));
  const [first] = plain ? unpacked(plain.samples) : [];
  t.like(first, {memoryTotalBytes: 2 ** 36, load1: 0.5, temperature: -3});
  for (const junk of [new Uint8Array([0xff]), encode([]), encode({}), encode({reportId})])
    t.is(readPlainReport(junk), undefined);
});

/** Mostly what can be; now and then what cannot. */
const rarely = <T>(usual: fc.Arbitrary<T>, unusual: fc.Arbitrary<unknown>) =>
  fc.oneof({arbitrary: usual, weight: 30}, {arbitrary: unusual, weight: 1});
const listOf = (item: fc.Arbitrary<unknown>, length: number) =>
  rarely(fc.array(item, {minLength: length, maxLength: length}), fc.array(item, {maxLength: 4}));
const difference = rarely(
  fc.nat(2 ** 30),
  fc.oneof(fc.integer(), fc.constantFrom<unknown>(0.5, '7', null, 2 ** 60, 'NaN')),
);
const measured = rarely(fc.double({min: 0, max: 100, noNaN: true}), number);
const others = fc.dictionary(
  fc.constantFrom('0', '0', '0', '0', '0', '1', '2', '02', '-1', '400'),
  rarely(
    fc.constant({disks: [{name: 'sda', readBytes: '7'}], powerWatts: 5, cpuUsagePercent: 5}),
    fc.constantFrom<unknown>({fans: [{name: 'fan', rpm: -1}]}, {}, null, 5),
  ),
  {maxKeys: 2},
);
const columns = fc.integer({min: 1, max: 3}).chain(count =>
  fc.record(
    {
      timeMs: listOf(difference, count),
      memoryUsedBytes: listOf(difference, count),
      cpuUsagePercent: listOf(measured, count),
      uptime: listOf(measured, count),
      temperature: listOf(measured, count),
      powerState: rarely(fc.constant('on'), text),
      others: rarely(fc.constant({}), others),
    },
    {requiredKeys: ['timeMs']},
  ),
);

test('columns are read the short way as the contract says, too', t => {
  let read = 0;
  fc.assert(
    fc.property(columns, some => {
      const metricsColumns = {session: 's', firstSequence: '7', ...some};
      const data = encode({reportId, machineId, metricsColumns});
      const plain = readPlainReport(data);
      if (!plain) return;
      read += 1;
      t.deepEqual<object, object | string>(shown(plain), byContract(data));
    }),
    {numRuns: 3000},
  );
  t.true(read > 100, `only ${read} were read`);
});
