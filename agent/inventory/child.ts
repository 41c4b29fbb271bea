import {type ChildProcessByStdio, spawn} from 'node:child_process';
import {once} from 'node:events';
import type {Readable} from 'node:stream';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {parseObject} from '../json.ts';

/** All collectors together at their limits, and the start of Node on a slow machine. */
const childTimeoutMs = 240_000;
const problemLinesMax = 5;

export const collectArgument = '--collect=';

/**
 * Collects in a process of its own that ends afterwards: what the collectors load and read stays out of the agent's resident memory, and a
 * collector that hangs in the kernel takes nothing with it. `command` runs this agent's own program, which prints the inventory
 * (bounded by inventoryBytesMax) as one line.
 */
export async function collectInChild(
  command: readonly string[],
  root: string,
  signal: AbortSignal,
): Promise<HardwareJson> {
  const [program = '', ...args] = command;
  const child = spawn(program, [...args, `${collectArgument}${root}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(childTimeoutMs)]),
    killSignal: 'SIGKILL',
  });
  try {
    const hardware = parseObject(await readAnswer(child));
    if (!hardware) throw new Error('its output is no JSON object');
    return hardware;
  } catch (error) {
    throw new Error('Cannot collect the inventory', {cause: error});
  } finally {
    // A collector that hangs would keep the child alive though it has answered.
    child.kill('SIGKILL');
  }
}

/** The first line; rejects when the child ends without one. */
async function readAnswer(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  const problems: string[] = [];
  eachLine(child.stderr, line => {
    if (problems.length < problemLinesMax) problems.push(line);
  });
  const answer = Promise.withResolvers<string>();
  eachLine(child.stdout, answer.resolve);
  const ended = once(child, 'close').then(() => {
    throw new Error(problems.join(' ').trim() || `status ${child.exitCode ?? child.signalCode}`);
  });
  return Promise.race([answer.promise, ended]);
}

/** What node:readline does for 1.3 MiB of resident memory. A last line need not be ended. */
function eachLine(source: Readable, take: (line: string) => void): void {
  let pieces: string[] = [];
  source.setEncoding('utf8').on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\n');
    pieces.push(first);
    for (const next of others) {
      take(pieces.join(''));
      pieces = [next];
    }
  });
  source.once('end', () => {
    if (pieces.some(piece => piece !== '')) take(pieces.join(''));
  });
}
