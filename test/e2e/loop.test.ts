import test from 'ava';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {
  Machine_Presence,
  Machine_State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {until} from '../helpers/processes.ts';

test('a machine goes from its first boot request to ACTIVE and streams metrics', async t => {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const machines = muster.client(MachineService);
  const machine = await createProcessMachine(muster, 'm1', {
    mac: '52:54:00:00:00:01',
    serial: 'LOOP 1/A&B',
  });
  const find = () => machines.getMachine({id: machine.mac}).then(({machine}) => machine);

  const script = await until('a registration image', async () => {
    const text = await machine.fetchScript();
    return text.includes('/boot/token.cpio') && text;
  });
  await machine.fetchLoader();
  await machine.runScript(script);
  const enrolled = await until('the enrolment', async () => {
    const found = await find();
    return found?.state === Machine_State.ENROLLED && found;
  });
  t.is(enrolled.serviceTag, 'LOOP 1/A&B');

  const hardware = await until('the inventory', async () => {
    const answer = await muster.client(HardwareService).getHardware({machineId: enrolled.id});
    return answer.hardware;
  });
  t.true((hardware.memory?.totalBytes ?? 0n) > 0n);

  await machines.updateMachine({
    machine: {
      id: enrolled.id,
      hostname: 'web1',
      imageConfig: {hostName: 'web1', packages: ['nginx']},
    },
    updateMask: {paths: ['hostname', 'image_config']},
  });
  const builds = muster.client(BuildService);
  const {build} = await builds.createBuild({machineId: enrolled.id});
  let last: Operation_State | undefined;
  for await (const {update} of builds.watchBuild({id: build?.id ?? ''}))
    if (update.case === 'build') last = update.value.operation?.state;
  t.is(last, Operation_State.SUCCEEDED);

  await until('the reboot command', async () => (await machine.log()).includes('reboot'));
  await machine.boot();
  await until('ACTIVE', async () => (await find())?.state === Machine_State.ACTIVE);
  const active = await find();
  t.is(active?.presence, Machine_Presence.ONLINE);
  t.is(active?.bootedImageId, active?.desiredImageId);

  const metrics = muster.client(MetricsService);
  await until('metrics', async () => {
    const answer = await metrics.getLatestMetrics({machineId: enrolled.id});
    return answer.metrics?.memoryTotalBytes !== undefined;
  });
  const {bootSessions} = await muster
    .client(BootService)
    .listBootSessions({machineId: enrolled.id});
  t.true(bootSessions.length >= 2);
  t.true(bootSessions.every(session => session.diagnosis !== ''));
});
