import test from 'ava';
import fc from 'fast-check';
import {diffLines, foldSame} from './line-diff.ts';

const signs = {same: ' ', added: '+', removed: '-'};
const written = (before: string, after: string) =>
  diffLines(before, after).map(({kind, text, number}) => `${number}${signs[kind]}${text}`);

test('only what differs is marked, with the number of its line', t => {
  t.deepEqual(written('a\nb\nc', 'a\nB\nc\nd'), ['1 a', '2-b', '2+B', '3 c', '4+d']);
  t.deepEqual(written('x\na\nb', 'a\nb'), ['1-x', '1 a', '2 b']);
  t.deepEqual(written('same', 'same'), ['1 same']);
});

test('both texts can be read back from it', t => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), {maxLength: 12})
    .map(all => all.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      const side = (other: 'added' | 'removed') =>
        lines.flatMap(line => (line.kind === other ? [] : [line.text])).join('\n');
      return side('added') === before && side('removed') === after;
    }),
  );
  t.pass();
});

test('what is far from a change is folded', t => {
  const many = Array.from({length: 20}, (_, index) => `line ${index}`);
  const parts = foldSame(diffLines(many.join('\n'), [...many, 'new'].join('\n')));
  t.deepEqual(parts[0], {skipped: 17});
  t.true(Array.isArray(parts[1]) && parts[1].length === 4);
});
