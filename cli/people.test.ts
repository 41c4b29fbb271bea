import test from 'ava';
import {startMuster} from '../test/helpers/muster.ts';
import {runOnHost} from '../test/helpers/command.ts';

const password = 'correct horse battery';

test('people, tokens, sessions and passwords from the command line, and the way back in', async t => {
  await using muster = await startMuster();
  const words = (line: string) => line.split(' ');
  const ok = async (line: string, options: Parameters<typeof runOnHost>[2] = {}) => {
    const answer = await runOnHost(muster, words(line), options);
    t.is(answer.status, 0, `${line}: ${answer.stderr}`);
    return answer.stdout;
  };
  await ok('users create olga --role operator --password-stdin', {input: password});
  t.regex(await ok('users get olga'), /role +operator/);
  t.regex(await ok('users update olga --role viewer --email o@example.com'), /role +viewer/);
  t.is((await runOnHost(muster, words('users update olga --enable --disable'))).status, 2);

  const code = /muster_reset_\S+/.exec(await ok('users reset-password olga'))?.[0] ?? '';
  await ok('password reset --stdin', {input: `${code}\nanother password\n`});
  await ok('login olga --password-stdin', {input: 'another password'});
  await ok('password change --stdin', {input: `another password\n${password}\n`});
  t.regex(await ok('sessions list'), /olga +password +127\.0\.0\.1 .*this one/);

  const made = await ok('tokens create ci --days 1');
  const token = /muster_token_\S+/.exec(made)?.[0] ?? '';
  const env = {MUSTER_TOKEN: token};
  t.is((await runOnHost(muster, ['machines', 'list'], {env})).status, 0);
  t.is((await runOnHost(muster, words('tokens create more'), {env})).status, 4);
  const [, id = ''] = /\n(\S+) +olga +ci +view +active/.exec(await ok('tokens list')) ?? [];
  await ok(`tokens revoke ${id}`);
  t.is((await runOnHost(muster, ['machines', 'list'], {env})).status, 4);
  t.is((await runOnHost(muster, words('users delete olga'))).status, 4, 'a viewer');
  t.regex(await ok('sessions revoke'), /Revoked sessions: 0/);

  // The saved login is a viewer's: the local token is used all the same.
  const reset = await ok('admin reset olga');
  const fresh = /\n {2}(\S+)\n/.exec(reset)?.[1] ?? '';
  t.is((await runOnHost(muster, ['users', 'list'])).status, 4, 'the old login has ended');
  await ok('login olga --password-stdin', {input: fresh});
  t.regex(await ok('users list'), /olga +admin +active/);
  const away = {MUSTER_DATA_DIR: '/nonexistent'};
  const elsewhere = await runOnHost(muster, words('admin reset olga'), {env: away});
  t.is(elsewhere.status, 4);
  t.regex(elsewhere.stderr, /as root on the host of the server/);
});
