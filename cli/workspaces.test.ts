import {User_Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {addMachine, startSite, unknownTarget} from '../test/helpers/workspace-site.ts';
import {runCommand, withToken} from '../test/helpers/command.ts';

const run = (url: string, token: string, line: string) =>
  runCommand(line.split(' '), withToken(url, token));

test('workspaces, their machines and members from the command line', async t => {
  t.timeout(120_000);
  await using site = await startSite();
  const machine = unknownTarget();
  await addMachine(site.sql, machine, 'ready');
  const bob = await site.person('bob', {}, User_Role.MEMBER);
  const ok = async (line: string, token = site.local) => {
    const answer = await run(site.url, token, line);
    t.is(answer.status, 0, `${line}: ${answer.stderr}`);
    return answer.stdout;
  };
  const {serviceTag} = machine;
  t.regex(await ok('workspaces create staging --machines-max 1'), /quota +1/);
  t.is(
    await ok(`workspaces assign staging ${serviceTag}`),
    `${machine.hostname} is now in workspace staging\n`,
  );
  t.is(
    await ok('workspaces grant staging bob --role viewer'),
    'bob is viewer in workspace staging\n',
  );
  t.regex(await ok('workspaces members staging'), /bob +viewer/);
  t.regex(await ok('users get bob'), /workspaces +staging=viewer/);
  t.regex(
    await ok('workspaces update staging --machines-max 0 --description tests'),
    /quota +none/,
  );
  t.regex(await ok('machines list --workspace staging'), new RegExp(serviceTag));
  t.notRegex(await ok('machines list --workspace other'), new RegExp(serviceTag));

  t.regex(await ok('machines list', bob), new RegExp(serviceTag));
  t.regex(await ok('workspaces list', bob), /staging +1 +none +1 +tests/);
  t.is((await run(site.url, bob, 'workspaces delete staging')).status, 4);
  t.is((await run(site.url, site.local, 'workspaces get no-such')).status, 5);
  t.is((await run(site.url, site.local, 'workspaces update staging')).status, 2);
  t.is((await run(site.url, site.local, 'workspaces grant staging bob --role root')).status, 2);

  t.regex(await ok('--json workspaces get staging'), /"machine_count": ?1|"machineCount": ?1/);
  t.is(
    await ok(`workspaces release staging ${serviceTag}`),
    `${machine.hostname} is no longer in workspace staging\n`,
  );
  await ok('workspaces revoke staging bob');
  await ok('workspaces delete staging');
  t.notRegex(await ok('workspaces list'), /staging/);
});

test('the routes of workspaces work with curl’s bodies', async t => {
  await using site = await startSite();
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${site.url}/api/v1/workspaces${path}`, {
      method,
      headers: {authorization: `Bearer ${site.local}`},
      ...(body ? {body: JSON.stringify(body)} : {}),
    });
    return [answer.status, (await answer.json()) as Record<string, unknown>] as const;
  };
  const machine = unknownTarget();
  await addMachine(site.sql, machine, 'active');
  await site.person('bob');
  const [made, {id}] = await call('POST', '', {name: 'blue', machines_max: 2});
  t.true(made < 300);
  t.like(await call('PUT', '/blue', {description: 'the blue one'}), [
    200,
    {description: 'the blue one', machines_max: 2},
  ]);
  t.like(await call('PUT', `/blue/machines/${machine.machineId}`), [200, {workspace_id: id}]);
  t.like(await call('PUT', '/blue/members/bob', {role: 'operator'}), [
    200,
    {username: 'bob', role: 'operator'},
  ]);
  t.like(await call('GET', '/blue/members'), [200, {length: 1}]);
  t.like(await call('GET', ''), [200, {length: 1, 0: {machine_count: 1, member_count: 1}}]);
  t.is((await call('DELETE', '/blue/members/bob'))[0], 200);
  t.is((await call('DELETE', '/blue'))[0], 400);
  t.is((await call('DELETE', `/blue/machines/${machine.machineId}`))[0], 200);
  t.is((await call('DELETE', '/blue'))[0], 200);
  t.is((await call('GET', '/blue'))[0], 404);
});
