import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import test from 'ava';
import type {Command} from 'commander';
import {createProgram} from './program.ts';

const leaves = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

/** As a user of the checkout would, with nothing in the environment but what is given. */
async function muster(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(join(import.meta.dirname, 'bin', 'muster.js'), args, {
    env: {PATH: process.env.PATH, MUSTER_DATA_DIR: '/nonexistent', ...env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += String(data)));
  child.stderr.on('data', (data: Buffer) => (stderr += String(data)));
  const [status] = (await once(child, 'close')) as [number];
  return {status, stdout, stderr};
}

test('every command explains itself with an example', t => {
  const commands = leaves(createProgram('0'));
  t.true(commands.length > 30);
  for (const command of commands) {
    let help = '';
    command.configureOutput({writeOut: text => (help += text)}).outputHelp();
    t.true(help.includes('Example: '), `${command.name()} has no example`);
    t.not(command.description(), '');
  }
});

test('help lists the exit statuses and ends well', async t => {
  const {status, stdout} = await muster(['--help']);
  t.is(status, 0);
  t.regex(stdout, /Exit status: 0 done, 1 failed, 2 wrong usage, 3 server unreachable/);
});

test('a wrong word is wrong usage', async t => {
  const {status, stderr} = await muster(['machines', 'lsit']);
  t.is(status, 2);
  t.regex(stderr, /unknown command 'lsit'/);
});

test('without a server the sentence says how to start one', async t => {
  const {status, stdout, stderr} = await muster(['machines', 'list', '--json'], {
    SERVER_URL: 'http://127.0.0.1:9',
  });
  t.is(status, 3);
  t.is(stdout, '');
  t.regex(stderr, /^Cannot reach the server at http:\/\/127\.0\.0\.1:9 .*npm run up/);
});

test('a setting that makes no sense is named', async t => {
  const {status, stderr} = await muster(['machines', 'list'], {SERVER_URL: 'nonsense'});
  t.is(status, 1);
  t.regex(stderr, /SERVER_URL: "nonsense" is not a URL/);
});

test('logging out where nobody is logged in says so', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-cli-'));
  const {status, stderr} = await muster(['logout'], {
    MUSTER_CREDENTIALS_FILE: join(folder, 'credentials.json'),
  });
  await rm(folder, {recursive: true});
  t.is(status, 1);
  t.regex(stderr, /Nobody is logged in/);
});
