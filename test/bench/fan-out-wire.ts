import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {type Database, openDatabase} from '@muster/server/store/db.ts';
import {freePort} from '../helpers/ports.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {createProcess, until} from '../helpers/processes.ts';
import {cpuSeconds, print, residentMib} from './measure.ts';
import {natsCpu, startPlainServer} from './wire-bases.ts';
import {closeViewers, everyBatch, openAll, openViewer, type Viewer} from './wire-viewers.ts';

/** For the cost of a delivery. */
const viewerCount = 500;
/** For the memory of a viewer who has nothing to see. */
const idleCount = 1000;
/** A caller may have 200 streams open. */
const viewersOfUserMax = 190;
const eventsPerBatch = 20;
const batches = {count: 25, everyMs: 100};
/** Of the base, which costs a hundred times as much. */
const fewBatches = 5;
const settleMs = 3000;
const natsRatioMax = 8;
const plainRatioMin = 10;
const idleRatioMax = 0.5;
const payload = JSON.stringify({number: 1, serial: '7XK2MQ2', labels: {rack: 'r7'}});

const micros = (seconds: number, deliveries: number) => (seconds / deliveries) * 1e6;

/** What it costs a server process to show events to viewers on real sockets: against streams as one writes them first, and against nats-server. */
export async function benchFanOutWire(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer());
  const plain = stack.use(await startPlainServer(eventsPerBatch));
  const [idle, idlePlain] = [await idleKib(server), await idleKib(plain)];
  const deliveries = viewerCount * eventsPerBatch;
  const shown = micros(await server.showCpu(viewerCount), deliveries * batches.count);
  const shownPlain = micros(await plain.showCpu(viewerCount, fewBatches), deliveries * fewBatches);
  const nats = micros(
    await natsCpu({viewerCount, eventsPerBatch, batches, bytesOfEvent: server.bytesOfEvent()}),
    deliveries * batches.count,
  );

  print({
    what: `server CPU to show an event to one of ${viewerCount} viewers`,
    value: `${shown.toFixed(1)} µs`,
    base: `${(shownPlain / shown).toFixed(0)} × less than a Connect stream each (${shownPlain.toFixed(0)} µs)`,
    limit: `floor ${plainRatioMin} ×, goal 50`,
    met: shownPlain / shown >= plainRatioMin,
  });
  print({
    what: 'the same',
    value: `${shown.toFixed(1)} µs`,
    base: `${(shown / nats).toFixed(1)} × nats-server (${nats.toFixed(1)} µs)`,
    limit: `floor ${natsRatioMax} ×, goal 1`,
    met: shown / nats <= natsRatioMax,
  });
  print({
    what: `memory of one of ${idleCount} viewers who wait`,
    value: `${idle.toFixed(0)} KiB`,
    base: `${(idle / idlePlain).toFixed(2)} × a Connect stream (${idlePlain.toFixed(0)} KiB)`,
    limit: `floor ${idleRatioMax}, goal 0.2`,
    met: idle / idlePlain <= idleRatioMax,
  });
}

type Shown = {
  readonly pid: () => number;
  open(count: number): Promise<readonly Viewer[]>;
};

/** Those that are opened and closed before make the process as large as its code and its pools become. */
async function idleKib({pid, open}: Shown): Promise<number> {
  closeViewers(await open(viewerCount));
  await delay(settleMs);
  const before = residentMib(pid());
  const viewers = await open(idleCount);
  await delay(settleMs);
  const kib = ((residentMib(pid()) - before) * 1024) / idleCount;
  closeViewers(viewers);
  await delay(settleMs);
  return kib;
}

async function startServer() {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  const postgres = stack.use(await startPostgres());
  const sql = stack.adopt(openDatabase(postgres.url), database => database.end({timeout: 1}));
  const [port, noNats] = await Promise.all([freePort(), freePort()]);
  const tokenFile = join(folder, 'token');
  const env = {
    DATABASE_URL: postgres.url,
    NATS_URL: `127.0.0.1:${noNats}`,
    SERVER_HOST: '127.0.0.1',
    SERVER_PORT: String(port),
    MASTER_KEY_FILE: join(folder, 'master.key'),
    IMAGE_STORE_DIR: join(folder, 'images'),
    LOCAL_TOKEN_FILE: tokenFile,
  };
  const command = ['server/main.ts'];
  const server = createProcess('server', {command, env}, join(folder, 'server.log'));
  stack.defer(() => server.stop());
  server.start();
  await until('the server', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
  const tokens = await makeTokens(port, (await readFile(tokenFile, 'utf8')).trim());

  const pid = () => server.pid ?? 0;
  const open = async (count: number) => {
    const viewers = await openAll(count, index => {
      const token = tokens[Math.floor(index / viewersOfUserMax)];
      return openViewer(
        port,
        `GET /api/v1/events/watch HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
    });
    await until('all viewers', async () => viewers.every(({seen}) => seen.tail.includes('\nid: ')));
    return viewers;
  };
  /** Until the journal is at rest and `done` holds. */
  const writeCpu = async (done: (head: number) => boolean) => {
    const cpu = cpuSeconds(pid());
    await everyBatch(batches, () => writeEvents(sql));
    await until('the end', async () => {
      const head = await findHead(sql);
      return head !== undefined && done(head);
    });
    return cpuSeconds(pid()) - cpu;
  };
  let bytesOfEvent = 0;
  const owned = stack.move();
  return {
    pid,
    open,
    bytesOfEvent: () => bytesOfEvent,
    /** More than for the same events without viewers. */
    async showCpu(count: number) {
      await writeCpu(() => true);
      const alone = await writeCpu(() => true);
      const viewers = await open(count);
      const before = viewers[0]?.seen.bytes ?? 0;
      const cpu = await writeCpu(head =>
        viewers.every(({seen}) => seen.tail.includes(`\nid: ${head}\n`)),
      );
      const bytes = (viewers[0]?.seen.bytes ?? 0) - before;
      bytesOfEvent = Math.round(bytes / (batches.count * eventsPerBatch));
      closeViewers(viewers);
      return cpu - alone;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Of as many users as the idle viewers need. */
async function makeTokens(port: number, localToken: string): Promise<readonly string[]> {
  const transport = createConnectTransport({
    baseUrl: `http://127.0.0.1:${port}`,
    httpVersion: '1.1',
    interceptors: [
      next => request => {
        request.header.set('authorization', `Bearer ${localToken}`);
        return next(request);
      },
    ],
  });
  const users = createClient(UserService, transport);
  const tokens = createClient(TokenService, transport);
  const secrets: string[] = [];
  for (let number = 0; number * viewersOfUserMax < idleCount; number += 1) {
    const username = `viewer${number}`;
    const password = 'correct horse battery';
    const {user} = await users.createUser({username, password, role: User_Role.VIEWER});
    const made = await tokens.createApiToken({
      name: 'bench',
      permission: Permission.VIEW,
      userId: user?.id ?? '',
    });
    secrets.push(made.token);
  }
  return secrets;
}

const writeEvents = (sql: Database) => sql`
  with written as (
    insert into events (id, time, type, actor, data)
    select gen_random_uuid(), now(), 'machine.updated', 'system', ${payload}::text::jsonb
    from generate_series(1, ${eventsPerBatch})
  )
  select pg_notify('events', '')
`;

/** Undefined while events wait for their position. */
async function findHead(sql: Database): Promise<number | undefined> {
  const [row] = await sql<{position: string | null; waiting: number}[]>`
    select max(position) as position, count(*) filter (where position is null)::int as waiting from events
  `;
  return row?.waiting === 0 ? Number(row.position ?? 0) : undefined;
}
