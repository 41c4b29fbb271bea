import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';
import {temporaryFolder} from './testing/edge.ts';
import {prepareEdgeState, serialOf} from './testing/prepared-state.ts';

const mainFile = path.join(import.meta.dirname, 'main.ts');

function start(env: Readonly<Record<string, string>>): ChildProcess & AsyncDisposable {
  const child = spawn(process.execPath, [mainFile], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  });
}

/** The line of the log with this message. */
async function logLine(child: ChildProcess, message: string): Promise<Record<string, unknown>> {
  if (!child.stdout) throw new Error('The process has no standard output');
  for await (const line of createInterface({input: child.stdout})) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry.msg === message) return entry;
  }
  throw new Error(`The process ended without saying "${message}"`);
}

test('the process answers for 10,000 machines from its last snapshot, and ends cleanly', async t => {
  await using folder = await temporaryFolder();
  await prepareEdgeState(folder.path, 10_000);
  await using child = start({
    EDGE_STATE_DIR: folder.path,
    EDGE_HTTP_PORT: '0',
    HTTP_HOST: '127.0.0.1',
    TFTP_PORT: '0',
    SERVER_URL: 'http://127.0.0.1:9',
  });
  const {httpPort, machines} = await logLine(child, 'edge listens');
  t.is(machines, 10_000);
  for (const index of [0, 4242, 9999]) {
    const url = `http://127.0.0.1:${String(httpPort)}/nixos/machines/${serialOf(index)}.ipxe`;
    t.regex(await (await fetch(url)).text(), /^#!ipxe\necho Muster: starting image /);
  }

  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.is(code, 0);
});

test('bad settings are named, all at once, before anything is opened', async t => {
  await using child = start({EDGE_HTTP_PORT: '99999', SERVER_URL: 'ftp://x', EDGE_TFTP: 'maybe'});
  const {err} = await logLine(child, 'cannot start');
  for (const name of ['EDGE_HTTP_PORT', 'SERVER_URL', 'EDGE_TFTP'])
    t.true(JSON.stringify(err).includes(name), name);
});

test('a port in use is an error that ends the process', async t => {
  await using folder = await temporaryFolder();
  await using second = await temporaryFolder();
  const env = {HTTP_HOST: '127.0.0.1', EDGE_TFTP: 'false', SERVER_URL: 'http://127.0.0.1:9'};
  await using first = start({...env, EDGE_STATE_DIR: folder.path, EDGE_HTTP_PORT: '0'});
  const {httpPort} = await logLine(first, 'edge listens');
  await using other = start({
    ...env,
    EDGE_STATE_DIR: second.path,
    EDGE_HTTP_PORT: String(httpPort),
  });
  const {err} = await logLine(other, 'cannot start');
  t.regex(JSON.stringify(err), /EADDRINUSE/);
  const [code] = other.exitCode === null ? await once(other, 'exit') : [other.exitCode];
  t.is(code, 1);
});
