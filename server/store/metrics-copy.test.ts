import {randomUUID} from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {createPartition} from './metrics-partitions.ts';
import {copySamples, encodeSamples} from './metrics-copy.ts';
import {listSamples, type Sample} from './metrics.ts';

const since = new Date('2026-03-01T00:00:00Z');
const until = new Date('2026-03-02T00:00:00Z');

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, {nil: undefined});
const number = optional(fc.double({noNaN: true, noDefaultInfinity: true}));
const count = optional(fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constant(2 ** 32)));
const text = fc.string({unit: 'binary', maxLength: 32}).filter(value => !value.includes('\0'));
const measurements = fc.record({
  cpuUsagePercent: number,
  memoryUsedBytes: count,
  memoryTotalBytes: count,
  diskUsedBytes: count,
  diskTotalBytes: count,
  networkRxBytes: count,
  networkTxBytes: count,
  load1: number,
  load5: number,
  load15: number,
  temperature: number,
  powerState: optional(text),
  uptime: number,
  devices: optional(fc.dictionary(fc.constantFrom('disk/a/ä', 'fan/b/🌀', '"'), fc.nat())),
});

const known = (sample: object) =>
  Object.fromEntries(
    Object.entries(sample)
      .filter(([, value]) => value !== undefined)
      // The sign of zero is nothing that anybody measures, and JSON.parse of a row keeps it.
      .map(([name, value]) => [name, Object.is(value, -0) ? 0 : value]),
  );

test('whatever a sample holds is what the table has', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  await createPartition(sql, 'metrics', since);
  const [one, other] = [
    await createTestMachine(sql, 'active'),
    await createTestMachine(sql, 'active'),
  ];
  const all = fc.sample(measurements, {numRuns: 1200, seed: 5}).map((own, index): Sample => ({
    ...own,
    machineId: index % 3 === 0 ? other : one,
    time: new Date(since.getTime() + index * 1000 + 7),
  }));
  await copySamples(sql, all);
  for (const machineId of [one, other]) {
    const read = await listSamples(sql, {machineId, since, until, limit: 5000});
    const sent = all.filter(sample => sample.machineId === machineId);
    t.deepEqual(read.map(known).toReversed(), sent.map(known));
  }
});

test('a row has the places of its fields in the binary format of COPY', t => {
  const machineId = randomUUID();
  const row = encodeSamples([{machineId, time: new Date('2000-01-01T00:00:01Z'), load1: 0.5}]);
  const expected = [
    '0010',
    `00000010${machineId.replaceAll('-', '')}`,
    '0000000800000000000f4240',
    'ffffffff',
    '000000083fe0000000000000',
    'ffffffff'.repeat(12),
  ];
  t.is(row.toString('hex'), expected.join(''));
});
