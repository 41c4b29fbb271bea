// `npm test`: the quick part, then whole control planes and clients, then whole machines in QEMU. `--unit` runs the quick part only. Ends with one line that sums all.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import process, {argv, execPath, stdout} from 'node:process';

type Result = {readonly passed: number; readonly failed: number};
type Part = {readonly args: readonly string[]; readonly limitMinutes: number};

// A part that hangs is ended and failed: CI has its own limit and would say less.
const whole = ['test/e2e/**', 'test/interop/**'];
const quick: Part = {
  args: ['**/*.test.ts', 'console/**/*.test.tsx', ...whole.map(path => `!${path}`)],
  limitMinutes: 25,
};
const system: Part = {args: whole, limitMinutes: 30};
const machines: Part = {args: ['--config', 'ava.vm.config.js'], limitMinutes: 60};

const sum = {passed: 0, failed: 0};
for (const part of argv.includes('--unit') ? [quick] : [quick, system, machines]) {
  const {passed, failed} = await runAva(part);
  sum.passed += passed;
  sum.failed += failed;
}
stdout.write(`${sum.passed} passed, ${sum.failed} failed\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;

/** A run that ends badly without naming a failed test counts as one failure: nothing may pass by crashing. */
async function runAva({args, limitMinutes}: Part): Promise<Result> {
  const child = spawn(execPath, ['node_modules/.bin/ava', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMinutes * 60_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.write(chunk);
    output += chunk.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];

  // AVA tells how many passed only when all did.
  const passed = output.match(/^\s*✔ /gm)?.length ?? 0;
  const summary = output.slice(-8000);
  const count = (pattern: RegExp) => Number(pattern.exec(summary)?.[1] ?? 0);
  const failed =
    count(/^\s*(\d+) tests? failed/m) +
    count(/^\s*(\d+) (?:tests? )?(?:skipped|todo)/m) +
    count(/^\s*(\d+) (?:uncaught exceptions?|unhandled rejections?)/m);
  const silent = status !== 0 || passed === 0;
  return {passed, failed: silent && failed === 0 ? 1 : failed};
}
