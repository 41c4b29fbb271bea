import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  type Rollout,
  type Rollout_State,
  RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import type {Muster} from './muster.ts';
import {until} from './processes.ts';
import {connectAgent, createStranger, enrolStranger} from './stranger.ts';

const helloEveryMs = 1000;

export type RolledMachine = {
  readonly machineId: string;
  /** By command. */
  readonly reboots: Set<string>;
  /** Comes back from a reboot with the image that it shall run. */
  works: boolean;
};

/** An enrolled machine that is only an agent: told to reboot, it says hello from its desired image, once for each command. */
export async function startRolledMachine(muster: Muster, number: number): Promise<RolledMachine> {
  const mac = `52:54:00:00:07:0${number}`;
  const stranger = createStranger(muster, {mac, serial: `ROLL-${number}`});
  const enrolled = await enrolStranger(stranger);
  const {machineId} = enrolled;
  const nats = await connectAgent(stranger, enrolled);
  muster.defer(() => nats.close());
  const machine: RolledMachine = {machineId, reboots: new Set(), works: true};
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
      if (machine.reboots.has(commandId)) return;
      machine.reboots.add(commandId);
      if (machine.works) void boot();
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
  return machine;
}

export const rolloutIn = (muster: Muster, id: string, state: Rollout_State): Promise<Rollout> =>
  until(`roll-out in state ${state}`, async () => {
    const {rollout} = await muster.client(RolloutService).getRollout({id});
    return rollout?.state === state ? rollout : undefined;
  });
