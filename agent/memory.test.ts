import {execFile} from 'node:child_process';
import process from 'node:process';
import {promisify} from 'node:util';
import test from 'ava';

/** MiB that it gives back of some 60. */
async function released(...flags: readonly string[]): Promise<number> {
  const script = `
    import {releaseMemory} from './agent/memory.ts';
    let junk = Array.from({length: 1_000_000}, (_, at) => [at, at]);
    junk = undefined;
    const before = process.memoryUsage().heapUsed;
    releaseMemory();
    console.log((before - process.memoryUsage().heapUsed) / 2 ** 20);
  `;
  const args = [...flags, '--input-type=module', '-e', script];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

test('what nobody needs any more is given back, where Node was started so that it can be', async t => {
  t.true((await released('--expose-gc')) > 30);
  t.true(Math.abs(await released()) < 5);
});
