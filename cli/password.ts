import {readFileSync} from 'node:fs';
import process from 'node:process';
import {createInterface} from 'node:readline/promises';
import {Writable} from 'node:stream';
import {CommandError, exitStatus} from './exit-status.ts';

/** From standard input, for programs. A final line end does not belong to it. */
export function readPassword(): string {
  const password = readFileSync(process.stdin.fd, 'utf8').replace(/\r?\n$/, '');
  if (password === '') throw new CommandError('Standard input held no password', exitStatus.usage);
  return password;
}

/** So many secrets, one a line, from standard input. */
export function readLines(count: number): readonly string[] {
  const lines = readPassword().split(/\r?\n/);
  if (lines.length !== count || lines.includes(''))
    throw new CommandError(`Standard input must hold ${count} lines`, exitStatus.usage);
  return lines;
}

/** At the terminal, without showing what is typed. */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new CommandError(
      'Cannot ask for a password without a terminal: give --password-stdin',
      exitStatus.usage,
    );
  const nowhere = new Writable({write: (_chunk, _encoding, done) => done()});
  const lines = createInterface({input: process.stdin, output: nowhere, terminal: true});
  process.stderr.write(question);
  try {
    return await lines.question('');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
