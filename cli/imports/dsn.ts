import {CommandError, exitStatus} from '../exit-status.ts';

export type PostgresDsn = {
  readonly kind: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** As libpq has it. */
  readonly sslMode: string;
};

export type Dsn = PostgresDsn | {readonly kind: 'sqlite'; readonly path: string};

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/**
 * What Metal Enrollment has in DB_DSN: a URL or the words of libpq for PostgreSQL, a path or a `file:` URL for SQLite. No sentence of this file
 * says what it was given: it may hold a password.
 */
export function parseDsn(text: string): Dsn {
  const dsn = text.trim();
  if (dsn === '') throw wrong('it is empty');
  if (/^postgres(ql)?:/i.test(dsn)) return parseUrl(dsn);
  if (/(^|\s)(host|dbname|user|password|port|sslmode)\s*=/.test(dsn)) return parseWords(dsn);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(dsn) && !/^(sqlite3?|file):/i.test(dsn))
    throw wrong('it is neither PostgreSQL nor SQLite');
  const path = dsn.replace(/^(sqlite3?|file):(\/\/(?=\/))?/i, '').replace(/\?.*$/s, '');
  if (path === '' || path === ':memory:') throw wrong('it names no file');
  return {kind: 'sqlite', path};
}

function parseUrl(text: string): PostgresDsn {
  // A Unix socket has no host, which URL does not allow.
  const url = URL.parse(text.replace(/^([a-z]+:\/\/(?:[^/@]*@)?)\//i, '$1socket/'));
  if (!url)
    throw wrong(
      'it is no URL; letters such as "@", "/" and "%" of a password are written as %40, %2F and %25',
    );
  const parameters = Object.fromEntries(url.searchParams);
  const {hostname, port, username, password, pathname} = url;
  return toDsn({
    host: hostname === 'socket' ? '' : hostname,
    port,
    user: decode(username),
    password: decode(password),
    dbname: decode(pathname.slice(1)),
    ...parameters,
  });
}

/** `host=db port=5432 password='it''s'`; a backslash takes the next letter as it is. */
function parseWords(text: string): PostgresDsn {
  const words: Record<string, string> = {};
  const pattern = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gsy;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, name = '', inQuotes, plain = ''] = match;
    words[name] = (inQuotes ?? plain).replaceAll(/\\(.)/gs, '$1');
    end = match.index + whole.length;
  }
  if (text.slice(end).trim() !== '') throw wrong('it is not of the form host=… user=… dbname=…');
  return toDsn(words);
}

function toDsn(words: Readonly<Record<string, string>>): PostgresDsn {
  const {host = '', port = '', user = '', password = '', dbname = '', sslmode = ''} = words;
  const number = port === '' ? 5432 : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw wrong('its port is none');
  if (sslmode !== '' && !sslModes.includes(sslmode))
    throw wrong(`its sslmode is none of ${sslModes.join(', ')}`);
  if (user === '') throw wrong('it names no user');
  const database = dbname === '' ? user : dbname;
  return {
    kind: 'postgres',
    host: host === '' ? 'localhost' : host,
    port: number,
    username: user,
    password,
    database,
    sslMode: sslmode === '' ? 'prefer' : sslmode,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('a "%" in it is not followed by two digits: write %25');
  }
}

/** Without the password, for people. */
export const describeDsn = (dsn: Dsn): string =>
  dsn.kind === 'sqlite'
    ? `SQLite file "${dsn.path}"`
    : `PostgreSQL database "${dsn.database}" at ${dsn.host}:${dsn.port} as "${dsn.username}"`;

/** A sentence of a driver or of the system, without the password. */
export const withoutPassword = (dsn: Dsn, sentence: string): string =>
  dsn.kind === 'postgres' && dsn.password !== ''
    ? [dsn.password, encodeURIComponent(dsn.password)].reduce(
        (text, secret) => text.replaceAll(secret, '***'),
        sentence,
      )
    : sentence;

function wrong(problem: string): CommandError {
  return new CommandError(
    `Cannot read the DSN: ${problem}; for example postgres://user@host:5432/name?sslmode=require, or /path/to/metal.db`,
    exitStatus.usage,
  );
}
