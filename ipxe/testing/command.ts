import {execFile} from 'node:child_process';

const timeoutMs = 30_000;

/** Runs an independent program of Debian; a missing one is an error that names its package. */
export function runCommand(
  command: string,
  args: readonly string[],
  debianPackage: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], {timeout: timeoutMs}, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (error.code === 'ENOENT')
        reject(new Error(`Cannot run "${command}": install the Debian package "${debianPackage}"`));
      else reject(new Error(`"${command}" failed: ${stderr || stdout}`, {cause: error}));
    });
  });
}
