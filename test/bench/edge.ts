import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execPath} from 'node:process';
import {promisify} from 'node:util';
import {uuidv7} from '@muster/runtime/ids.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {freePort} from '../helpers/ports.ts';
import {createProcess, ready, until} from '../helpers/processes.ts';
import {bareNode, cpuSeconds, median, print} from './measure.ts';

const machineCount = 10_000;
const tagCount = 2000;
const rounds = 5;
const roundSeconds = 3;
const connections = 64;
const nginx = '/var/lib/muster/tools/nginx';

const tagOf = (index: number) => `BENCH${String(index).padStart(5, '0')}`;

/** Ready time with 10,000 machines, and a known machine's script against nginx serving the same bytes. */
export async function benchEdge(): Promise<void> {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  await seedMachines(muster);
  const scriptUrl = (index: number) => `${muster.edgeUrl}/nixos/machines/${tagOf(index)}.ipxe`;
  await until(
    'the answer book of all machines',
    async () => {
      const text = await (await fetch(scriptUrl(machineCount - 1))).text();
      return text.includes('/boot/token.cpio') && text;
    },
    120_000,
  );
  await benchStart(muster);
  await benchScripts(muster, scriptUrl);
}

async function seedMachines({postgres: {sql}}: Muster): Promise<void> {
  const now = new Date();
  for (let start = 0; start < machineCount; start += 1000) {
    const rows = Array.from({length: 1000}, (_, offset) => {
      const index = start + offset;
      const tail = index.toString(16).padStart(4, '0');
      return {
        id: uuidv7(),
        state: 'enrolled',
        serviceTag: tagOf(index),
        macAddress: `02:00:00:00:${tail.slice(0, 2)}:${tail.slice(2)}`,
        stateTime: now,
        createTime: now,
        updateTime: now,
      };
    });
    await sql`insert into machines ${sql(rows)}`;
  }
  await sql`select pg_notify('events', '')`;
}

/** From its snapshot, with the server away: the worst morning. */
async function benchStart(muster: Muster): Promise<void> {
  const base = await bareNode(execPath);
  await new Promise(resolve => setTimeout(resolve, 5000));
  await muster.edge.stop();
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const since = performance.now();
    muster.edge.start();
    await until(
      'the edge',
      async () => (await fetch(`${muster.edgeUrl}/nixos/machines/${tagOf(1)}.ipxe`)).ok,
    );
    times.push(performance.now() - since);
    await muster.edge.stop();
  }
  muster.edge.start();
  await ready(`${muster.edgeUrl}/readyz`);
  const time = median(times);
  print({
    what: `edge ready with ${machineCount} machines`,
    value: `${time.toFixed(0)} ms`,
    base: `${(time / base.startMs).toFixed(1)} × bare node start (${base.startMs.toFixed(0)} ms)`,
    limit: '≤ 1 s',
    met: time <= 1000,
  });
}

async function benchScripts(muster: Muster, scriptUrl: (index: number) => string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  try {
    const port = await freePort();
    const base = await startNginx(folder, port, scriptUrl);
    const lua = join(folder, 'tags.lua');
    await writeFile(
      lua,
      `local i=0\nrequest=function() i=(i*7+13)%${tagCount}; return wrk.format("GET", string.format("/nixos/machines/BENCH%05d.ipxe", i)) end\n`,
    );
    const contenders = [
      {name: 'nginx', url: `http://127.0.0.1:${port}/`, pid: await nginxWorker(base.pid ?? 0)},
      {name: 'edge', url: `${muster.edgeUrl}/`, pid: muster.edge.pid ?? 0},
    ];
    const ratios = {rate: [] as number[], cpu: [] as number[]};
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      const results = new Map<string, {rate: number; cpuPerRequest: number}>();
      for (const {name, url, pid} of order) {
        const before = cpuSeconds(pid);
        const rate = await wrk(url, lua);
        const cpuPerRequest = (cpuSeconds(pid) - before) / (rate * roundSeconds);
        results.set(name, {rate, cpuPerRequest});
      }
      const [edge, other] = [results.get('edge'), results.get('nginx')];
      if (!edge || !other) throw new Error('A contender did not run');
      ratios.rate.push(edge.rate / other.rate);
      ratios.cpu.push(edge.cpuPerRequest / other.cpuPerRequest);
    }
    await base.stop();
    const [rate, cpu] = [median(ratios.rate), median(ratios.cpu)];
    print({
      what: "known machine's script, keep-alive, rate",
      value: `${rate.toFixed(2)} × nginx`,
      base: 'nginx, one worker, same bytes',
      limit: '≥ 0.8 ×',
      met: rate >= 0.8,
    });
    print({
      what: "known machine's script, CPU per request",
      value: `${cpu.toFixed(2)} × nginx`,
      base: 'nginx, one worker, same bytes',
      limit: '≤ 1.6 ×',
      met: cpu <= 1.6,
    });
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** The strongest ordinary set-up: static files of the very bytes, open_file_cache, one worker. */
async function startNginx(folder: string, port: number, scriptUrl: (index: number) => string) {
  const www = join(folder, 'www/nixos/machines');
  await mkdir(www, {recursive: true});
  for (let index = 0; index < tagCount; index += 1)
    await writeFile(
      join(www, `${tagOf(index)}.ipxe`),
      await (await fetch(scriptUrl(index))).text(),
    );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off; worker_processes 1; error_log ${folder}/error.log; pid ${folder}/pid; user root;
events { worker_connections 8192; }
http { access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000; default_type text/plain;
  open_file_cache max=20000 inactive=60s; open_file_cache_valid 60s; ${temporary}
  server { listen 127.0.0.1:${port} backlog=4096; root ${folder}/www; } }
`,
  );
  const server = createProcess(
    'nginx',
    {command: [nginx, '-p', folder, '-c', config], env: {}},
    join(folder, 'nginx.log'),
  );
  server.start();
  await ready(`http://127.0.0.1:${port}/nixos/machines/${tagOf(0)}.ipxe`);
  return server;
}

/** The worker is the master's only child. */
async function nginxWorker(master: number): Promise<number> {
  const text = await readFile(`/proc/${master}/task/${master}/children`, 'utf8');
  return Number(text.trim().split(' ')[0]);
}

/** Requests a second; throws when one was not answered with 200. */
async function wrk(url: string, lua: string): Promise<number> {
  const {stdout} = await promisify(execFile)('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${roundSeconds}s`,
    '-s',
    lua,
    url,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk saw failures:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}
