// A supervisor with a real PostgreSQL and a stand-in, for supervisor.test.ts: prints the pids of both, then waits to be killed.
import {join} from 'node:path';
import process from 'node:process';
import {silentLogger} from '@muster/runtime/log.ts';
import {definePostgres} from './postgres.ts';
import {supervise} from './supervisor.ts';

const folder = process.argv[2];
if (!folder) throw new Error('Cannot start without a folder');
const unprivileged = 65_534;
const id = process.getuid?.() === 0 ? unprivileged : (process.getuid?.() ?? 0);
const options = {log: silentLogger, onLine: () => undefined};
const {signal} = new AbortController();

const postgres = await supervise(
  await definePostgres({
    dataFolder: join(folder, 'postgres'),
    socketFolder: join(folder, 'run'),
    toolsFolder: join(folder, 'tools'),
    owner: {uid: id, gid: id},
  }),
  options,
  signal,
);
const other = await supervise(
  {
    name: 'stand-in',
    command: ['sleep', '600'],
    stopSignal: 'SIGTERM',
    deathSignal: 'KILL',
    startLimitMs: 5000,
    stopLimitMs: 5000,
    ready: async () => true,
  },
  options,
  signal,
);
process.stdout.write(`${JSON.stringify([postgres.pid, other.pid])}\n`);
