import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import type {Owner} from './postgres.ts';

/** The account `name` of this system, made when missing; `say` hears of it. PostgreSQL refuses to run as root. */
export function ensureSystemUser(name: string, home: string, say: (text: string) => void): Owner {
  const existing = findUser(name);
  if (existing) return existing;

  say(`Making the system user "${name}", which PostgreSQL runs as (it refuses to run as root)`);
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir', home];
  const {status, stderr, error} = spawnSync(
    'useradd',
    [...options, '--shell', '/usr/sbin/nologin', name],
    {encoding: 'utf8'},
  );
  const made = findUser(name);
  if (status !== 0 || !made)
    throw new Error(`Cannot make the system user "${name}": ${error?.message ?? stderr.trim()}`);
  return made;
}

/** passwd(5): name, password, uid, gid. */
function findUser(name: string): Owner | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && uid && gid) return {uid: Number(uid), gid: Number(gid)};
  }
  return undefined;
}
