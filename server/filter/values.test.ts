import test from 'ava';
import {parseBoolean, parseNumber, parseTime} from './values.ts';

test('numbers have units', t => {
  for (const [text, expected] of [
    ['64', 64],
    ['-500', -500],
    ['1.5', 1.5],
    ['64G', 64 * 2 ** 30],
    ['64GiB', 64 * 2 ** 30],
    ['64gb', 64e9],
    ['1.5T', 1.5 * 2 ** 40],
    ['2KB', 2000],
    ['2k', 2048],
    ['G', undefined],
    ['64X', undefined],
    ['64GiBs', undefined],
    ['1e9', undefined],
    ['0x10', undefined],
    ['9000P', undefined],
  ] as const)
    t.is(parseNumber(text), expected, text);
});

test('times are dates, times or so long ago', t => {
  const now = new Date('2026-05-01T12:00:00Z');
  for (const [text, expected] of [
    ['2026-05-01', '2026-05-01T00:00:00.000Z'],
    ['2026-05-01T10:30', '2026-05-01T10:30:00.000Z'],
    ['2026-05-01T10:30:00.5+02:00', '2026-05-01T08:30:00.500Z'],
    ['-7d', '2026-04-24T12:00:00.000Z'],
    ['-90min', '2026-05-01T10:30:00.000Z'],
    ['2026-13-01', undefined],
    ['-999999w', undefined],
    ['7d', undefined],
    ['yesterday', undefined],
  ] as const)
    t.is(parseTime(text, now)?.toISOString(), expected, text);
});

test('truth is said in words', t => {
  t.is(parseBoolean('TRUE'), true);
  t.is(parseBoolean('false'), false);
  t.is(parseBoolean('1'), undefined);
});
