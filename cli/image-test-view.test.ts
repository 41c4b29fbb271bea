import test from 'ava';
import {consoleLine} from './image-test-view.ts';

const esc = '\u001b';

test('what a machine wrote does not steer the terminal of whoever reads it', t => {
  t.is(consoleLine(`${esc}[2J${esc}[=3h${esc}[1;1H${esc}[01;31mred${esc}[0m\u0007`), 'red');
  t.is(
    consoleLine(`${esc}]0;title\u0007a${esc}]52;c;aGk=${esc}\\b${esc}7c${esc}(B${esc}cd`),
    'abcd',
  );
  t.is(consoleLine(`\u009b31mé\u0085● ok\tdone\u0017`), 'é● ok\tdone');
});

test('of a line that was written over, the last writing is shown', t => {
  t.is(consoleLine(`${esc}[K 10 %\r 50 %\r100 %\r${esc}[K`), '100 %');
  t.is(consoleLine(`${esc}[2J`), '');
});
