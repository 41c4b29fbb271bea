import test from 'ava';
import {countOf, listOf, parseBoolean, parseObject, parseTime} from './metal-enrollment-values.ts';

test('times are read as Go and PostgreSQL write them', t => {
  const read = (text: string | undefined) => parseTime(text)?.toISOString();
  t.is(read('2024-02-03 04:05:06'), '2024-02-03T04:05:06.000Z');
  t.is(read('2024-02-03 04:05:06.123456'), '2024-02-03T04:05:06.123Z');
  t.is(read('2024-02-03 04:05:06.123456789+02:00'), '2024-02-03T02:05:06.123Z');
  t.is(read('2024-02-03T04:05:06Z'), '2024-02-03T04:05:06.000Z');
  t.is(read('2024-02-03 04:05:06-0730'), '2024-02-03T11:35:06.000Z');
  t.is(read('2024-02-03 04:05:06+01'), '2024-02-03T03:05:06.000Z');
  t.is(read('2024-02-03 04:05:06.5 +0100 CET m=+0.01'), '2024-02-03T03:05:06.500Z');
  t.is(read('2024-02-03 04:05:06 +0000 UTC'), '2024-02-03T04:05:06.000Z');
  for (const text of [
    undefined,
    '',
    'yesterday',
    '2024-02-03',
    '2024-99-99 00:00:00',
    '1706933106',
  ])
    t.is(read(text), undefined, text);
});

test('values of both databases are one', t => {
  for (const text of ['1', 't', 'true', 'TRUE']) t.true(parseBoolean(text, false), text);
  for (const text of ['0', 'f', 'false', '']) t.false(parseBoolean(text, true), text);
  t.true(parseBoolean(undefined, true));
  t.deepEqual(parseObject('{"a": 1}'), {a: 1});
  for (const text of [undefined, '', ' null ']) t.is(parseObject(text), undefined);
  for (const text of ['[1]', '7', '"a"', '{"a": ', 'NaN']) t.throws(() => parseObject(text));
  t.deepEqual(listOf([{a: 1}, 7, null]), [{a: 1}, {}, {}]);
  t.deepEqual(listOf({a: 1}), []);
  t.is(countOf(3), 3);
  for (const value of ['3', -1, 1.5, 2 ** 60, Number.NaN, null]) t.is(countOf(value), undefined);
});
