import {existsSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import postgres from 'postgres';
import {CommandError} from '../exit-status.ts';
import {describeDsn, type Dsn, type PostgresDsn, withoutPassword} from './dsn.ts';

const rowsAtOnce = 500;
const connectTimeoutSeconds = 10;

/** Every value as text; what is null is undefined. */
export type Row = Readonly<Record<string, string | undefined>>;

/** One snapshot of a foreign database, read only. One query at a time. */
export type Source = AsyncDisposable & {
  /** None: there is no such table. */
  columns(table: string): Promise<ReadonlySet<string>>;
  rows(query: {
    readonly table: string;
    readonly columns: readonly string[];
    readonly orderBy: readonly string[];
  }): AsyncIterable<Row>;
};

/** Throws with a sentence that has no password in it. */
export async function openSource(dsn: Dsn): Promise<Source> {
  try {
    return dsn.kind === 'sqlite' ? openSqlite(dsn.path) : await openPostgres(dsn);
  } catch (error) {
    throw readFailure(dsn, error);
  }
}

export function readFailure(dsn: Dsn, error: unknown): CommandError {
  const problem = error instanceof Error ? error.message : String(error);
  return new CommandError(
    `Cannot read ${describeDsn(dsn)}: ${withoutPassword(dsn, problem)}; it is only read, never changed`,
  );
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const selectOf = (
  {table, columns, orderBy}: Parameters<Source['rows']>[0],
  cast: (column: string) => string,
): string =>
  `select ${columns.map(column => `${cast(quote(column))} as ${quote(column)}`).join(', ')} from ${quote(table)} order by ${orderBy.map(quote).join(', ')}`;

function openSqlite(path: string): Source {
  if (!existsSync(path)) throw new Error('there is no such file');
  const database = new DatabaseSync(path, {readOnly: true});
  // One snapshot for all of it.
  database.exec('begin');
  return {
    async columns(table) {
      const rows = database.prepare('select name from pragma_table_info(?)').all(table);
      return new Set(rows.map(({name}) => String(name)));
    },
    async *rows(query) {
      const statement = database.prepare(selectOf(query, column => `cast(${column} as text)`));
      for (const row of statement.iterate())
        yield Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            value === null ? undefined : String(value),
          ]),
        );
    },
    async [Symbol.asyncDispose]() {
      database.close();
    },
  };
}

async function openPostgres(dsn: PostgresDsn): Promise<Source> {
  const {host, port, username, password, database} = dsn;
  const sql = postgres({
    ...(host.startsWith('/') ? {path: `${host}/.s.PGSQL.${port}`} : {host, port}),
    username,
    ...(password === '' ? {} : {password}),
    database,
    ssl: sslOf(dsn),
    // A transaction of its own on the only connection.
    max: 1,
    fetch_types: false,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: connectTimeoutSeconds,
    onnotice() {},
    connection: {application_name: 'muster-import', datestyle: 'ISO', timezone: 'UTC'},
  });
  try {
    await sql.unsafe('begin isolation level repeatable read read only');
  } catch (error) {
    await sql.end({timeout: 1});
    throw error;
  }
  return {
    async columns(table) {
      const rows = await sql<{name: string}[]>`
        select column_name::text as name from information_schema.columns
        where table_schema = any(current_schemas(false)) and table_name = ${table}
      `;
      return new Set(rows.map(({name}) => name));
    },
    async *rows(query) {
      const text = selectOf(query, column => `${column}::text`);
      const cursor = sql.unsafe<Record<string, string | null>[]>(text).cursor(rowsAtOnce);
      for await (const rows of cursor)
        for (const row of rows)
          yield Object.fromEntries(
            Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
          );
    },
    [Symbol.asyncDispose]: () => sql.end({timeout: 1}),
  };
}

function sslOf({host, sslMode}: PostgresDsn) {
  if (sslMode === 'disable' || host.startsWith('/')) return false;
  if (sslMode === 'allow' || sslMode === 'prefer') return 'prefer';
  return sslMode === 'require' ? 'require' : 'verify-full';
}
