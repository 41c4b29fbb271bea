import {randomUUID} from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import {fromMetricsMessage} from '../rpc/metrics-messages.ts';
import {parseReport} from './parse-report.ts';
import {readPlainReport} from './plain-samples.ts';

const machineId = randomUUID();
const reportId = randomUUID();
const encode = (report: object) => new TextEncoder().encode(JSON.stringify(report));

/** What the contract makes of it; a text says why it is none. */
function byContract(data: Uint8Array) {
  const parsed = parseReport({subject: `muster.reports.agent.${machineId}.metrics`, data});
  if (typeof parsed === 'string') return parsed;
  if (parsed.report.body.case !== 'metrics') return 'no metrics';
  const {session, firstSequence, samples} = parsed.report.body.value;
  return {
    reportId: parsed.report.reportId,
    machineId,
    session,
    firstSequence: Number(firstSequence),
    samples: samples.map(sample => known(fromMetricsMessage(sample))),
  };
}

const known = (sample: object) =>
  Object.fromEntries(Object.entries(sample).filter(([, value]) => value !== undefined));

const shown = (report: object | undefined) => {
  const {samples = [], ...others} = (report ?? {}) as {samples?: readonly object[]};
  return {...others, samples: samples.map(known)};
};

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
        t.deepEqual(shown(plain), byContract(data) as object);
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
  t.deepEqual(shown(plain), byContract(data) as object);
  t.like(plain?.samples[0], {memoryTotalBytes: 2 ** 36, load1: 0.5, temperature: -3});
  for (const junk of [new Uint8Array([0xff]), encode([]), encode({}), encode({reportId})])
    t.is(readPlainReport(junk), undefined);
});
