import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {connect, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {openDatabase} from '@muster/server/store/db.ts';
import {findServerBinary} from '../helpers/nats.ts';
import {freePort} from '../helpers/ports.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {createProcess, until} from '../helpers/processes.ts';
import {cpuSeconds, print} from './measure.ts';

const viewers = 100;
const batches = 50;
const eventsPerBatch = 20;
const batchEveryMs = 30;
const ratioMax = 8;
const payload = JSON.stringify({number: 1, serial: '7XK2MQ2', labels: {rack: 'r7'}});
const deliveries = viewers * batches * eventsPerBatch;

/** Counts what comes, until somebody has seen enough. */
async function openViewer(port: number, greeting: string) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const seen = {tail: '', bytes: 0};
  socket.on('data', chunk => {
    seen.bytes += chunk.length;
    seen.tail = (seen.tail + chunk.toString('latin1')).slice(-512);
  });
  socket.write(greeting);
  return {socket, seen};
}

async function everyBatch(write: () => Promise<unknown>): Promise<void> {
  for (let batch = 0; batch < batches; batch += 1) {
    await write();
    await delay(batchEveryMs);
  }
}

/** CPU of nats-server to carry the same bytes to as many subscribers. */
async function natsCost(bytesOfOne: number): Promise<number> {
  const port = await freePort();
  const args = ['--pdeathsig=KILL', '--', findServerBinary(), '-a', '127.0.0.1', '-p', `${port}`];
  const child = spawn('setpriv', args, {stdio: 'ignore'});
  const sockets: Socket[] = [];
  try {
    const open = (greeting: string) =>
      until('nats-server', async () => {
        const viewer = await openViewer(port, greeting);
        sockets.push(viewer.socket);
        return viewer;
      });
    const opened = Array.from({length: viewers}, () => open('CONNECT {}\r\nSUB e 1\r\nPING\r\n'));
    const subscribers = await Promise.all(opened);
    await until('subscriptions', async () =>
      subscribers.every(({seen}) => seen.tail.includes('PONG')),
    );
    const before = subscribers.map(({seen}) => seen.bytes);
    const publisher = await open('CONNECT {"verbose":false}\r\n');
    const message = `PUB e ${bytesOfOne}\r\n${'x'.repeat(bytesOfOne)}\r\n`.repeat(eventsPerBatch);
    const cpu = cpuSeconds(child.pid ?? 0);
    await everyBatch(async () => publisher.socket.write(message));
    const wanted = batches * eventsPerBatch * bytesOfOne;
    await until('every message', async () =>
      subscribers.every(({seen}, index) => seen.bytes - (before[index] ?? 0) >= wanted),
    );
    return cpuSeconds(child.pid ?? 0) - cpu;
  } finally {
    for (const socket of sockets) socket.destroy();
    child.kill();
    await once(child, 'exit');
  }
}

/** What it costs a server process to show events to viewers on real sockets, held against nats-server with the same bytes. */
export async function benchFanOutWire(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  const postgres = stack.use(await startPostgres());
  const sql = stack.adopt(openDatabase(postgres.url), database => database.end({timeout: 1}));
  const [port, noNats] = await Promise.all([freePort(), freePort()]);
  const env = {
    DATABASE_URL: postgres.url,
    NATS_URL: `127.0.0.1:${noNats}`,
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: String(port),
    MASTER_KEY_FILE: join(folder, 'master.key'),
    IMAGE_STORE_DIR: join(folder, 'images'),
    LOCAL_TOKEN_FILE: join(folder, 'token'),
  };
  const log = join(folder, 'server.log');
  const server = createProcess('server', {command: ['server/main.ts'], env}, log);
  stack.defer(() => server.stop());
  server.start();
  await until('the server', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
  const token = (await readFile(env.LOCAL_TOKEN_FILE, 'utf8')).trim();

  const write = () => sql`
    with written as (
      insert into events (id, time, type, actor, data)
      select gen_random_uuid(), now(), 'machine.updated', 'system', ${payload}::text::jsonb
      from generate_series(1, ${eventsPerBatch})
    )
    select pg_notify('events', '')
  `;
  const head = async () => {
    const [row] = await sql<{position: string | null; waiting: number}[]>`
      select max(position) as position, count(*) filter (where position is null)::int as waiting from events
    `;
    return {position: Number(row?.position ?? 0), settled: row?.waiting === 0};
  };
  const cost = async (done: () => Promise<boolean>) => {
    const cpu = cpuSeconds(server.pid ?? 0);
    await everyBatch(write);
    await until('the end', async () => (await head()).settled && (await done()));
    return cpuSeconds(server.pid ?? 0) - cpu;
  };

  await cost(async () => true);
  const alone = await cost(async () => true);
  const greeting = `GET /api/v1/events/watch HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const opened = Array.from({length: viewers}, () => openViewer(port, greeting));
  const watching = await Promise.all(opened);
  await until('all viewers', async () => watching.every(({seen}) => seen.tail.includes('\nid: ')));
  const before = watching[0]?.seen.bytes ?? 0;
  const shown = await cost(async () => {
    const {position} = await head();
    return watching.every(({seen}) => seen.tail.includes(`\nid: ${position}\n`));
  });
  const bytesOfOne = ((watching[0]?.seen.bytes ?? 0) - before) / (batches * eventsPerBatch);
  for (const {socket} of watching) socket.destroy();

  const micros = (seconds: number) => (seconds / deliveries) * 1e6;
  const value = micros(shown - alone);
  const base = micros(await natsCost(Math.round(bytesOfOne)));
  print({
    what: `server CPU to show an event to one of ${viewers} viewers (SSE)`,
    value: `${value.toFixed(1)} µs`,
    base: `${(value / base).toFixed(1)} × nats-server (${base.toFixed(1)} µs)`,
    limit: `≤ ${ratioMax} ×`,
    met: value / base <= ratioMax,
  });
}
