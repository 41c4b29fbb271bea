import test from 'ava';
import fc from 'fast-check';
import {addSequences, type SequenceRanges} from './sequence-ranges.ts';

test('counts each number once, in whatever order they come', t => {
  const numbers = fc.array(fc.nat({max: 60}), {maxLength: 200});
  fc.assert(
    fc.property(numbers, sequence => {
      let ranges: SequenceRanges = [];
      const seen = new Set<number>();
      for (const number of sequence) {
        const next = addSequences(ranges, number);
        if ((next === undefined) !== seen.has(number)) return false;
        ranges = next ?? ranges;
        seen.add(number);
      }
      const covered = ranges.flatMap(([first, last]) =>
        Array.from({length: last - first + 1}, (_, index) => first + index),
      );
      const apart = ranges.every(([first], index) => first > (ranges[index - 1]?.[1] ?? -2) + 1);
      return apart && covered.length === seen.size && covered.every(number => seen.has(number));
    }),
  );
  t.pass();
});

test('numbers that come together are added when none of them came before', t => {
  const spans = fc.array(fc.tuple(fc.nat({max: 60}), fc.nat({max: 20})), {maxLength: 30});
  fc.assert(
    fc.property(spans, all => {
      let ranges: SequenceRanges = [];
      let one: SequenceRanges = [];
      for (const [first, more] of all) {
        const numbers = Array.from({length: more + 1}, (_, index) => first + index);
        let each: SequenceRanges | undefined = one;
        for (const number of numbers) each = each && addSequences(each, number);
        const together = addSequences(ranges, first, first + more);
        t.deepEqual(together, each);
        one = each ?? one;
        ranges = together ?? ranges;
      }
    }),
  );
});

test('gives up the oldest gap rather than grow without end', t => {
  let ranges: SequenceRanges = [];
  for (let number = 0; number < 4000; number += 2) ranges = addSequences(ranges, number) ?? ranges;
  t.is(ranges.length, 512);
  t.is(addSequences(ranges, 1), undefined);
  t.not(addSequences(ranges, 3997), undefined);
});
