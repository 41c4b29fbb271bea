import type {ExecutionContext} from 'ava';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {startRealBuilder} from '../helpers/machine-room.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {createProcessMachine, type ProcessMachine} from '../helpers/process-machine.ts';
import {until} from '../helpers/processes.ts';

export type Victim = 'server' | 'edge' | 'nats' | 'postgres' | 'builder';

/** Quiet runs need a second or two a step; the limit covers a restart and every back-off on the way. */
const stepTimeoutMs = 60_000;
/** A killed builder makes and boot-tests real images again. */
const buildTimeoutMs = 20 * 60_000;

type Step = {
  readonly name: string;
  /** May fail while the victim is away; done when it gives something. */
  readonly act: (muster: Muster, machine: ProcessMachine) => Promise<unknown>;
};

const find = async (muster: Muster, machine: ProcessMachine) =>
  (await muster.client(MachineService).getMachine({id: machine.mac})).machine;

const inState = async (muster: Muster, machine: ProcessMachine, state: Machine_State) =>
  (await find(muster, machine))?.state === state;

const id = async (muster: Muster, machine: ProcessMachine) =>
  (await find(muster, machine))?.id ?? '';

/** The main job in named steps: each is tried until it succeeds, as a machine or an operator would. */
const steps: readonly Step[] = [
  {name: 'the boot loader by TFTP', act: (_, machine) => machine.fetchLoader()},
  {
    name: 'the script that boots the registration image',
    act: async (_, machine) => (await machine.fetchScript()).includes('/boot/token.cpio'),
  },
  {
    name: 'kernel, initrd and boot token',
    act: async (_, machine) => {
      await machine.boot();
      return true;
    },
  },
  {
    name: 'the enrolment',
    act: (muster, machine) => inState(muster, machine, Machine_State.ENROLLED),
  },
  {
    name: 'the inventory',
    act: async (muster, machine) =>
      (await muster.client(HardwareService).getHardware({machineId: await id(muster, machine)}))
        .hardware,
  },
  {
    name: 'the configuration',
    act: async (muster, machine) =>
      muster.client(MachineService).updateMachine({
        machine: {id: await id(muster, machine), imageConfig: {hostName: 'web1'}},
        updateMask: {paths: ['image_config']},
      }),
  },
  {
    name: 'the build',
    act: async (muster, machine) => {
      const builds = muster.client(BuildService);
      const machineId = await id(muster, machine);
      const {builds: known} = await builds.listBuilds({machineId});
      if (known.length === 0) await builds.createBuild({machineId});
      return known[0]?.operation?.state === Operation_State.SUCCEEDED;
    },
  },
  {
    name: 'READY',
    act: (muster, machine) => inState(muster, machine, Machine_State.READY),
  },
  {
    name: 'the reboot command',
    act: async (_, machine) => (await machine.log()).includes('reboot'),
  },
  {
    name: 'the boot of its own image',
    act: async (muster, machine) => {
      const script = await machine.fetchScript();
      const desired = (await find(muster, machine))?.desiredImageId;
      if (!desired || !script.includes(desired)) return false;
      await machine.runScript(script);
      return true;
    },
  },
  {name: 'ACTIVE', act: (muster, machine) => inState(muster, machine, Machine_State.ACTIVE)},
  {
    name: 'metrics',
    act: async (muster, machine) => {
      const {metrics} = await muster
        .client(MetricsService)
        .getLatestMetrics({machineId: await id(muster, machine)});
      return metrics?.memoryTotalBytes;
    },
  },
];

/**
 * Runs the main job; before every step the victim is killed with `kill -9` and started again while the step is being tried. At the end nothing that
 * was acknowledged is missing: one machine, one enrolment, one build, a gapless journal.
 */
export async function runWithKills(t: ExecutionContext, victim: Victim): Promise<void> {
  await using muster = await startMuster();
  const isBuilder = victim === 'builder';
  if (isBuilder) await startRealBuilder(muster);
  await using builder = isBuilder ? undefined : await startContractBuilder(muster, 'b1');
  void builder;
  const timeoutMs = isBuilder ? buildTimeoutMs : stepTimeoutMs;
  const machine = await createProcessMachine(muster, victim, {
    mac: '52:54:00:00:01:01',
    serial: `FAULT-${victim}`,
  });
  await until(
    'the registration images',
    async () => (await machine.fetchScript()).includes('/boot/token.cpio'),
    timeoutMs,
  );

  for (const step of steps) {
    await kill(muster, victim);
    const acted = until(step.name, () => step.act(muster, machine), timeoutMs);
    await start(muster, victim);
    await acted;
    t.pass(step.name);
  }

  const {machines} = await muster.client(MachineService).listMachines({});
  t.is(machines.length, 1);
  const milestones = ['machine.enrolled', 'machine.ready', 'machine.active'];
  // The relay may still be on its way back.
  const events = await until('the journal', async () => {
    const found = await journal(muster);
    return milestones.every(type => found.some(event => event.type === type)) && found;
  });
  t.deepEqual(
    events.map(event => Number(event.position)),
    events.map((_, index) => index + 1),
  );
  for (const type of milestones) t.is(events.filter(event => event.type === type).length, 1, type);
  await machine.agent.stop();
}

async function journal(muster: Muster) {
  const {events} = await muster.client(EventService).listEvents({after: 0n, pageSize: 1000});
  return events;
}

const kill = (muster: Muster, victim: Victim) => muster[victim].stop('SIGKILL');

async function start(muster: Muster, victim: Victim): Promise<void> {
  await muster[victim].start();
}
