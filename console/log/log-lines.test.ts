import test from 'ava';
import fc from 'fast-check';
import {feedOf, joinLines, type LogLine, nothingFed} from './log-lines.ts';

const linesOf = (...texts: readonly string[]): LogLine[] => {
  const lines: LogLine[] = [];
  joinLines(lines, texts, 1);
  return lines;
};

test('pieces of a line are put together, up to a length', t => {
  const lines = linesOf('boot', 'login: \u0017', 'root\u0017', '', 'next');
  t.deepEqual(
    lines.map(({text}) => text),
    ['boot', 'login: root', 'next'],
  );
  const menu = Array.from({length: 50}, () => `${'x'.repeat(2_000)}\u0017`);
  t.true(linesOf(...menu).every(({text}) => text.length <= 16_384 + 2_001));
});

test('a terminal is given each line once, with the line end that it had', t => {
  const lines = linesOf('one', 'two\u0017');
  const first = feedOf({lines: [...lines], leftOut: 0}, nothingFed);
  t.like(first, {text: 'one\r\ntwo', isAnew: false});
  t.like(feedOf({lines: [...lines], leftOut: 0}, first.fed), {text: '', isAnew: false});
  joinLines(lines, ['-and', 'three'], 2);
  const second = feedOf({lines: [...lines], leftOut: 0}, first.fed);
  t.like(second, {text: '-and\r\nthree\r\n', isAnew: false});
  t.like(feedOf({lines: [...lines.slice(1), {text: 'four', timeMs: 3}], leftOut: 1}, second.fed), {
    text: 'four\r\n',
    isAnew: false,
  });
});

test('a log that begins anew begins with an empty screen', t => {
  const {fed} = feedOf({lines: linesOf('one', 'two'), leftOut: 0}, nothingFed);
  const cases = [linesOf('one'), linesOf('one', 'other', 'three'), []];
  for (const lines of cases)
    t.like(feedOf({lines, leftOut: 0}, fed), {
      text: lines.map(({text}) => `${text}\r\n`).join(''),
      isAnew: true,
    });
});

test('however a log comes in, the terminal gets what the machine wrote', t => {
  const piece = fc.tuple(fc.string({unit: fc.constantFrom('a', 'b')}), fc.boolean());
  fc.assert(
    fc.property(fc.array(fc.array(piece, {maxLength: 4}), {maxLength: 8}), batches => {
      const lines: LogLine[] = [];
      let fed = nothingFed;
      let text = '';
      for (const batch of batches) {
        joinLines(
          lines,
          batch.map(([words, isWhole]) => (isWhole ? words : `${words}\u0017`)),
          0,
        );
        const next = feedOf({lines: [...lines], leftOut: 0}, fed);
        if (next.isAnew) text = '';
        text += next.text;
        fed = next.fed;
      }
      const wrote = batches.flat().map(([words, isWhole]) => (isWhole ? `${words}\r\n` : words));
      return text === wrote.join('');
    }),
  );
  t.pass();
});
