import test from 'ava';
import {findLines, linesText, parseLines, splitMatches} from './log-search.ts';

test('a search looks at what people read, not at escapes, and case does not count', t => {
  const lines = [{text: '\u001b[31mErr\u001b[0mor: no'}, {text: 'fine'}, {text: 'an ERROR'}];
  t.deepEqual(findLines(lines, 'error'), [0, 2]);
  t.deepEqual(findLines(lines, '[31m'), []);
  t.deepEqual(findLines(lines, ''), []);
});

test('lines of the address are numbers from one, in either order', t => {
  t.deepEqual(parseLines('12'), {from: 12, to: 12});
  t.deepEqual(parseLines('40-12'), {from: 12, to: 40});
  for (const wrong of [undefined, '', '0', 'a', '1-', '-3', '1-2-3'])
    t.is(parseLines(wrong), undefined, wrong);
  t.is(linesText({from: 3, to: 3}), '3');
  t.is(linesText({from: 3, to: 9}), '3-9');
});

test('each place of a match is marked', t => {
  t.deepEqual(splitMatches('nginx and Nginx', 'nginx'), [
    {text: 'nginx', isMatch: true},
    {text: ' and ', isMatch: false},
    {text: 'Nginx', isMatch: true},
  ]);
});
