import test, {type ExecutionContext} from 'ava';
import {type LabMachine, labMachines} from '@muster/cli/lab/machines.ts';
import type {Vm} from '@muster/cli/lab/vm.ts';
import {BootService, BootSession_State} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {type MachineRoom, openMachineRoom} from '../helpers/machine-room.ts';
import type {Muster} from '../helpers/muster.ts';
import {type ManagedProcess, until} from '../helpers/processes.ts';
import {build, limits} from './machine-work.ts';
import {rollBack} from './rollback.ts';

/** Four times what a quiet machine needs from the last layer to the hello. */
const trialLimitSeconds = '60';

test('a BIOS and a UEFI machine go from power-on to ACTIVE in their own images, and back from one that is silent', async t => {
  const started = performance.now();
  await using room = await openMachineRoom({TRIAL_LIMIT_SECONDS: trialLimitSeconds});
  print(t, 'registration image', started);

  const [bios, uefi] = ['bios', 'uefi'].map(firmware =>
    labMachines.find(machine => machine.firmware === firmware),
  );
  if (!bios || !uefi) throw new Error('The lab has no machine of each firmware');
  await carry(t, room, bios, {
    afterwards: (vm, machineId) => rollBack(t, room.muster, {machineId, hostName: bios.name, vm}),
  });
  // One run in which each process is killed once, at the step where it matters most.
  await carry(t, room, uefi, {at: step => killAt(room.muster, step)});
});

type StepName = 'power-on' | 'enrolled' | 'building' | 'ready' | 'active';

async function killAt(muster: Muster, step: StepName): Promise<void> {
  const victims: Readonly<Record<StepName, ManagedProcess | 'postgres'>> = {
    'power-on': muster.edge,
    enrolled: muster.server,
    building: muster.builder,
    ready: muster.nats,
    active: 'postgres',
  };
  const victim = victims[step];
  if (victim === 'postgres') {
    await muster.postgres.stop('SIGKILL');
    await muster.postgres.start();
    return;
  }
  await victim.stop('SIGKILL');
  victim.start();
}

async function carry(
  t: ExecutionContext,
  {muster, powerOn}: MachineRoom,
  lab: LabMachine,
  {
    at = async () => undefined,
    afterwards,
  }: {
    at?: (step: StepName) => Promise<void>;
    afterwards?: (vm: Vm, machineId: string) => Promise<void>;
  },
): Promise<void> {
  const machines = muster.client(MachineService);
  const find = async () => (await machines.getMachine({id: lab.macAddress})).machine;
  const inState = async (state: Machine_State) => {
    const machine = await find();
    return machine?.state === state && machine;
  };

  const start = performance.now();
  await using vm = await powerOn(lab, {memoryMb: 1024});
  try {
    await at('power-on');
    const {id} = await until('ENROLLED', () => inState(Machine_State.ENROLLED), limits.enrol);
    print(t, `${lab.name}: power-on to enrolled`, start);
    await at('enrolled');

    const buildStart = performance.now();
    await build(t, muster, {
      machineId: id,
      imageConfig: {hostName: lab.name},
      whileRunning: () => at('building'),
    });
    print(t, `${lab.name}: build and boot tests`, buildStart);
    await at('ready');

    const rebootStart = performance.now();
    await until('ACTIVE', () => inState(Machine_State.ACTIVE), limits.active);
    print(t, `${lab.name}: ready to active`, rebootStart);
    await at('active');
    const metrics = muster.client(MetricsService);
    await until(
      'metrics',
      async () => {
        const {metrics: latest} = await metrics.getLatestMetrics({machineId: id});
        return (latest?.memoryTotalBytes ?? 0n) > 0n;
      },
      limits.metrics,
    );

    const {bootSessions} = await muster.client(BootService).listBootSessions({machineId: id});
    t.is(bootSessions[0]?.state, BootSession_State.COMPLETED, bootSessions[0]?.diagnosis);
    t.true(bootSessions.length >= 2);
    await afterwards?.(vm, id);
  } catch (error) {
    t.log(vm.tail(40));
    throw error;
  }
}

function print(t: ExecutionContext, what: string, since: number): void {
  t.log(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`);
}
