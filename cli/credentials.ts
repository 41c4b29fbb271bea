import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';

/** One saved login. */
export type Login = {
  readonly username: string;
  readonly token: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly refreshToken: string;
};

type Logins = Readonly<Record<string, Login>>;

/** Undefined when nobody is logged in at `serverUrl`. */
export function findLogin(file: string, serverUrl: string): Login | undefined {
  return readLogins(file)[serverUrl];
}

/** Undefined forgets the login. The file is readable by its owner alone. */
export function saveLogin(file: string, serverUrl: string, login: Login | undefined): void {
  const {[serverUrl]: _replaced, ...others} = readLogins(file);
  const logins: Logins = login ? {...others, [serverUrl]: login} : others;
  mkdirSync(dirname(file), {recursive: true, mode: 0o700});
  const fresh = `${file}.new`;
  rmSync(fresh, {force: true});
  writeFileSync(fresh, `${JSON.stringify(logins, undefined, 2)}\n`, {mode: 0o600});
  renameSync(fresh, file);
}

function readLogins(file: string): Logins {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  try {
    return JSON.parse(content) as Logins;
  } catch {
    throw new Error(
      `Cannot read the saved logins in "${file}": not JSON; delete it and log in again`,
    );
  }
}
