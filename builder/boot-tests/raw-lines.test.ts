import {once} from 'node:events';
import test from 'ava';
import {createRawLines, goesOn} from './raw-lines.ts';

const esc = '\u001b';

test('lines keep what moves the cursor, and lose their ends', t => {
  const lines: string[] = [];
  const raw = createRawLines(line => lines.push(line));
  raw.add(Buffer.from(`${esc}[2J${esc}[1;1HGRUB\r\n\r\n 10 %\r 5`));
  raw.add(Buffer.from(`0 %\r\r\n${esc}[32m● ok`));
  t.deepEqual(lines, [`${esc}[2J${esc}[1;1HGRUB`, '', ' 10 %\r 50 %']);
  raw.end();
  t.is(lines.at(-1), `${esc}[32m● ok`);
  raw.end();
  t.is(lines.length, 4);
});

test('a letter that comes in two halves stays whole; NUL and the mark itself are dropped', t => {
  const lines: string[] = [];
  const raw = createRawLines(line => lines.push(line));
  const bytes = Buffer.from('é\n');
  raw.add(bytes.subarray(0, 1));
  raw.add(bytes.subarray(1));
  raw.add(Buffer.from(`a\0b${goesOn}c\n`));
  t.deepEqual(lines, ['é', 'abc']);
});

test('what has no end is passed on as a piece that says so', async t => {
  const lines: string[] = [];
  const came = new EventTarget();
  const raw = createRawLines(line => {
    lines.push(line);
    came.dispatchEvent(new Event('line'));
  });
  const passed = once(came, 'line');
  raw.add(Buffer.from('host login: '));
  t.deepEqual(lines, []);
  await passed;
  raw.add(Buffer.from('root\r\n'));
  t.deepEqual(lines, [`host login: ${goesOn}`, 'root']);

  const again = once(came, 'line');
  raw.add(Buffer.from('Password: '));
  await again;
  raw.end();
  raw.end();
  t.deepEqual(lines.slice(2), [`Password: ${goesOn}`, '']);
});

test('pieces are bounded, and put together they are what came', t => {
  const lines: string[] = [];
  const raw = createRawLines(line => lines.push(line));
  const text = Array.from({length: 2_000}, (_, index) => `${esc}[${index % 25};1H${index}🖥`).join(
    '',
  );
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += 999) raw.add(bytes.subarray(from, from + 999));
  raw.add(Buffer.from('\r\nnext\n'));
  t.true(lines.every(line => line.length <= 2_001 && line.isWellFormed()));
  t.is(lines.join('\n').replaceAll(`${goesOn}\n`, ''), `${text}\nnext`);
});
