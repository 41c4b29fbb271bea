import test from 'ava';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {
  type ImageTest,
  ImageTest_Status,
  ImageTest_TestType,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  type OperationChild,
  OperationChild_State,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {Rollout_State, RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {ready, until} from '../helpers/processes.ts';
import {rolloutIn, startRolledMachine} from '../helpers/rolled-machine.ts';

const {SCRIPT} = ImageTest_TestType;
const {RUNNING, CANCELLED, PASSED} = ImageTest_Status;
const group = 'gated';
const machineTimeoutSeconds = 30;

async function killServer(muster: Muster): Promise<void> {
  await muster.server.stop('SIGKILL');
  muster.server.start();
  await ready(`${muster.serverUrl}/readyz`);
}

/** A canary and one more, each with an image of its own, in a group with a gate; and what is asked of them. */
async function setUp(imageGate: string[]) {
  await using stack = new AsyncDisposableStack();
  const muster = stack.use(await startMuster());
  stack.use(await startContractBuilder(muster, 'b1'));
  await muster.client(GroupService).createGroup({group: {name: group, imageGate}});
  const machines = [await startRolledMachine(muster, 1), await startRolledMachine(muster, 2)];
  for (const [index, {machineId: id}] of machines.entries()) {
    await muster.client(MachineService).updateMachine({
      machine: {id, imageConfig: {hostName: `gated-${index}`}},
      updateMask: {paths: ['image_config']},
    });
    await muster.client(GroupService).addGroupMachine({groupId: group, machineId: id});
  }
  const {rollout} = await muster.client(RolloutService).createRollout({
    machineIds: machines.map(({machineId}) => machineId),
    canary: 1,
    machineTimeoutSeconds,
  });
  const id = rollout?.id ?? '';
  const [canary, second] = machines;
  if (!canary || !second) throw new Error('There are no machines');
  const children = async () =>
    (await muster.client(OperationService).listOperationChildren({operationId: id})).children;
  const owned = stack.move();
  return {
    muster,
    id,
    canary,
    second,
    children,
    tests: () => muster.client(ImageTestService),
    rollout: async () => (await muster.client(RolloutService).getRollout({id})).rollout,
    machine: async (machineId: string) =>
      (await muster.client(MachineService).getMachine({id: machineId})).machine,
    childWhen: (number: number, holds: (child: OperationChild) => boolean) =>
      until(`machine ${number} of the roll-out`, async () => {
        const child = (await children())[number - 1];
        return child && holds(child) ? child : undefined;
      }),
    setGate: (gate: string[]) =>
      muster
        .client(GroupService)
        .updateGroup({group: {id: group, imageGate: gate}, updateMask: {paths: ['image_gate']}}),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Site = Awaited<ReturnType<typeof setUp>>;

const testWhen = ({tests}: Site, id: string, holds: (test: ImageTest) => boolean) =>
  until(`image test ${id}`, async () => {
    const {imageTest} = await tests().getImageTest({id});
    return imageTest && holds(imageTest) ? imageTest : undefined;
  });

async function runScript(site: Site, imageId: string, script: string): Promise<string> {
  const {imageTest} = await site.tests().createImageTest({
    imageId,
    testType: SCRIPT,
    machineId: site.canary.machineId,
    plan: {script, scriptName: 'smoke'},
  });
  return imageTest?.id ?? '';
}

test('a roll-out waits at a gate and says why, through a changed gate, a failed test, and kill -9', async t => {
  t.timeout(300_000);
  await using site = await setUp(['script:smoke']);
  const {muster, id, canary, second} = site;

  const waits = await site.childWhen(1, ({step}) => step === 'testing');
  t.regex(waits.summary, /built image "[0-9a-f]{12}", which is held back for tests/);
  t.is(
    waits.nextStep,
    `It waits for script:smoke (required by group gated); "muster image-tests gate ${canary.machineId}" shows each test. Then it is told to reboot`,
  );
  t.is(
    (await site.rollout())?.nextStep,
    'Wave 1 of 2: 0 of 1 machine up to here are over; 1 machine waits for tests of the new image ("muster image-tests gate MACHINE" shows which); wave 2 begins when all of them are, and no more than 0 failed',
  );
  await killServer(muster);
  const {imageId = ''} =
    (await site.tests().explainImageGate({machineId: canary.machineId})).gate ?? {};
  t.deepEqual(
    (await site.children()).map(({state, step}) => [state, step]),
    [
      [OperationChild_State.RUNNING, 'testing'],
      [OperationChild_State.QUEUED, ''],
    ],
  );

  // In the middle, the gate asks for something that this image does not pass.
  await site.setGate(['script:smoke', 'service:broken.service']);
  const halted = await rolloutIn(muster, id, Rollout_State.HALTED);
  t.is(halted.holdReason, '1 machine failed, more than the 0 that are allowed');
  const [failed, untouched] = await site.children();
  t.is(
    failed?.error,
    `Its image did not pass the gate of its groups: It failed service:broken.service (required by group gated). "muster image-tests gate ${canary.machineId}" shows the test: correct the image, or run the test again; then resume the roll-out and try the machine again`,
  );
  t.like(untouched, {state: OperationChild_State.QUEUED, buildId: ''});
  t.like(await site.machine(canary.machineId), {state: Machine_State.FAILED, desiredImageId: ''});

  // And then no longer. The script goes on until the server that started it is dead, and is cancelled at the next.
  await site.setGate(['script:smoke']);
  await muster.client(RolloutService).resumeRollout({id, retryFailed: true});
  await site.childWhen(1, ({step}) => step === 'testing');
  const endless = await runScript(site, imageId, 'wait');
  await testWhen(site, endless, ({status}) => status === RUNNING);
  await killServer(muster);
  await testWhen(site, endless, ({status, attempt}) => status === RUNNING && attempt > 1);
  await site.tests().cancelImageTest({id: endless});
  await testWhen(site, endless, ({status}) => status === CANCELLED);
  t.is((await site.childWhen(1, ({step}) => step !== 'building')).step, 'testing');
  t.is(canary.reboots.size + second.reboots.size, 0);

  const passing = await runScript(site, imageId, 'true');
  await testWhen(site, passing, ({status}) => status === PASSED);
  const over = await rolloutIn(muster, id, Rollout_State.SUCCEEDED);
  t.like(over.operation?.children, {total: 2, succeeded: 2});
  for (const {machineId, reboots} of [canary, second]) {
    const machine = await site.machine(machineId);
    t.like(machine, {state: Machine_State.ACTIVE, bootedImageId: machine?.desiredImageId});
    t.is(reboots.size, 1);
  }
  t.deepEqual(await gateEvents(muster, canary.machineId), [
    'image_gate.held',
    'image_gate.closed',
    'image_gate.waiting',
    'image_gate.held',
    'image_gate.opened',
  ]);
  const {imageTests} = await site.tests().listImageTests({machineId: second.machineId});
  t.deepEqual(
    imageTests.map(({names, status, actor}) => [names, status, actor]),
    [[['script:smoke'], PASSED, 'system']],
    'the script that passed for the canary is run for the next machine by itself',
  );
});

const gateEvents = async ({postgres}: Muster, machineId: string): Promise<readonly string[]> =>
  (
    await postgres.sql<{type: string}[]>`
      select type from events where machine_id = ${machineId} and type like 'image_gate.%' order by position
    `
  ).map(({type}) => type);

test('a newer build of a machine that waits at a gate ends its roll-out, without a reboot for nothing', async t => {
  t.timeout(300_000);
  await using site = await setUp(['script:smoke']);
  const {muster, id, canary} = site;
  await site.childWhen(1, ({step}) => step === 'testing');
  await muster.client(MachineService).updateMachine({
    machine: {id: canary.machineId, imageConfig: {hostName: 'renamed'}},
    updateMask: {paths: ['image_config']},
  });
  const {build} = await muster.client(BuildService).createBuild({machineId: canary.machineId});
  t.truthy(build?.id);
  await rolloutIn(muster, id, Rollout_State.HALTED);
  const [failed] = await site.children();
  t.is(failed?.error, 'Another image was built for the machine meanwhile');
  t.is(canary.reboots.size, 0);
  t.regex((await site.machine(canary.machineId))?.stateReason ?? '', /It waits for script:smoke/);
});
