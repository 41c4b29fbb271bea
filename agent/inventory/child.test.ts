import process from 'node:process';
import test from 'ava';
import {collectInChild} from './child.ts';

const {signal} = new AbortController();
const run = (script: string) => collectInChild([process.execPath, '-e', script, '--'], '/', signal);
const causeOf = async (script: string) => {
  const error = await run(script).catch((problem: unknown) => problem);
  return error instanceof Error ? String(error.cause) : 'it collected';
};

test('the first line is the inventory, in however many pieces it comes', async t => {
  const inventory = {bootMode: 'ü'.repeat(50_000)};
  const text = `Buffer.from(JSON.stringify({bootMode: 'ü'.repeat(50_000)}))`;
  const pieces = `
    const bytes = ${text};
    let at = 0;
    const step = () => {
      if (at >= bytes.length) return process.stdout.write('\\n{"second": 1}\\n');
      // An odd length: characters of two bytes are cut.
      process.stdout.write(bytes.subarray(at, (at += 9999)), () => setImmediate(step));
    };
    step();
  `;
  t.deepEqual<object, object>(await run(pieces), inventory);
  t.deepEqual<object, object>(await run(`process.stdout.write(${text})`), inventory);
});

test('a child that collects nothing says why', async t => {
  const lines = `for (let line = 0; line < 9; line++) console.error('line ' + line); process.exit(3)`;
  t.is(await causeOf(lines), 'Error: line 0 line 1 line 2 line 3 line 4');
  t.is(await causeOf('process.exit(3)'), 'Error: status 3');
  t.is(await causeOf('console.log("[]")'), 'Error: its output is no JSON object');
});
