import {execFile, type ExecFileException} from 'node:child_process';
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
  /** The same for tools whose exit status is part of the answer: throws only when it takes too long. */
  capture(name: string, args: readonly string[], timeoutMs: number): Promise<string | undefined>;
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
    async capture(name, args, timeoutMs) {
      const path = find(name);
      return path === undefined ? undefined : captureCommand(path, args, timeoutMs);
    },
  };
}

/** Standard output; throws with the standard error when the program fails, and kills it when it takes too long. */
export async function runCommand(
  path: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const {error, stdout, stderr} = await execute(path, args, timeoutMs);
  if (error) throw failure([path, ...args], describe(error, stderr, timeoutMs), error);
  return stdout;
}

/** Standard output, whatever the exit status. */
async function captureCommand(
  path: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const {error, stdout, stderr} = await execute(path, args, timeoutMs);
  const hasEnded = error === null || typeof error.code === 'number';
  if (!hasEnded) throw failure([path, ...args], describe(error, stderr, timeoutMs), error);
  return stdout;
}

type Execution = {
  readonly error: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
};

function execute(path: string, args: readonly string[], timeoutMs: number): Promise<Execution> {
  const options = {
    timeout: timeoutMs,
    maxBuffer: outputBytesMax,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  } as const;
  return new Promise(resolve => {
    execFile(path, args, options, (error, stdout, stderr) => resolve({error, stdout, stderr}));
  });
}

const describe = (error: ExecFileException, stderr: string, timeoutMs: number): string =>
  error.killed ? `no end in ${timeoutMs} ms` : stderr.trim().split('\n')[0] || error.message;

const failure = (command: readonly string[], why: string, cause: Error): Error =>
  new Error(`Cannot run "${command.join(' ')}": ${why}`, {cause});

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
