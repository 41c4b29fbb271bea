import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import test from 'ava';
import {lockFile} from './lock.ts';

test('one holder at a time, also after it was killed', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-lock-'));
  const path = join(folder, 'lock');
  const script = `import {lockFile} from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
    globalThis.held = lockFile(${JSON.stringify(path)}, 'x');
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  t.throws(() => lockFile(path, '"muster up" runs already'), {
    message: `"muster up" runs already, as process ${holder.pid} (lock "${path}"): stop it first`,
  });

  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
  {
    using _lock = lockFile(path, 'x');
    t.throws(() => lockFile(path, 'x'));
  }
  lockFile(path, 'x')[Symbol.dispose]();
  await rm(folder, {recursive: true});
});
