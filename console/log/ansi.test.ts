import test from 'ava';
import {parseAnsi, plainText} from './ansi.ts';

const esc = '\u001b';

test('colours and weights become classes of the palette', t => {
  t.deepEqual(parseAnsi(`${esc}[31;1merror:${esc}[0m in ${esc}[92mnginx${esc}[39m.nix`), [
    {text: 'error:', className: 'ansi-red ansi-bold'},
    {text: ' in ', className: ''},
    {text: 'nginx', className: 'ansi-green'},
    {text: '.nix', className: ''},
  ]);
});

test('256 and true colours become the nearest name, and greys stay the text colour', t => {
  const classOf = (codes: string) => parseAnsi(`${esc}[${codes}mx`)[0]?.className;
  t.is(classOf('38;5;196'), 'ansi-red');
  t.is(classOf('38;5;9'), 'ansi-red');
  t.is(classOf('38;2;20;200;30'), 'ansi-green');
  t.is(classOf('48;2;250;240;10;1'), 'ansi-on-yellow ansi-bold');
  t.is(classOf('38;5;244'), '');
  t.is(classOf('38:2:0:0:255'), 'ansi-blue');
});

test('inverse swaps ink and paper, also without colours', t => {
  t.is(parseAnsi(`${esc}[7mx`)[0]?.className, 'ansi-on-text');
  t.is(parseAnsi(`${esc}[33;7mx`)[0]?.className, 'ansi-on-yellow');
});

test('black paper is the page itself, as a console has it anyway', t => {
  t.is(parseAnsi(`${esc}[0;37;40mx`)[0]?.className, 'ansi-white');
  t.is(parseAnsi(`${esc}[30;47mx`)[0]?.className, 'ansi-black ansi-on-white');
  t.is(parseAnsi(`${esc}[7;30;47mx`)[0]?.className, 'ansi-white');
});

test('what moves the cursor, sets titles or rings is left out', t => {
  const line = `${esc}]0;title\u0007a${esc}[2K${esc}[=3h${esc}[!pb${esc}[1;5H${esc}[>4;1mc\u0007${esc}(B${esc}7d`;
  t.is(plainText(line), 'abcd');
  t.is(
    parseAnsi(line)
      .map(({text}) => text)
      .join(''),
    'abcd',
  );
});

test('of a line that was written over, the last writing is shown', t => {
  t.is(plainText(' 10 %\r 50 %\r100 %\r'), '100 %');
  t.is(plainText(`${esc}[K 10 %\r100 %\r\r${esc}[K`), '100 %');
  t.is(plainText(`\r${esc}[K`), '');
});

test('a colour that a line leaves on does not run into the next', t => {
  parseAnsi(`${esc}[31mred`);
  t.deepEqual(parseAnsi('next'), [{text: 'next', className: ''}]);
});
