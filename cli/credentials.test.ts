import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {findLogin, type Login, saveLogin} from './credentials.ts';

const login: Login = {
  username: 'alice',
  token: 't',
  expiresAt: '2026-01-01T00:00:00.000Z',
  refreshToken: 'r',
};

test('logins are kept per server, for their owner alone, and can be forgotten', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-login-'));
  const file = join(folder, 'deep', 'credentials.json');
  t.is(findLogin(file, 'http://a'), undefined);

  saveLogin(file, 'http://a', login);
  saveLogin(file, 'http://b', {...login, username: 'bob'});
  t.is(findLogin(file, 'http://a')?.username, 'alice');
  t.is((await stat(file)).mode & 0o777, 0o600);

  saveLogin(file, 'http://a', undefined);
  t.is(findLogin(file, 'http://a'), undefined);
  t.deepEqual(Object.keys(JSON.parse(await readFile(file, 'utf8')) as object), ['http://b']);

  await writeFile(file, '{');
  t.throws(() => findLogin(file, 'http://b'), {message: /not JSON; delete it and log in again/});
  await rm(folder, {recursive: true});
});
