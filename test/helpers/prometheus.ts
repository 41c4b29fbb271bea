import {spawn, spawnSync} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createProcess, until} from './processes.ts';
import {freePort} from './ports.ts';

const tools = '/var/lib/muster/tools';

/** What promtool says of these arguments: its exit status and its words. */
export function promtool(args: readonly string[], input = '') {
  const {status, stdout, stderr, error} = spawnSync(`${tools}/promtool`, args, {
    encoding: 'utf8',
    input,
    timeout: 60_000,
  });
  return {status, words: `${stdout}${stderr}${error?.message ?? ''}`};
}

/** Without holding the event loop, for a server that runs in this process. */
export async function promtoolAside(args: readonly string[]) {
  const child = spawn(`${tools}/promtool`, args, {stdio: ['ignore', 'pipe', 'pipe']});
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => (words += String(chunk)));
  const status = await new Promise(resolve => void child.once('close', resolve));
  return {status, words};
}

type Series = {readonly metric: Readonly<Record<string, string>>; readonly value: [number, string]};

/** A real Prometheus with this configuration (YAML), which knows nothing but what it scrapes from now on. */
export async function startPrometheus(folder: string, configuration: string) {
  await using stack = new AsyncDisposableStack();
  const home = join(folder, 'prometheus');
  await mkdir(home, {recursive: true});
  const file = join(home, 'prometheus.yml');
  await writeFile(file, configuration);
  const port = await freePort();
  const log = join(home, 'log');
  const command = [
    `${tools}/prometheus`,
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(home, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const running = createProcess('prometheus', {command, env: {}}, log);
  running.start();
  stack.defer(() => running.stop());

  const read = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const body = (await response.json()) as {readonly data: T; readonly error?: string};
    if (!response.ok) throw new Error(`Cannot read "${path}": ${body.error ?? response.status}`);
    return body.data;
  };
  const query = async (expression: string): Promise<readonly Series[]> =>
    (
      await read<{readonly result: readonly Series[]}>(
        `query?query=${encodeURIComponent(expression)}`,
      )
    ).result;
  const owned = stack.move();
  return {
    read,
    query,
    /** The series of an expression, once there are some. */
    found: (expression: string) =>
      until(`series of ${expression}`, async () => {
        const series = await query(expression);
        return series.length > 0 && series;
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
