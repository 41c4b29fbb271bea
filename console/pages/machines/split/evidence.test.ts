import {create} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {GetMachineEvidenceResponseSchema} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import test from 'ava';
import {boxesOf, takenOf, takeText} from './evidence.ts';

type BootWords = readonly [minute: number, ...values: string[]];

const evidenceOf = (boots: readonly BootWords[]) =>
  create(GetMachineEvidenceResponseSchema, {
    boots: boots.map(([minute, ...values]) => ({
      values,
      count: 1,
      lastTime: timestampFromMs(minute * 60_000),
    })),
  });
const boxes = (...boots: readonly BootWords[]) =>
  boxesOf(evidenceOf(boots)).map(({values, bootCount, last}) => [
    values.toSorted().join(' '),
    bootCount,
    Number(last.lastTime?.seconds) / 60,
  ]);

test('boots with a value in common are of one box', t => {
  t.deepEqual(boxes([9, 'm1', 's1'], [8, 'm2', 's2'], [7, 'm1'], [3, 'm3', 's2']), [
    ['m1 s1', 2, 9],
    ['m2 m3 s2', 2, 8],
  ]);
});

test('a boot that has something of two parts makes them one, which booted when the newer did', t => {
  t.deepEqual(boxes([10, 'm1', 's1'], [9, 'm2', 's2'], [8, 'm1'], [7, 'm1', 's2']), [
    ['m1 m2 s1 s2', 4, 10],
  ]);
});

test('what is marked stands in the address; what the record does not have is dropped', t => {
  const items = [
    {kind: 'disk_serial', value: 'A,B%2C'},
    {kind: 'mac', value: '3c:ec:ef:00:00:01'},
  ];
  const {items: known} = create(GetMachineEvidenceResponseSchema, {items});
  const text = takeText(new Set(['A,B%2C', '3c:ec:ef:00:00:01']));
  t.deepEqual([...takenOf(known, text)], ['A,B%2C', '3c:ec:ef:00:00:01']);
  t.deepEqual([...takenOf(known, 'gone')], []);
  t.is(takeText(new Set()), undefined);
});
