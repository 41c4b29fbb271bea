import {once} from 'node:events';
import test from 'ava';
import {createScreen, type Screen, screenColumns, screenRows} from './terminal-screen.ts';

const esc = '\u001b';

async function write(screen: Screen, ...texts: readonly string[]): Promise<void> {
  const there = new EventTarget();
  const told = once(there, 'there');
  const stop = screen.subscribe(() => there.dispatchEvent(new Event('there')));
  screen.write(texts.join(''));
  await told;
  stop();
}

const textOf = (screen: Screen, row: number): string =>
  screen
    .row(row)
    .map(({text}) => text)
    .join('')
    .trimEnd();
const rows = (screen: Screen): readonly string[] =>
  Array.from({length: screen.rowCount()}, (_, row) => textOf(screen, row));

test('what was written over, cleared and positioned is what stands there', async t => {
  using screen = createScreen();
  await write(screen, `old\r\n${esc}[2J${esc}[3;5HGNU GRUB${esc}[5;1H 10 %\r100 %`);
  t.deepEqual(rows(screen).slice(0, 6), ['', '', '    GNU GRUB', '', '100 %', '']);
  t.is(screen.rowCount(), screenRows);
  await write(screen, `${esc}[5;1H${esc}[Kdone`);
  t.is(textOf(screen, 4), 'done');
});

test('bare line feeds begin a line, and what leaves the screen can be scrolled to', async t => {
  using screen = createScreen();
  await write(screen, Array.from({length: 30}, (_, line) => `line ${line}\n`).join(''));
  t.is(textOf(screen, 0), 'line 0');
  t.is(screen.rowCount(), 31);
  t.is(screen.firstRowOfScreen(), 31 - screenRows);
  t.is(textOf(screen, 29), 'line 29');
});

test('so many rows are kept, however many came', async t => {
  using screen = createScreen();
  await write(screen, 'x\n'.repeat(20_000));
  t.is(screen.rowCount(), 5_000 + screenRows);
});

test('colours are those of the list of lines, true ones and inverse ones, too', async t => {
  using screen = createScreen();
  const sgr = (codes: string, text: string) => `${esc}[${codes}m${text}${esc}[0m`;
  await write(
    screen,
    sgr('1;32', 'OK') + sgr('38;2;250;20;20', 'red') + sgr('7', 'chosen') + sgr('37;40', 'plain'),
    sgr('48;5;21', 'blue') + sgr('8', 'hid'),
    `${esc}[?25l`,
  );
  t.deepEqual(
    screen.row(0).map(({text, className}) => [text.trimEnd(), className]),
    [
      ['OK', 'ansi-green ansi-bold'],
      ['red', 'ansi-red'],
      ['chosen', 'ansi-on-text'],
      ['plain', 'ansi-white'],
      ['blue', 'ansi-on-blue'],
      ['', ''],
    ],
  );
});

test('boxes and wide letters keep their columns, the cursor is where it was left', async t => {
  using screen = createScreen();
  await write(screen, `${esc}(0lqk${esc}(B日a`);
  t.deepEqual(screen.row(0), [
    {text: '┌─┐日', className: '', columns: 5},
    {text: 'a', className: '', columns: undefined},
    {text: ' ', className: 'term-cursor', columns: undefined},
    {text: '', className: '', columns: undefined},
  ]);
  await write(screen, `${esc}[?25l`);
  t.false(screen.row(0).some(({className}) => className.includes('term-cursor')));
  await write(screen, `${esc}[!p`);
  t.true(screen.row(0).some(({className}) => className.includes('term-cursor')));
});

test('a long line goes on in the next row', async t => {
  using screen = createScreen();
  await write(screen, 'x'.repeat(screenColumns + 3));
  t.deepEqual(rows(screen).slice(0, 2), ['x'.repeat(screenColumns), 'xxx']);
});

test('a screen that begins anew is empty, after what was written before', async t => {
  using screen = createScreen();
  screen.write('before\n'.repeat(60));
  screen.clear();
  await write(screen, 'after');
  t.is(screen.rowCount(), screenRows);
  t.is(textOf(screen, 0), 'after');
});
