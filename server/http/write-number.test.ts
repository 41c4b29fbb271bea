import test from 'ava';
import fc from 'fast-check';
import {writeNumber} from './write-number.ts';

function written(value: number): string {
  const bytes = Buffer.alloc(64, 'x');
  const end = writeNumber(bytes, 3, value);
  return bytes.toString('latin1', 3, end);
}

const corners = [
  0,
  -0,
  1,
  9,
  10,
  9_999_999,
  10_000_000,
  10_000_001,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e21,
  0.001,
  0.01,
  0.1,
  0.5,
  0.05,
  0.005,
  0.0005,
  1e-7,
  1.1,
  1.005,
  999.999,
  1_764_151_234.567,
  999_999_999_999.999,
  1_000_000_000_000.001,
  -1,
  -1.5,
  Number.NaN,
  Infinity,
  -Infinity,
];

test('every number has the text that JavaScript gives it', t => {
  for (const value of corners) t.is(written(value), String(value));
  const same = (value: number) => written(value) === String(value);
  fc.assert(fc.property(fc.double(), same));
  fc.assert(fc.property(fc.maxSafeInteger(), same));
  fc.assert(
    fc.property(fc.nat(2_000_000_000), fc.nat(999), (whole, rest) => same(whole + rest / 1000)),
    {numRuns: 2000},
  );
});
