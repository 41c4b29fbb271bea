import {once} from 'node:events';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';
import {startMuster} from '../test/helpers/muster.ts';
import {onHostOf, runOnHost, startCommand} from '../test/helpers/command.ts';

const password = 'correct horse battery';

test('a person is let in, works, and is kept out of what is not theirs', async t => {
  await using muster = await startMuster();

  // As root on the host: the local token.
  const created = await runOnHost(
    muster,
    ['users', 'create', 'olga', '--role', 'viewer', '--password-stdin'],
    {
      input: password,
    },
  );
  t.is(created.status, 0, created.stderr);

  t.is(
    (await runOnHost(muster, ['login', 'olga', '--password-stdin'], {input: 'wrong'})).status,
    4,
  );
  const login = await runOnHost(muster, ['login', 'olga', '--password-stdin'], {
    input: `${password}\n`,
  });
  t.is(login.status, 0, login.stderr);
  t.regex(login.stdout, /Logged in at .* as olga \(viewer\)/);
  const refused = await runOnHost(muster, ['users', 'list']);
  t.is(refused.status, 4);
  t.regex(refused.stderr, /admin/);

  // Both find the token expired; a refresh token that came twice would end the session.
  const file = join(muster.folder, 'credentials.json');
  const saved = await readFile(file, 'utf8');
  await writeFile(
    file,
    saved.replace(/"expiresAt": "[^"]*"/, '"expiresAt": "2020-01-01T00:00:00Z"'),
  );
  const both = await Promise.all([1, 2].map(() => runOnHost(muster, ['machines', 'list'])));
  t.deepEqual(
    both.map(({status}) => status),
    [0, 0],
  );
  t.is((await runOnHost(muster, ['machines', 'list'])).status, 0);

  t.is((await runOnHost(muster, ['logout'])).status, 0);
  t.is((await runOnHost(muster, ['users', 'list'])).status, 0, 'the local token again');
  t.is((await runOnHost(muster, ['users', 'list'], {env: {MUSTER_TOKEN: 'junk'}})).status, 4);
});

test('a machine is entered, found by each of its names, configured and turned away', async t => {
  await using muster = await startMuster();
  const watcher = startCommand(
    ['events', 'watch', '--after', '0', '--type', 'machine.', '--json'],
    onHostOf(muster),
  );
  const firstEvent = once(createInterface({input: watcher.stdout}), 'line');

  const serial = '7XK2MQ2';
  const mac = 'd0:67:e5:4a:10:01';
  const created = await runOnHost(muster, [
    'machines',
    'create',
    '--serial',
    serial,
    '--mac',
    mac,
    '--json',
  ]);
  t.is(created.status, 0, created.stderr);
  const machine = JSON.parse(created.stdout) as {id: string; state: string};
  t.is(machine.state, 'STATE_EXPECTED');

  for (const name of [machine.id, serial, mac]) {
    const got = await runOnHost(muster, ['machines', 'get', name, '--json']);
    t.is((JSON.parse(got.stdout) as {id: string}).id, machine.id, name);
  }
  const missing = await runOnHost(muster, ['machines', 'get', 'nobody']);
  t.is(missing.status, 5);
  t.regex(missing.stderr, /nobody/);

  const config = JSON.stringify({hostName: 'web1', packages: ['htop']});
  const updated = await runOnHost(
    muster,
    ['machines', 'update', serial, '--hostname', 'web1', '--image-config', '-'],
    {
      input: config,
    },
  );
  t.is(updated.status, 0, updated.stderr);
  t.regex(updated.stdout, /configured +image_config/);
  const bad = await runOnHost(muster, ['machines', 'update', serial, '--image-config', '-'], {
    input: '{"hostNam": 1}',
  });
  t.is(bad.status, 2);
  t.regex(bad.stderr, /Cannot use "-" as image configuration/);

  const list = await runOnHost(muster, ['machines', 'list']);
  t.regex(list.stdout, /^ID +SERIAL +MAC +HOSTNAME +STATE/);
  t.regex(list.stdout, new RegExp(`${serial} +${mac} +web1 +EXPECTED`));
  t.is((await runOnHost(muster, ['boot', 'explain', mac])).status, 0);
  t.is((await runOnHost(muster, ['boot', 'timeline', serial])).status, 0);
  t.is((await runOnHost(muster, ['boot', 'override', serial, '--local-disk'])).status, 0);
  const overrides = await runOnHost(muster, ['boot', 'overrides', '--next']);
  t.regex(overrides.stdout, new RegExp(`${machine.id} +next +local disk +`));
  const decisions = await runOnHost(muster, [
    'boot',
    'decisions',
    '--filter',
    `id = ${machine.id}`,
  ]);
  t.regex(decisions.stdout, new RegExp(`${machine.id} +local disk +retry +An operator decided`));
  t.is((await runOnHost(muster, ['boot', 'overrides', '--next', '--entries'])).status, 2);
  for (const args of [
    ['boot', 'sessions', '--state', 'open', 'stalled', '--since', '1h', '--machine', serial],
    ['build', 'list', '--state', 'failed', '--kind', 'machine', '--template', 'web'],
    ['operations', 'list', '--kind', 'bulk', 'rollout', '--until', '7d'],
    ['image-tests', 'list', '--status', 'failed', 'error', '--since', '24h'],
  ]) {
    const answer = await runOnHost(muster, args);
    t.is(answer.status, 0, answer.stderr);
    t.is(answer.stdout.trim().split('\n').length, 1, answer.stdout);
  }
  t.is((await runOnHost(muster, ['build', 'list', '--state', 'broken'])).status, 2);

  const [line] = (await firstEvent) as [string];
  t.is((JSON.parse(line) as {machineId: string}).machineId, machine.id);
  const ended = once(watcher, 'exit');
  watcher.kill('SIGINT');
  t.deepEqual(await ended, [0, null]);
});
