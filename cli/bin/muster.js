#!/usr/bin/env node
// Runs cli/main.ts with the Node that the checkout brings. Plain JavaScript, for any Node from 20 on.
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const cli = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(cli);
const node = join(root, 'node_modules', 'node', 'bin', 'node');

if (existsSync(node)) {
  const main = join(cli, 'main.ts');
  const child = spawn(node, [main, ...process.argv.slice(2)], {stdio: 'inherit'});
  // A terminal signals the child too, and twice would be once too much; anybody else signals this process alone.
  const atTerminal = [process.stdin, process.stdout, process.stderr].some(({isTTY}) => isTTY);
  process.on('SIGINT', () => atTerminal || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', error => {
    console.error(`Cannot run "${node}": ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (!signal) process.exitCode = code ?? 1;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
} else {
  console.error(`Cannot find "${node}": run "npm run up" or "npm install" in ${root} first`);
  process.exitCode = 1;
}
