import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {namesOfSetVariables, settings} from './config.ts';
import {CommandError} from './exit-status.ts';

export const isRoot = (): boolean => process.getuid?.() === 0;

/** Runs the same `muster` command through sudo, with the settings of this environment; its exit status becomes ours. */
export async function runAsRoot(command: readonly string[], why: string): Promise<void> {
  const sudo = ['/usr/bin/sudo', '/bin/sudo', '/usr/local/bin/sudo'].find(path => existsSync(path));
  if (!sudo)
    throw new CommandError(
      `Cannot run "muster ${command.join(' ')}" without root (${why}), and there is no sudo here: run it as root`,
    );

  process.stderr.write(
    `muster ${command.join(' ')} needs root (${why}): sudo may ask for your password\n`,
  );
  const names = Object.values(settings).flatMap(({env}) => [env, `${env}_FILE`]);
  const kept = namesOfSetVariables([...names, 'MUSTER_CONFIG']).join(',');
  const preserve = kept ? [`--preserve-env=${kept}`] : [];
  const program = [process.execPath, join(import.meta.dirname, 'main.ts'), ...command];
  const child = spawn(sudo, [...preserve, ...program], {stdio: 'inherit'});
  // The terminal signals the child as well; it decides when this process ends.
  process.on('SIGINT', () => undefined);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}
