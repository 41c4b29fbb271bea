import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Operation_State, OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import test from 'ava';
import {startMuster} from '../test/helpers/muster.ts';
import {until} from '../test/helpers/processes.ts';
import {runOnHost} from '../test/helpers/command.ts';

test('machines are changed, built, rolled out and deleted together from the command line', async t => {
  await using muster = await startMuster();
  const machines = muster.client(MachineService);
  const tags = ['BULK-1', 'BULK-2', 'BULK-3'];
  for (const serviceTag of tags) await machines.createMachine({machine: {serviceTag}});

  const dry = await runOnHost(muster, [
    ...['bulk', 'update', '--ids', ...tags, 'BULK-9'],
    ...['--notes', 'moved', '--dry-run'],
  ]);
  t.is(dry.status, 0, dry.stderr);
  t.regex(dry.stdout, /dry run +yes: nothing is changed/);
  t.regex(dry.stdout, /BULK-1 +SUCCEEDED .* Changed notes/);
  t.regex(dry.stdout, /BULK-9 +FAILED .* Cannot find machine "BULK-9"/);
  t.is((await machines.getMachine({id: 'BULK-1'})).machine?.notes, '');

  const labelled = await runOnHost(muster, [
    ...['bulk', 'label', '--filter', 'state = EXPECTED', '--set', 'rack=r7', '--wait'],
  ]);
  t.is(labelled.status, 0, labelled.stderr);
  t.regex(labelled.stdout, /machines +filter state = EXPECTED: 3 machines, 3 succeeded/);
  t.is((await machines.listMachines({filter: 'labels.rack = r7'})).machines.length, 3);

  const built = await runOnHost(muster, ['bulk', 'build', '--ids', ...tags, '--wait']);
  t.is(built.status, 1);
  t.regex(built.stderr, /did not succeed: Of 3 machines 3 failed/);
  t.regex(built.stdout, /BULK-2 +FAILED .* Cannot build machine "BULK-2": it has neither/);

  const started = await runOnHost(muster, ['bulk', 'update', '--ids', 'BULK-1', '--notes', 'x']);
  const id = /Started operation (\S+) on 1 machines/.exec(started.stdout)?.[1] ?? '';
  await until('the operation', async () => {
    const {operation} = await muster.client(OperationService).getOperation({id});
    return operation?.state === Operation_State.SUCCEEDED;
  });
  const shown = await runOnHost(muster, ['operations', 'get', id]);
  t.regex(shown.stdout, /kind +bulk update/);
  t.regex(shown.stdout, /BULK-1 +SUCCEEDED .* Changed notes/);
  t.regex(
    (await runOnHost(muster, ['operations', 'list'])).stdout,
    /bulk build +FAILED .* 3 machines/,
  );

  const rollout = await runOnHost(muster, [
    ...['rollouts', 'start', '--ids', ...tags, '--canary', '1', '--wave-size', '1', '--dry-run'],
  ]);
  t.regex(rollout.stdout, /3 +BULK-3 +FAILED .* Cannot roll out to machine .*: it is expected/);
  t.regex(
    (await runOnHost(muster, ['rollouts', 'list'])).stdout,
    /FAILED +3 of 3 +3 machines, 3 failed/,
  );

  const deleted = await runOnHost(muster, ['bulk', 'delete', '--ids', ...tags.slice(1), '--wait']);
  t.is(deleted.status, 0, deleted.stderr);
  t.is((await runOnHost(muster, ['machines', 'delete', 'BULK-1'])).status, 0);
  t.is((await machines.listMachines({})).machines.length, 0);

  for (const args of [
    ['bulk', 'update', '--notes', 'x'],
    ['bulk', 'update', '--ids', 'a', '--filter', 'b', '--notes', 'x'],
    ['bulk', 'update', '--ids', 'a'],
    ['bulk', 'build', '--ids', 'a', '--concurrency', '0'],
    ['rollouts', 'start', '--ids', 'a', '--wave-size', '1', '--wave-percent', '1'],
  ])
    t.is((await runOnHost(muster, args)).status, 2, args.join(' '));
});
