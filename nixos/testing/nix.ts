// The real Nix for tests: Debian's nix-bin on a store of its own, without network.
import {execFile} from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);
const timeLimitMs = 60_000;
const outputBytesMax = 16 * 1024 * 1024;

export const nixFolder = join(import.meta.dirname, '..');

export type Nix = Disposable & {
  readonly folder: string;
  /** Standard output; throws with the standard error. */
  run(program: string, args: readonly string[]): Promise<string>;
  evaluate(expression: string): Promise<unknown>;
};

export function startNix(): Nix {
  const folder = mkdtempSync(join(tmpdir(), 'muster-nix-'));
  const env: Record<string, string> = {PATH: '/usr/bin:/bin', HOME: folder};
  for (const name of ['store', 'state', 'log', 'conf']) {
    mkdirSync(join(folder, name));
    env[`NIX_${name.toUpperCase()}_DIR`] = join(folder, name);
  }
  writeFileSync(
    join(folder, 'conf', 'nix.conf'),
    'sandbox = false\nbuild-users-group =\nsubstituters =\nexperimental-features = nix-command flakes\n',
  );
  const runProgram = async (program: string, args: readonly string[]) => {
    const options = {env, timeout: timeLimitMs, maxBuffer: outputBytesMax};
    return (await run(program, args, options)).stdout;
  };
  return {
    folder,
    run: runProgram,
    async evaluate(expression) {
      const args = ['--eval', '--strict', '--json', '--expr', expression];
      return JSON.parse(await runProgram('nix-instantiate', args));
    },
    [Symbol.dispose]() {
      makeWritable(folder);
      rmSync(folder, {recursive: true, force: true});
    },
  };
}

/** Nix takes the right to write from what is in its store. */
function makeWritable(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) makeWritable(join(path, name));
}

/** Every .nix file of ours, from this folder. */
export const nixFiles = (): string[] =>
  readdirSync(nixFolder, {recursive: true, encoding: 'utf8'})
    .filter(path => path.endsWith('.nix') && !path.startsWith('dist/'))
    .sort();
