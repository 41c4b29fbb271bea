import test from 'ava';
import * as fc from 'fast-check';
import {bucketsOf, fromPoints, mergeBuckets, toPoints, valuesOf} from './metrics-buckets.ts';
import {decodePoints, encodePoints} from './metrics-chunks.ts';
import {fromPoint, type Point, toPoint} from './metrics-points.ts';

const value = fc.oneof(
  fc.integer(),
  fc.maxSafeNat(),
  fc.nat(1_000_000).map(number => number / 100),
  fc.double({noNaN: true, noDefaultInfinity: true}),
);
const points = fc.array(
  fc.record({
    timeMs: fc.integer({min: 1_700_000_000_000, max: 1_700_003_600_000}),
    values: fc
      .dictionary(fc.constantFrom('load1', 'uptime', 'disk/readBytes/sda', 'é/"/\0'), value)
      .map(record => new Map(Object.entries(record))),
  }),
  {maxLength: 40},
);

/** In one order, whatever the order of insertion. */
const plain = (list: readonly Point[]) =>
  list.map(({timeMs, values}) => [timeMs, [...values].sort(([a], [b]) => (a < b ? -1 : 1))]);

test('what was packed is unpacked as it was', t => {
  fc.assert(
    fc.property(points, list => {
      t.deepEqual(plain(decodePoints(encodePoints(list))), plain(list));
    }),
  );
});

test('aggregates of aggregates are the aggregates of the samples', t => {
  const whole = fc.array(
    fc.record({
      timeMs: fc.integer({min: 0, max: 7_200_000}),
      values: fc.nat(1000).map(number => new Map([['load1', number / 8]])),
    }),
  );
  fc.assert(
    fc.property(whole, list => {
      const minutes = fromPoints(decodePoints(encodePoints(toPoints(bucketsOf(list, 60_000)))));
      t.deepEqual(mergeBuckets(minutes, 3_600_000), bucketsOf(list, 3_600_000));
    }),
  );
});

test('a bucket has the average, the least and the most of what there is', t => {
  const at = (timeMs: number, load1: number | undefined) =>
    toPoint({time: new Date(timeMs), load1, powerState: 'on', devices: {'disk/readBytes/sda': 7}});
  const buckets = bucketsOf(
    [at(0, 1), at(59_999, 2), at(30_000, undefined), at(60_000, 9)],
    60_000,
  );
  t.deepEqual(
    buckets.map(({timeMs}) => timeMs),
    [0, 60_000],
  );
  const [first] = buckets;
  const read = (aggregation: 'average' | 'min' | 'max') =>
    first && fromPoint(valuesOf(first, aggregation)).load1;
  t.deepEqual([read('average'), read('min'), read('max')], [1.5, 1, 2]);
  t.deepEqual(first && fromPoint(valuesOf(first, 'max')), {
    time: new Date(0),
    load1: 2,
    powerState: 'on',
    devices: {'disk/readBytes/sda': 7},
  });
  t.is(first?.aggregates.get('')?.count, 3);
});
