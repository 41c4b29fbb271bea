import test from 'ava';
import * as fc from 'fast-check';
import {matchesEntityTag, parseRange} from './ranges.ts';

const asks = test.macro({
  exec(t, header: string | undefined, expected: ReturnType<typeof parseRange>) {
    t.deepEqual(parseRange(header, 1000), expected);
  },
  title: (_, header) => `Range: ${String(header)} of 1000 bytes`,
});

test(asks, undefined, undefined);
test(asks, 'bytes=0-99', {first: 0, last: 99});
test(asks, 'bytes=900-', {first: 900, last: 999});
test(asks, 'bytes=-100', {first: 900, last: 999});
test(asks, 'bytes=-5000', {first: 0, last: 999});
test(asks, 'bytes=990-5000', {first: 990, last: 999});
test(asks, 'bytes=1000-', 'unsatisfiable');
test(asks, 'bytes=-0', 'unsatisfiable');
test(asks, 'bytes=5-4', undefined);
test(asks, 'bytes=0-1,5-6', undefined);
test(asks, 'lines=0-1', undefined);
test(asks, 'bytes=-', undefined);
test(asks, 'bytes=0x1-2', undefined);

test('a range never leaves the file', t => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat(), (junk, a, b, size) => {
      for (const header of [junk, `bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`]) {
        const range = parseRange(header, size);
        if (range === undefined || range === 'unsatisfiable') continue;
        t.true(range.first >= 0 && range.first <= range.last && range.last < size);
      }
    }),
  );
});

test('entity tags are found in lists', t => {
  t.true(matchesEntityTag('"a", W/"b"', '"b"'));
  t.true(matchesEntityTag('*', '"b"'));
  t.false(matchesEntityTag('"a"', '"b"'));
  t.false(matchesEntityTag(undefined, '"b"'));
});
