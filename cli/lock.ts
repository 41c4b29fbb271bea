import {spawnSync} from 'node:child_process';
import {closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import process from 'node:process';

/**
 * Holds `path` for this process alone; the kernel lets go of it however the process ends (flock(2)). Waits at most `waitSeconds` for
 * another holder, then throws with its pid.
 */
export function lockFile(path: string, what: string, waitSeconds = 0): Disposable {
  mkdirSync(dirname(path), {recursive: true});
  const fd = openSync(path, 'a+', 0o600);
  // The lock belongs to the open file, which the child shares: it stays when flock(1) ends.
  const {status, error} = spawnSync('flock', ['--timeout', String(waitSeconds), '3'], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
  });
  if (status !== 0) {
    closeSync(fd);
    if (error) throw new Error(`Cannot run flock (Debian package util-linux): ${error.message}`);
    const pid = readFileSync(path, 'utf8').trim();
    throw new Error(`${what}, as process ${pid} (lock "${path}"): stop it first`);
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return {[Symbol.dispose]: () => closeSync(fd)};
}
