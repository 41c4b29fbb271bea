// Everything that is checked without running the product: format, lint, types, contract, generated code.
import {spawnSync} from 'node:child_process';
import {env, stdout} from 'node:process';

const bin = 'node_modules/.bin';
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['generated code', [`${bin}/node`, 'scripts/gen.ts']],
  ['generated code is committed', ['git', 'diff', '--exit-code', '--stat', '--', 'proto/gen']],
  [
    'no generated file is missing from git',
    ['bash', '-c', '! git ls-files --others --exclude-standard proto/gen | grep .'],
  ],
  ['contract lint', [`${bin}/buf`, 'lint']],
  ['contract format', [`${bin}/buf`, 'format', '--diff', '--exit-code', 'proto']],
  ['format', [`${bin}/oxfmt`, '--check', '.']],
  ['lint', [`${bin}/oxlint`, '--type-aware', '--deny-warnings']],
  ['types', [`${bin}/tsc`, '-p', '.']],
  ['types of the console', [`${bin}/tsc`, '-p', 'console']],
];

let failed = 0;
for (const [name, [command = '', ...args]] of steps) {
  const {status, stdout: out, stderr} = spawnSync(command, args, {encoding: 'utf8', env});
  if (status !== 0) failed += 1;
  stdout.write(`${status === 0 ? '✔' : '✘'} ${name}\n`);
  if (status !== 0) stdout.write(`${out}${stderr}`);
}

stdout.write(`${steps.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
