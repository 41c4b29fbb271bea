import {randomBytes} from 'node:crypto';
import {mkdir, rename, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {uuidv7} from '@muster/runtime/ids.ts';
import {type Config, localUrl} from './config.ts';
import {createBreakGlass} from './domain/break-glass.ts';
import {natsConfig} from './domain/nats-config.ts';
import {createUsers} from './domain/users.ts';
import {openFoundation} from './foundation.ts';

const listenDefault = '127.0.0.1:4222';

/**
 * `nats-config <folder> [--listen host:port] [--data folder]`: nats.conf, server-cert.pem, server-key.pem (0600) and site-ca.pem. The
 * installation's keys are made when this is its first command. Gives what to print.
 */
export async function writeNatsConfig(config: Config, args: readonly string[]): Promise<string> {
  const {values, positionals} = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      listen: {type: 'string', default: listenDefault},
      data: {type: 'string'},
    },
  });
  const [folder, ...rest] = positionals;
  if (!folder || rest.length > 0)
    throw new Error('Cannot write the NATS configuration: name one folder');
  if (!/^(\[[\da-f:]+\]|[^\s:]+):\d{1,5}$/i.test(values.listen))
    throw new Error(`Cannot listen on "${values.listen}": expected host:port`);

  await using foundation = await openFoundation(config);
  const {natsKeys} = foundation;
  const file = (name: string) => join(resolve(folder), name);
  const text = natsConfig(natsKeys, {
    listen: values.listen,
    dataFolder: resolve(values.data ?? folder),
    certificateFile: file('server-cert.pem'),
    privateKeyFile: file('server-key.pem'),
  });
  await mkdir(folder, {recursive: true, mode: 0o700});
  await replaceFile(file('server-key.pem'), natsKeys.certificates.serverKey, 0o600);
  await replaceFile(file('server-cert.pem'), natsKeys.certificates.server, 0o644);
  await replaceFile(file('site-ca.pem'), natsKeys.certificates.ca, 0o644);
  await replaceFile(file('nats.conf'), text, 0o644);
  return `${file('nats.conf')}\n`;
}

/** Whoever may read the database and the master key may make an administrator: the way back in when nobody remembers a password. */
export async function printSetupLink(config: Config): Promise<string> {
  await using foundation = await openFoundation(config);
  const users = createUsers({...foundation, newId: uuidv7});
  const notice = (await users.hasAdministrator())
    ? 'An administrator exists already; this link makes another one.\n'
    : '';
  const {path, expireTime} = await users.createSetupLink('local');
  return `${notice}${localUrl(config, path)}\nOnce, until ${expireTime.toISOString()}\n`;
}

/** The same way back in for one person, also while no server runs. */
export async function resetAdministrator(config: Config, username: string): Promise<string> {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(username))
    throw new Error(`Cannot reset "${username}": it is no user name`);
  await using foundation = await openFoundation(config);
  const breakGlass = createBreakGlass({...foundation, newId: uuidv7});
  const {password} = await breakGlass('local', username);
  return `Administrator "${username}", shown once:\n\n  ${password}\n\nIts sessions and API tokens have ended. Change it after signing in: muster password change\n`;
}

/** A reader sees the old content or the new one. */
async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, content, {mode, flag: 'wx'});
  await rename(draft, path);
}
