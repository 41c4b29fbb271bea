import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import process from 'node:process';
import {text} from 'node:stream/consumers';

const main = new URL('../../cli/main.ts', import.meta.url).pathname;

type Environment = Readonly<Record<string, string>>;

export type Answer = {
  /** Null: it was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

type Given = {
  /** Its standard input. */
  readonly input?: string;
  /** Where relative paths begin; this checkout when it is left out. */
  readonly cwd?: string;
};

type Host = {readonly serverUrl: string; readonly folder: string};

/** As root on the host of a Muster; a login is saved in its folder. */
export const onHostOf = (muster: Host): Environment => ({
  SERVER_URL: muster.serverUrl,
  MUSTER_DATA_DIR: muster.folder,
  MUSTER_CREDENTIALS_FILE: join(muster.folder, 'credentials.json'),
});

/** From elsewhere, with a token. */
export const withToken = (url: string, token: string): Environment => ({
  SERVER_URL: url,
  MUSTER_TOKEN: token,
});

/** `muster` while it runs. Of this process's environment it has PATH only. */
export const startCommand = (
  words: readonly string[],
  env: Environment,
  {cwd}: Pick<Given, 'cwd'> = {},
): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [main, ...words], {
    env: {PATH: process.env.PATH, ...env},
    ...(cwd === undefined ? {} : {cwd}),
  });

export async function endOf(child: ChildProcessWithoutNullStreams): Promise<Answer> {
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await once(child, 'close')) as [number | null];
  const [stdout, stderr] = await output;
  return {status, stdout, stderr};
}

/** `muster` from a program: without a terminal. */
export function runCommand(
  words: readonly string[],
  env: Environment,
  {input = '', ...where}: Given = {},
): Promise<Answer> {
  const child = startCommand(words, env, where);
  child.stdin.end(input);
  return endOf(child);
}

/** `muster` as root on the host of a Muster. */
export const runOnHost = (
  muster: Host,
  words: readonly string[],
  {env = {}, ...given}: Given & {readonly env?: Environment} = {},
): Promise<Answer> => runCommand(words, {...onHostOf(muster), ...env}, given);

/** What it printed; throws when it did not end well. */
export async function said(
  words: readonly string[],
  env: Environment,
  given?: Given,
): Promise<string> {
  const {status, stdout, stderr} = await runCommand(words, env, given);
  if (status !== 0) throw new Error(`muster ${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** `muster` at a terminal, where somebody types a line once the question is there. Both outputs are one there. */
export async function typeAtTerminal(
  words: readonly string[],
  env: Environment,
  {question, line}: {readonly question: RegExp; readonly line: string},
): Promise<Answer> {
  const quoted = [process.execPath, main, ...words].map(word => `'${word}'`).join(' ');
  const child = spawn(
    'script',
    ['--quiet', '--return', '--flush', '--command', quoted, '/dev/null'],
    {
      env: {PATH: process.env.PATH, TERM: 'dumb', ...env},
    },
  );
  let shown = '';
  let typed = false;
  child.stdout.on('data', (data: Buffer) => {
    shown += String(data);
    if (typed || !question.test(shown)) return;
    typed = true;
    child.stdin.write(`${line}\n`);
  });
  const answer = await endOf(child);
  if (!typed) throw new Error(`Nobody was asked ${String(question)}: ${shown}`);
  return answer;
}
