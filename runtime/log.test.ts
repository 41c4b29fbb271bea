import {spawnSync} from 'node:child_process';
import {execPath} from 'node:process';
import test from 'ava';

/** What a process with our logger writes: pino has its own stream to standard output. */
function logged(call: string): Record<string, unknown> {
  const script = `import {createLogger} from './log.ts'; const log = createLogger('test'); ${call}`;
  const {stdout, stderr} = spawnSync(execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('secrets are cut out wherever they stand', t => {
  const line = logged(
    `log.info({code: 'join-me', request: {code: 'join-me', password: 'p', authorization: 'Bearer x'}, jwt: 'j'}, 'called')`,
  );
  t.like(line, {
    code: '[secret]',
    request: {code: '[secret]', password: '[secret]', authorization: '[secret]'},
    jwt: '[secret]',
  });
});

test('the code of an error stays', t => {
  const line = logged(
    `log.warn({err: Object.assign(new Error('gone'), {code: 'ECONNRESET', token: 't'})}, 'failed')`,
  );
  t.like(line, {err: {message: 'gone', errorCode: 'ECONNRESET', token: '[secret]'}});
});
