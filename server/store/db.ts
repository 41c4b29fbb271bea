import postgres from 'postgres';
import {announceAfterCommits} from './announcements.ts';
import {arrayTypes} from './array-types.ts';

/** The pool or a transaction: what every store function takes first. */
export type Sql = postgres.Sql | postgres.TransactionSql;
export type Database = postgres.Sql;
/** Can take back a part of itself. */
export type Transaction = postgres.TransactionSql;

const connectionsDefault = 20;
/** A query between the loss of a connection and its close event leaves that connection mute for so long (postgres.js 3.4.9). */
const connectTimeoutSeconds = 3;

/** The library's own waits grow to 20 s: a server would go on refusing calls long after PostgreSQL is back. */
const secondsUntilRetry = (failures: number): number => Math.min(0.05 * 2 ** failures, 1);

/**
 * `postgres://user@host:port/name`, or `postgres://user@/name?host=/socket/folder` for a Unix socket. Names are camel case on our side and
 * snake case in SQL; null stays in SQL's own terms and is turned into undefined by the store's row functions.
 */
export function openDatabase(url: string, connectionsMax = connectionsDefault): Database {
  const parsed = new URL(url.replace(/^(postgres(?:ql)?:\/\/[^/@]*@?)\//, '$1localhost/'));
  const socketFolder = parsed.searchParams.get('host');
  parsed.searchParams.delete('host');
  const sql = postgres(parsed.href, {
    ...(socketFolder ? {path: `${socketFolder}/.s.PGSQL.${parsed.port || 5432}`} : {}),
    max: connectionsMax,
    connect_timeout: connectTimeoutSeconds,
    backoff: secondsUntilRetry,
    idle_timeout: 60,
    fetch_types: false,
    types: arrayTypes,
    transform: postgres.camel,
    onnotice() {},
    connection: {application_name: 'muster-server'},
  });
  return announceAfterCommits(sql);
}

/**
 * One connection of its own, for what belongs to a session (advisory locks). `sql.reserve()` cannot be used: without `fetch_types` it
 * waits forever for a connection that is new (postgres.js 3.4.9).
 */
export function openSession(sql: Database): Database {
  return postgres({...sql.options, max: 1, idle_timeout: null, max_lifetime: null} as never);
}

/** Of postgres.js and of the operating system. */
const connectionErrors: ReadonlySet<string> = new Set([
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

/** SQLSTATE class 08, 53300 (too many connections), 57P01 to 57P03 (shutting down, starting up). */
const connectionStates = /^(08...|53300|57P0[123])$/;

/** Whether the database cannot be reached now: the same call may work in a few seconds. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const code = String(error.code);
  const noSocket = code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect';
  return noSocket || connectionErrors.has(code) || connectionStates.test(code);
}

const answerTimeoutMs = 1500;

/** Whether the database answers now. */
export async function isAnswering(sql: Database): Promise<boolean> {
  const late = new Promise<boolean>(resolve => {
    setTimeout(() => resolve(false), answerTimeoutMs).unref();
  });
  const asked = sql`select 1`.then(
    () => true,
    () => false,
  );
  return Promise.race([asked, late]);
}
