// `npm test`: the quick part, then whole machines in QEMU. `--unit` runs the quick part only. Ends with one line that sums all.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process, {argv, execPath, stdout} from 'node:process';

type Result = {readonly passed: number; readonly failed: number};

const parts: readonly (readonly string[])[] = argv.includes('--unit')
  ? [[]]
  : [[], ['--config', 'ava.vm.config.js']];

const sum = {passed: 0, failed: 0};
for (const args of parts) {
  const {passed, failed} = await runAva(args);
  sum.passed += passed;
  sum.failed += failed;
}
stdout.write(`${sum.passed} passed, ${sum.failed} failed\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;

/** A run that ends badly without naming a failed test counts as one failure: nothing may pass by crashing. */
async function runAva(args: readonly string[]): Promise<Result> {
  const child = spawn(execPath, ['node_modules/.bin/ava', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let tail = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.write(chunk);
    tail = (tail + chunk.toString()).slice(-8000);
  });
  const [status] = (await once(child, 'close')) as [number | null];

  const count = (pattern: RegExp) => Number(pattern.exec(tail)?.[1] ?? 0);
  const passed = count(/^\s*(\d+) tests? passed/m);
  const failed =
    count(/^\s*(\d+) tests? failed/m) +
    count(/^\s*(\d+) (?:tests? )?(?:skipped|todo)/m) +
    count(/^\s*(\d+) (?:uncaught exceptions?|unhandled rejections?)/m);
  const silent = status !== 0 || passed === 0;
  return {passed, failed: silent && failed === 0 ? 1 : failed};
}
