import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {
  type Rollout,
  Rollout_State,
  RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {ready, until} from '../helpers/processes.ts';
import {connectAgent, createStranger, enrolStranger} from '../helpers/stranger.ts';

const machineTimeoutSeconds = 15;
const helloEveryMs = 1000;

type Agent = {
  readonly machineId: string;
  readonly reboots: Set<string>;
  /** Comes back from a reboot with the image that it shall run. */
  works: boolean;
};

/** An enrolled machine that is only an agent: told to reboot, it says hello from its desired image, once for each command. */
async function startAgent(muster: Muster, number: number): Promise<Agent> {
  const mac = `52:54:00:00:07:0${number}`;
  const stranger = createStranger(muster, {mac, serial: `ROLL-${number}`});
  const enrolled = await enrolStranger(stranger);
  const {machineId} = enrolled;
  const nats = await connectAgent(stranger, enrolled);
  muster.defer(() => nats.close());
  const agent: Agent = {machineId, reboots: new Set(), works: true};
  const received = new Set<string>();
  nats.subscribe(subjects.command(machineId, 'received'), {
    callback(_error, message) {
      const {received: receipt} = message.json<{received?: {reportIds?: readonly string[]}}>();
      for (const id of receipt?.reportIds ?? []) received.add(id);
    },
  });
  nats.subscribe(subjects.command(machineId, 'reboot'), {
    callback(_error, message) {
      const {commandId} = message.json<{commandId: string}>();
      if (agent.reboots.has(commandId)) return;
      agent.reboots.add(commandId);
      if (agent.works) void boot();
    },
  });

  async function boot(): Promise<void> {
    const imageInputKey = await until(`the image of machine ${number}`, async () => {
      const {machine} = await muster.client(MachineService).getMachine({id: machineId});
      const {image} = await muster
        .client(ImageService)
        .getImage({id: machine?.desiredImageId ?? ''});
      return image?.inputKey;
    });
    const hello = {bootId: randomUUID(), imageInputKey, agentVersion: '1'};
    const report = {reportId: randomUUID(), machineId, hello};
    // As agents do: whoever heard it may have died before it was committed.
    await until(`the receipt of machine ${number}`, async () => {
      nats.publish(subjects.agentReport(machineId, 'hello'), JSON.stringify(report));
      await nats.flush();
      await sleep(helloEveryMs);
      return received.has(report.reportId);
    });
  }
  return agent;
}

const inState = (muster: Muster, id: string, state: Rollout_State): Promise<Rollout> =>
  until(`roll-out in state ${state}`, async () => {
    const {rollout} = await muster.client(RolloutService).getRollout({id});
    return rollout?.state === state ? rollout : undefined;
  });

test('a roll-out goes from its canary on, halts at a machine that fails, and is resumed after kill -9', async t => {
  t.timeout(300_000);
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const agents: Agent[] = [];
  for (let number = 1; number <= 5; number += 1) agents.push(await startAgent(muster, number));
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

  const halted = await inState(muster, id, Rollout_State.HALTED);
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
  t.is((await inState(muster, id, Rollout_State.HALTED)).waves[2]?.counts?.queued, 2);
  for (const {machineId, reboots} of others.slice(1)) t.is(reboots.size, 0, machineId);

  broken.works = true;
  await muster.client(RolloutService).resumeRollout({id, retryFailed: true});
  const over = await inState(muster, id, Rollout_State.SUCCEEDED);
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
