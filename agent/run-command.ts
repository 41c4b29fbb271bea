import {execFile} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {join} from 'node:path';

const outputBytesMax = 4 * 1024 * 1024;
/** The last one is NixOS, which has next to nothing in the others. */
const toolDirectories = [
  'usr/sbin',
  'usr/bin',
  'sbin',
  'bin',
  'run/current-system/sw/bin',
] as const;

export type Tools = {
  /** Undefined when the tree has no such tool. */
  find(name: string): string | undefined;
  /** Standard output. Undefined when the tool is absent; throws when it fails or takes too long. */
  run(name: string, args: readonly string[], timeoutMs: number): Promise<string | undefined>;
};

/** The programs in a tree; "/" is the machine's own. */
export function createTools(root: string): Tools {
  const find = (name: string) =>
    toolDirectories.map(directory => join(root, directory, name)).find(isExecutable);
  return {
    find,
    async run(name, args, timeoutMs) {
      const path = find(name);
      return path === undefined ? undefined : runCommand(path, args, timeoutMs);
    },
  };
}

/** Standard output; throws with the standard error when the program fails, and kills it when it takes too long. */
export function runCommand(
  path: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const options = {
    timeout: timeoutMs,
    maxBuffer: outputBytesMax,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  } as const;
  return new Promise((resolve, reject) => {
    execFile(path, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const why = error.killed
        ? `no end in ${timeoutMs} ms`
        : stderr.trim().split('\n')[0] || error.message;
      reject(new Error(`Cannot run "${[path, ...args].join(' ')}": ${why}`, {cause: error}));
    });
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
