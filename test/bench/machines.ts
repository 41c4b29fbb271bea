import {type LabMachine, labMachines} from '@muster/cli/lab/machines.ts';
import {
  type Image,
  Image_Kind,
  Image_Variant,
  ImageService,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {type MachineRoom, openMachineRoom} from '../helpers/machine-room.ts';
import {until} from '../helpers/processes.ts';
import {print} from './measure.ts';

const enrolLimitMs = 4 * 60_000;
const smallMemoryMb = 512;
/** What a prototype with the same firmware, kernel and runtime took on this kind of machine, quiet. */
const prototypeSeconds = {bios: 16, uefi: 23};
const goalSeconds = {bios: 25, uefi: 35};
const imageMegabytesMax = {virtual: 65, full: 75};
const fullImageMs = 20 * 60_000;

/** Whole machines under TCG: power-on to enrolled, what they download, the least memory that enrols. */
export async function benchMachines(): Promise<void> {
  await using room = await openMachineRoom();
  printSize('virtual', room.registrationImage);

  const [dell, hpe, supermicro] = labMachines;
  for (const machine of [dell, hpe]) {
    if (!machine) continue;
    const seconds = await enrol(room, machine, 1024);
    const {firmware} = machine;
    print({
      what: `power-on to enrolled, ${firmware.toUpperCase()}`,
      value: `${seconds.toFixed(1)} s`,
      base: `${(seconds / prototypeSeconds[firmware]).toFixed(2)} × prototype (${prototypeSeconds[firmware]} s)`,
      limit: `≤ ${goalSeconds[firmware]} s`,
      met: seconds <= goalSeconds[firmware],
    });
  }
  if (!supermicro) throw new Error('The lab has no third machine');
  const seconds = await enrol(room, supermicro, smallMemoryMb);
  print({
    what: 'least memory that enrols (tried)',
    value: `${smallMemoryMb} MiB`,
    base: `enrolled after ${seconds.toFixed(1)} s`,
    limit: '≤ 512 MiB',
    met: true,
  });
  printSize('full', await until('the full registration image', () => fullImage(room), fullImageMs));
}

function printSize(variant: 'virtual' | 'full', {kernel, initrds}: Image): void {
  const megabytes =
    [kernel, ...initrds].reduce((sum, file) => sum + Number(file?.sizeBytes ?? 0n), 0) / 1e6;
  print({
    what: `kernel and initrd, registration image (${variant})`,
    value: `${megabytes.toFixed(1)} MB`,
    limit: `≤ ${imageMegabytesMax[variant]} MB`,
    met: megabytes <= imageMegabytesMax[variant],
  });
}

/** The builder makes it after the small one. */
async function fullImage({muster}: MachineRoom): Promise<Image | undefined> {
  const {images} = await muster.client(ImageService).listImages({kind: Image_Kind.REGISTRATION});
  return images.find(({variant}) => variant === Image_Variant.FULL);
}

async function enrol(room: MachineRoom, machine: LabMachine, memoryMb: number): Promise<number> {
  const machines = room.muster.client(MachineService);
  const start = performance.now();
  await using vm = await room.powerOn(machine, {memoryMb});
  void vm;
  await until(
    `${machine.name} to enrol with ${memoryMb} MiB`,
    async () => {
      const answer = await machines.getMachine({id: machine.macAddress});
      return answer.machine?.state === Machine_State.ENROLLED;
    },
    enrolLimitMs,
  );
  return (performance.now() - start) / 1000;
}
