import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {open, readFile} from 'node:fs/promises';
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';

const lineLengthMax = 4000;
const jsonLineLengthMax = 1024 * 1024;
const tailLinesMax = 12;
const outputBytesMax = 16 * 1024 * 1024;
const defaultKillStepMs = 5000;

export type ProgramOptions = {
  readonly signal: AbortSignal;
  /** The whole environment of the program besides PATH and LC_ALL. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Every line of standard output and standard error, cut at 4000 characters. */
  readonly onLine?: (line: string) => void;
  /** Standard output as it comes, for what has to be seen before its line ends. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** A file that becomes standard input. */
  readonly inputPath?: string;
  /**
   * Runs in PID and mount namespaces of its own: whatever it starts and mounts ends with it, also when this process is killed.
   * Needs root.
   */
  readonly contained?: boolean;
  /** Runs in a network namespace of its own that has no way out. Needs root. */
  readonly offline?: boolean;
  /** RLIMIT_AS of the program and of what it starts. */
  readonly addressSpaceBytesMax?: number;
  /** What the program gets when this process dies. One that has to end its own children first wants INT. */
  readonly deathSignal?: 'KILL' | 'INT';
  /** Time between interrupting, terminating and killing; 5 s unless given. */
  readonly killStepMs?: number;
  /** Of standard error only, with up to 1 MiB of each line: for programs that speak JSON there. Replaces `onLine`. */
  readonly onErrorLine?: (line: string) => void;
};

/** A program that ended with an error; the message holds its last lines. */
export class ProgramError extends Error {}

export type ProgramEnd = {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signalName: string | undefined;
  readonly output: string;
  /** The last lines of standard error. */
  readonly tail: readonly string[];
};

/** As `runToEnd`; a program that does not succeed throws. Returns its standard output. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  const {status, signalName, output, tail} = await runToEnd(command, args, options);
  if (status !== 0)
    throw new ProgramError(
      `"${command}" ended with ${signalName ? `signal ${signalName}` : `status ${status}`}: ${tail.join(' | ') || 'no message'}`,
    );
  return output;
}

/**
 * Runs a program without a shell and returns how it ended, with its standard output (at most 16 MiB). Never put a secret into `args`:
 * everybody on the host can read them. Aborting interrupts the program's process group, then terminates and kills it with all that it
 * started, 5 s apart. The program dies with this process (prctl(2), PR_SET_PDEATHSIG).
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramEnd> {
  const {signal, onLine, onErrorLine, inputPath} = options;
  signal.throwIfAborted();
  await using input = inputPath ? await open(inputPath, 'r') : undefined;
  const child = spawn('setpriv', wrap(command, args, options), {
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
    options.onOutput?.(chunk);
    outputBytes += chunk.length;
    if (outputBytes <= outputBytesMax) output.push(chunk);
  });
  eachLine(stdout, line => onLine?.(line));
  if (onErrorLine) eachLine(stderr, onErrorLine, {lengthMax: jsonLineLengthMax, dropRest: true});
  else eachLine(stderr, note);

  const stop = stopGroup(child.pid, signal, options.killStepMs ?? defaultKillStepMs);
  const [status, signalName] = (await once(child, 'close')
    .catch((error: unknown) => {
      throw new ProgramError(`Cannot run "${command}": ${String(error)}`);
    })
    .finally(() => stop[Symbol.dispose]())) as [number | null, string | null];

  signal.throwIfAborted();
  return {
    status: status ?? undefined,
    signalName: signalName ?? undefined,
    output: Buffer.concat(output).toString('utf8'),
    tail,
  };
}

/** Debian's places, then those of NixOS and of Nix on other systems. */
export const programPath =
  '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin';

function wrap(command: string, args: readonly string[], options: ProgramOptions): string[] {
  const {contained, offline, addressSpaceBytesMax, deathSignal = 'KILL'} = options;
  return [
    ...['--pdeathsig', deathSignal, '--'],
    ...(addressSpaceBytesMax ? ['prlimit', `--as=${addressSpaceBytesMax}`, '--'] : []),
    ...(offline ? ['unshare', '--net', '--'] : []),
    ...(contained
      ? ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--']
      : []),
    command,
    ...args,
  ];
}

/** Interrupt, terminate, kill: the group is the child's own, so nothing else is hit. */
function stopGroup(pid: number | undefined, signal: AbortSignal, killStepMs: number): Disposable {
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
    timers.push(setTimeout(() => void kill(), 2 * killStepMs));
  };
  // What the program started in sessions of its own is no part of the group, and nobody ends it once the program is gone.
  const kill = async () => {
    const descendants = pid === undefined ? [] : await findDescendants(pid);
    send('SIGKILL');
    for (const descendant of descendants) killOne(descendant);
  };
  signal.addEventListener('abort', stop, {once: true});
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', stop);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

const descendantsMax = 10_000;

/** proc_pid_task_children(5). What vanishes meanwhile has no descendants. */
async function findDescendants(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const queue = [pid]; queue.length > 0 && found.length < descendantsMax;) {
    const next = queue.shift();
    const text = await readFile(`/proc/${next}/task/${next}/children`, 'utf8').catch(() => '');
    const children = text.split(' ').filter(Boolean).map(Number);
    found.push(...children);
    queue.push(...children);
  }
  return found;
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Calls back for each line. One that is too long comes in pieces, or only its beginning when `dropRest` is set, so memory stays bounded.
 */
export function eachLine(
  stream: Readable,
  onLine: (line: string) => void,
  {lengthMax = lineLengthMax, dropRest = false} = {},
): void {
  let rest = '';
  let dropping = false;
  const decoder = new StringDecoder('utf8');
  const pass = (line: string) => {
    if (!dropping && line !== '') onLine(line.slice(0, lengthMax));
    dropping = false;
  };
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/[\r\n]+/);
    rest = lines.pop() ?? '';
    for (const line of lines) pass(line);
    while (rest.length > lengthMax) {
      if (!dropping) onLine(rest.slice(0, lengthMax));
      dropping = dropRest;
      rest = dropRest ? '' : rest.slice(lengthMax);
    }
  });
  stream.on('end', () => pass(rest));
}
