import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {freePort} from '../../test/helpers/ports.ts';

const main = join(import.meta.dirname, '..', 'main.ts');
const startLimitMs = 120_000;
const stopLimitMs = 60_000;
const pollMs = 50;

type Up = {readonly child: ChildProcess; output(): string; saw(words: string): Promise<void>};

function startUp(env: Readonly<Record<string, string>>): Up {
  const child = spawn(process.execPath, [main, 'up'], {env, stdio: ['ignore', 'pipe', 'pipe']});
  let output = '';
  const read = (data: Buffer) => void (output += String(data));
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  return {
    child,
    output: () => output,
    async saw(words) {
      const deadlineMs = performance.now() + startLimitMs;
      while (!output.includes(words)) {
        if (performance.now() > deadlineMs || child.exitCode !== null)
          throw new Error(`"muster up" did not say "${words}":\n${output}`);
        await delay(pollMs);
      }
    },
  };
}

/** Every process of this data folder: its command line or its environment names it. */
function processesOf(folder: string): readonly number[] {
  const names = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder);
    } catch {
      return false; // It ended in the meantime.
    }
  };
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && name !== String(process.pid))
    .filter(pid => names(pid, 'cmdline') || names(pid, 'environ'))
    .map(Number);
}

async function untilNoneOf(folder: string): Promise<void> {
  const deadlineMs = performance.now() + stopLimitMs;
  while (processesOf(folder).length > 0) {
    if (performance.now() > deadlineMs)
      throw new Error(`Still there: ${processesOf(folder).join(', ')}`);
    await delay(pollMs);
  }
}

async function muster(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (data: Buffer) => (stdout += String(data)));
  const [status] = (await once(child, 'close')) as [number];
  return {status, stdout};
}

test('up starts everything, leaves nobody behind when it is killed, and starts again on its data', async t => {
  t.timeout(300_000);
  const folder = await mkdtemp(join(tmpdir(), 'muster-up-'));
  await chmod(folder, 0o755);
  const ports = ['SERVER_PORT', 'EDGE_HTTP_PORT', 'TFTP_PORT', 'NATS_PORT', 'BUILDER_PORT'];
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    MUSTER_DATA_DIR: folder,
    MUSTER_CREDENTIALS_FILE: join(folder, 'credentials.json'),
  };
  for (const name of ports) env[name] = String(await freePort());
  env.SERVER_URL = `http://127.0.0.1:${env.SERVER_PORT}`;

  try {
    const first = startUp(env);
    await first.saw('Muster is ready');
    t.regex(first.output(), /http:\/\/\S+\/setup#\S+/);
    const services = await muster(env, 'services', 'list', '--json');
    t.is(services.status, 0);
    t.like(JSON.parse(services.stdout), {length: 2});

    const second = startUp(env);
    await second.saw(`runs already, as process ${first.child.pid}`);

    t.true(processesOf(folder).length > 5);
    first.child.kill('SIGKILL');
    await untilNoneOf(folder);

    const third = startUp(env);
    await third.saw('Muster is ready');
    const again = await muster(env, 'services', 'list', '--json');
    t.deepEqual(ids(again.stdout), ids(services.stdout));

    const ended = once(third.child, 'exit');
    third.child.kill('SIGINT');
    t.deepEqual(await ended, [0, null], third.output());
    t.deepEqual(processesOf(folder), []);
    t.false(third.output().includes('fatal'));
  } finally {
    for (const pid of processesOf(folder)) process.kill(pid, 'SIGKILL');
    await rm(folder, {recursive: true, force: true});
  }
});

const ids = (json: string): readonly string[] =>
  (JSON.parse(json) as readonly {readonly id: string}[]).map(({id}) => id).toSorted();
