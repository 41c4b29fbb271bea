import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Writable} from 'node:stream';
import test from 'ava';
import {openConsole, renderLine} from './console.ts';

const rendered = test.macro<[string, string | undefined]>((t, line, expected) => {
  t.is(renderLine(line), expected);
});

test('plain text stays', rendered, 'LOG:  ready', 'LOG:  ready');
test('broken JSON stays', rendered, '{"level":30,', '{"level":30,');
test(
  'an entry becomes a sentence with its fields',
  rendered,
  '{"level":30,"time":"2026-11-21T02:33:04.123Z","process":"server","port":8080,"msg":"listening"}',
  '02:33:04 listening  port=8080',
);
test(
  'an error shows its message, not its stack',
  rendered,
  '{"level":50,"time":"2026-11-21T02:33:04.123Z","err":{"message":"disk full","stack":"Error…"},"msg":"cannot write"}',
  '02:33:04 error: cannot write  disk full',
);
test('debug is for the log file', rendered, '{"level":20,"msg":"detail"}', undefined);

test('a log file that is full is set aside once', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-log-'));
  const shown: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      shown.push(String(chunk));
      done();
    },
  });
  {
    using console = openConsole({folder, out, coloured: false});
    console.line('nats', 'first');
    for (let index = 0; index < 700; index += 1) console.line('nats', 'x'.repeat(16 * 1024));
    console.line('nats', 'last');
  }
  t.is(shown[0], 'nats     │ first\n');
  t.true((await readFile(join(folder, 'nats.log.1'), 'utf8')).startsWith('first\n'));
  const current = await readFile(join(folder, 'nats.log'), 'utf8');
  t.true(current.endsWith('last\n'));
  t.true(current.length < 10 * 1024 * 1024);
  await rm(folder, {recursive: true});
});
