import test from 'ava';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {Rollout_State, RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {startMuster} from '../helpers/muster.ts';
import {ready, until} from '../helpers/processes.ts';
import {type RolledMachine, rolloutIn, startRolledMachine} from '../helpers/rolled-machine.ts';

const machineTimeoutSeconds = 15;
test('a roll-out goes from its canary on, halts at a machine that fails, and is resumed after kill -9', async t => {
  t.timeout(300_000);
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const agents: RolledMachine[] = [];
  for (let number = 1; number <= 5; number += 1)
    agents.push(await startRolledMachine(muster, number));
  const [canary, broken, ...others] = agents;
  if (!canary || !broken) throw new Error('There are no agents');
  broken.works = false;

  const machineIds = agents.map(({machineId}) => machineId);
  const {rollout} = await muster.client(RolloutService).createRollout({
    machineIds,
    data: {imageConfig: {packages: ['nginx']}},
    canary: 1,
    wave: {case: 'waveSize', value: 2},
    machineTimeoutSeconds,
  });
  const id = rollout?.id ?? '';
  t.deepEqual(
    rollout?.waves.map(({canary: first, counts}) => [first, counts?.total]),
    [
      [true, 1],
      [false, 2],
      [false, 2],
    ],
  );
  await until('the canary', async () => canary.reboots.size > 0);
  await muster.server.stop('SIGKILL');
  muster.server.start();
  await ready(`${muster.serverUrl}/readyz`);

  const halted = await rolloutIn(muster, id, Rollout_State.HALTED);
  t.like(halted, {
    currentWave: 2,
    holdReason: '1 machine failed, more than the 0 that are allowed',
    waves: [
      {counts: {succeeded: 1}},
      {counts: {failed: 1, succeeded: 1}},
      {counts: {queued: 2, total: 2}},
    ],
  });
  const {children} = await muster
    .client(OperationService)
    .listOperationChildren({operationId: id, states: [4]});
  t.deepEqual(
    children.map(({machineId, error}) => [machineId, error]),
    [
      [
        broken.machineId,
        `It was not ACTIVE in its new image ${machineTimeoutSeconds} s after its reboot`,
      ],
    ],
  );

  await muster.server.stop('SIGKILL');
  muster.server.start();
  await ready(`${muster.serverUrl}/readyz`);
  t.is((await rolloutIn(muster, id, Rollout_State.HALTED)).waves[2]?.counts?.queued, 2);
  for (const {machineId, reboots} of others.slice(1)) t.is(reboots.size, 0, machineId);

  broken.works = true;
  await muster.client(RolloutService).resumeRollout({id, retryFailed: true});
  const over = await rolloutIn(muster, id, Rollout_State.SUCCEEDED);
  t.like(over.operation?.children, {total: 5, succeeded: 5});
  const {machines} = await muster.client(MachineService).listMachines({filter: 'state = ACTIVE'});
  t.is(machines.length, 5);
  for (const {desiredImageId, bootedImageId} of machines) t.is(bootedImageId, desiredImageId);
  const builds = await muster.postgres.sql`
    select machine_id from builds where machine_id is not null group by machine_id having count(*) > 1
  `;
  t.deepEqual(
    builds.map(({machineId}) => machineId as string),
    [broken.machineId],
    'only the machine that was tried again was built twice',
  );
});
