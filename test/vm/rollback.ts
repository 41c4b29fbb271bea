import type {ExecutionContext} from 'ava';
import type {Vm} from '@muster/cli/lab/vm.ts';
import {BootService, BootSession_State} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Muster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {build, limits} from './machine-work.ts';

/** The agent runs where the boot test runs, and nowhere else: an image that passes its test and then is silent on the machine. */
const silentOnRealHardware = {
  path: '/etc/systemd/system/muster-agent.service.d/silent.conf',
  content: '[Service]\nExecCondition=/bin/grep -q QEMU /sys/class/dmi/id/sys_vendor\n',
};

/** An ACTIVE machine gets an image that never says hello: two trials, a bad mark, and it runs the last good image again. */
export async function rollBack(
  t: ExecutionContext,
  muster: Muster,
  {machineId, hostName, vm}: {machineId: string; hostName: string; vm: Vm},
): Promise<void> {
  const started = performance.now();
  const machines = muster.client(MachineService);
  const boots = muster.client(BootService);
  const find = async () => (await machines.getMachine({id: machineId})).machine;
  const good = (await find())?.bootedImageId ?? '';
  const imageConfig = {hostName, files: [silentOnRealHardware]};
  const silent = await build(t, muster, {machineId, imageConfig});
  const {machine: before} = await machines.getMachine({id: machineId});
  t.is(before?.state, Machine_State.ACTIVE, 'a build moves no machine out of ACTIVE');

  for (const verdict of ['image.trial_failed', 'image.marked_bad']) {
    await vm.powerCycle();
    await until(verdict, () => happened(muster, machineId, verdict), limits.active);
  }
  const {decision} = await boots.explainBoot({machine: machineId});
  t.is(decision?.imageId, good);
  t.regex(decision?.reason ?? '', /failed two trials.*last image that worked/);

  await vm.powerCycle();
  await until(
    'a hello from the last good image',
    async () =>
      (await boots.listBootSessions({machineId})).bootSessions[0]?.state ===
      BootSession_State.COMPLETED,
    limits.active,
  );
  const after = await find();
  t.like(after, {bootedImageId: good, desiredImageId: silent, state: Machine_State.ACTIVE});
  const {bootSessions} = await boots.listBootSessions({machineId});
  t.deepEqual(
    bootSessions.slice(0, 3).map(({imageId}) => imageId),
    [good, silent, silent],
  );
  for (const {diagnosis} of bootSessions.slice(1, 3)) t.regex(diagnosis, /the agent/);
  t.log(`rolled back: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function happened(muster: Muster, machineId: string, type: string): Promise<boolean> {
  const {events} = await muster
    .client(EventService)
    .listEvents({machineId, after: 0n, pageSize: 1000});
  return events.some(event => event.type === type);
}
