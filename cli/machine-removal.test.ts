import test from 'ava';
import {runCommand, typeAtTerminal, withToken} from '../test/helpers/command.ts';
import {addMachine, startSite, unknownTarget} from '../test/helpers/workspace-site.ts';

const question = /Type "[^"]+" to go on: /;

test('deleting a machine in service asks for its name, and takes nothing else for a yes', async t => {
  t.timeout(120_000);
  await using site = await startSite();
  const machine = unknownTarget();
  await addMachine(site.sql, machine, 'active');
  const env = withToken(site.url, site.local);
  const {serviceTag, machineId} = machine;
  const words = ['machines', 'delete', serviceTag];
  const isThere = async () =>
    (await site.sql`select 1 from machines where id = ${machineId}`).length === 1;

  const plain = await runCommand(words, env);
  t.is(plain.status, 1);
  t.regex(plain.stderr, /Cannot delete machine .* active/);

  const blind = await runCommand([...words, '--force'], env, {input: `${serviceTag}\n`});
  t.is(blind.status, 2);
  t.is(
    blind.stderr.trim(),
    `Cannot ask whether machine "${serviceTag}" shall be deleted by force without a terminal: give --yes`,
  );

  for (const line of ['', 'yes', machineId, serviceTag.toLowerCase()]) {
    const wrong = await typeAtTerminal([...words, '--force'], env, {question, line});
    t.is(wrong.status, 1, line);
    t.regex(wrong.stdout, new RegExp(`This removes machine ${machineId} with its history`));
    t.regex(wrong.stdout, /Did not delete machine .*: the answer was not its name/);
    t.true(await isThere(), line);
  }

  const right = await typeAtTerminal([...words, '--force'], env, {question, line: serviceTag});
  t.is(right.status, 0, right.stdout);
  t.regex(right.stdout, new RegExp(`Deleted machine ${machineId}`));
  t.false(await isThere());
});

test('with --yes nobody is asked', async t => {
  t.timeout(120_000);
  await using site = await startSite();
  const machine = unknownTarget();
  await addMachine(site.sql, machine, 'active');
  const words = ['--json', 'machines', 'delete', machine.serviceTag, '--force', '--yes'];
  const {status, stdout, stderr} = await runCommand(words, withToken(site.url, site.local));
  t.is(status, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {});
  t.is((await site.sql`select 1 from machines`).length, 0);
});
