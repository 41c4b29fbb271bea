import {readFileSync} from 'node:fs';
import process from 'node:process';
import {loadConfig} from './config.ts';
import type {GlobalOptions} from './context.ts';
import {explainFailure} from './exit-status.ts';
import {createProgram} from './program.ts';

const packageFile = new URL('package.json', import.meta.url);
const {version} = JSON.parse(readFileSync(packageFile, 'utf8')) as {readonly version: string};
const program = createProgram(version);

// A reader that has seen enough (`muster … | head`) is no failure.
process.stdout.on('error', error => {
  if ('code' in error && error.code === 'EPIPE') process.kill(process.pid, 'SIGPIPE');
  else throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  const {status, sentence} = explainFailure(error, serverUrl());
  process.exitCode = status;
  if (sentence) process.stderr.write(`${sentence}\n`);
}

function serverUrl(): string {
  const {server} = program.opts<GlobalOptions>();
  if (server) return server;
  try {
    return loadConfig().serverUrl;
  } catch {
    return 'SERVER_URL'; // The failure being explained says what is wrong with the settings.
  }
}
