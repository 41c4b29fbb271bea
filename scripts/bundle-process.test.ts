import {execFile} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {promisify} from 'node:util';
import test from 'ava';
import {startPostgres} from '../test/helpers/postgres.ts';
import {bundleConsole, bundleProcess} from './bundle-process.ts';

const run = promisify(execFile);
const timeLimitMs = 60_000;

test('a bundle brings the files that its sources read, and runs far from the checkout', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bundle-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const [server, cli, builder] = await Promise.all(
    ['server', 'cli', 'builder'].map(name => bundleProcess(name, folder)),
  );
  await using postgres = await startPostgres();

  const migrations = 'store/migrations';
  t.deepEqual(
    readdirSync(join(folder, 'server', migrations)),
    readdirSync(join('server', migrations)).filter(name => name.endsWith('.sql')),
  );
  t.true(existsSync(join(folder, 'builder/backends/debian/files/machine-init.sh')));
  t.true(builder?.endsWith('builder/main.js'));

  // It compares its migrations with the database and makes the keys: nothing that it reads is missing.
  const nats = join(folder, 'nats');
  const {stdout} = await run(process.execPath, [server ?? '', 'nats-config', nats], {
    cwd: folder,
    timeout: timeLimitMs,
    env: {DATABASE_URL: postgres.url, MASTER_KEY_FILE: join(folder, 'master.key')},
  });
  t.is(stdout, `${join(nats, 'nats.conf')}\n`);
  const version = await run(process.execPath, [cli ?? '', '--version'], {timeout: timeLimitMs});
  t.regex(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('the console lies beside the server, when somebody has built it', t => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bundle-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const built = join(folder, 'built');
  mkdirSync(join(built, 'assets'), {recursive: true});
  bundleConsole(folder, built);
  t.false(existsSync(join(folder, 'console')), 'without its page it is none');
  writeFileSync(join(built, 'index.html'), '');
  bundleConsole(folder, built);
  t.deepEqual(readdirSync(join(folder, 'console')).sort(), ['assets', 'index.html']);
});
