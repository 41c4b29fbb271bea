import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {open} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';

const lineLengthMax = 4000;
const tailLinesMax = 12;
const outputBytesMax = 16 * 1024 * 1024;
const killStepMs = 5000;

export type ProgramOptions = {
  readonly signal: AbortSignal;
  /** The whole environment of the program besides PATH and LC_ALL. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Every line of standard output and standard error, cut at 4000 characters. */
  readonly onLine?: (line: string) => void;
  /** A file that becomes standard input. */
  readonly inputPath?: string;
  /**
   * Runs in PID and mount namespaces of its own: whatever it starts and mounts ends with it, also when this process is killed.
   * Needs root.
   */
  readonly contained?: boolean;
};

/** A program that ended with an error; the message holds its last lines. */
export class ProgramError extends Error {}

/**
 * Runs a program without a shell and returns its standard output (at most 16 MiB). Never put a secret into `args`: everybody on the
 * host can read them. Aborting interrupts the program's process group, then terminates and kills it, 5 s apart. The program dies with
 * this process (prctl(2), PR_SET_PDEATHSIG).
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  const {signal, onLine, inputPath} = options;
  signal.throwIfAborted();
  await using input = inputPath ? await open(inputPath, 'r') : undefined;
  const child = spawn('setpriv', wrap(command, args, options.contained ?? false), {
    cwd: options.cwd ?? '/',
    env: {PATH: programPath, LC_ALL: 'C.UTF-8', ...options.env},
    detached: true,
    stdio: [input ? input.fd : 'ignore', 'pipe', 'pipe'],
  });

  const {stdout, stderr} = child;
  if (!stdout || !stderr) throw new ProgramError(`Cannot run "${command}": no pipes`);

  const tail: string[] = [];
  const note = (line: string) => {
    if (tail.push(line) > tailLinesMax) tail.shift();
    onLine?.(line);
  };
  const output: Buffer[] = [];
  let outputBytes = 0;
  stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes <= outputBytesMax) output.push(chunk);
  });
  eachLine(stdout, line => onLine?.(line));
  eachLine(stderr, note);

  const stop = stopGroup(child.pid, signal);
  const [code, signalName] = await once(child, 'close')
    .catch((error: unknown) => {
      throw new ProgramError(`Cannot run "${command}": ${String(error)}`);
    })
    .finally(() => stop[Symbol.dispose]());

  signal.throwIfAborted();
  if (code !== 0)
    throw new ProgramError(
      `"${command}" ended with ${signalName ? `signal ${signalName}` : `status ${code}`}: ${tail.join(' | ') || 'no message'}`,
    );
  return Buffer.concat(output).toString('utf8');
}

export const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function wrap(command: string, args: readonly string[], contained: boolean): string[] {
  const namespaces = [
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--',
  ];
  return ['--pdeathsig', 'KILL', '--', ...(contained ? namespaces : []), command, ...args];
}

/** Interrupt, terminate, kill: the group is the child's own, so nothing else is hit. */
function stopGroup(pid: number | undefined, signal: AbortSignal): Disposable {
  const timers: NodeJS.Timeout[] = [];
  const send = (name: NodeJS.Signals) => {
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      // The group is gone already: that is what was asked for.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  const stop = () => {
    send('SIGINT');
    timers.push(setTimeout(() => send('SIGTERM'), killStepMs));
    timers.push(setTimeout(() => send('SIGKILL'), 2 * killStepMs));
  };
  signal.addEventListener('abort', stop, {once: true});
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', stop);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** Calls back for each line; a line without an end is cut and passed on, so memory stays bounded. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  const decoder = new StringDecoder('utf8');
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/[\r\n]+/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line.slice(0, lineLengthMax));
    while (rest.length > lineLengthMax) {
      onLine(rest.slice(0, lineLengthMax));
      rest = rest.slice(lineLengthMax);
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
