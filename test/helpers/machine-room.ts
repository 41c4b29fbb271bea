import {mkdir, symlink} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {startDhcp} from '@muster/cli/lab/dhcp.ts';
import type {LabMachine} from '@muster/cli/lab/machines.ts';
import {createLabNetwork, hostAddressOf, type LabPlan} from '@muster/cli/lab/network.ts';
import {startVm, type Vm} from '@muster/cli/lab/vm.ts';
import {
  type Image,
  Image_Kind,
  Image_Variant,
  ImageService,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {type Muster, startMuster} from './muster.ts';
import {until} from './processes.ts';

/** Downloads included: four times what a quiet machine needs. */
const registrationImageMs = 20 * 60_000;
/** Downloads and base layers are kept between runs; the builder checks them by digest. */
const builderCache = '/var/cache/muster-test/builder';

const plan: LabPlan = {
  namespace: 'muster-test',
  hostInterface: 'muster-test',
  prefix: '10.79.0',
  taps: ['tap0'],
};

export type MachineRoom = AsyncDisposable & {
  readonly muster: Muster;
  /** The small registration image, built by the real builder. */
  readonly registrationImage: Image;
  /** One machine at a time. */
  powerOn(machine: LabMachine, options: {readonly memoryMb: number}): Promise<Vm>;
};

/** Its first start; later ones are `muster.builder.start()`. */
export async function startRealBuilder(muster: Muster): Promise<void> {
  await mkdir(builderCache, {recursive: true});
  await symlink(builderCache, join(muster.folder, 'builder', 'cache'));
  muster.builder.start();
}

/** A whole Muster with its real builder, a network of its own and the site's DHCP server: machines can be turned on. */
export async function openMachineRoom(
  serverEnv: Readonly<Record<string, string>> = {},
): Promise<MachineRoom> {
  await using stack = new AsyncDisposableStack();
  const muster = stack.use(await startMuster({forMachines: true, serverEnv}));
  await startRealBuilder(muster);
  stack.use(await createLabNetwork(plan));
  stack.use(
    await startDhcp(plan, {
      edge: {address: hostAddressOf(plan), port: Number(new URL(muster.edgeUrl).port)},
      folder: muster.folder,
      onLine: () => undefined,
    }),
  );
  const images = muster.client(ImageService);
  const registrationImage = await until(
    'the virtual registration image',
    async () => {
      const answer = await images.listImages({kind: Image_Kind.REGISTRATION});
      return answer.images.find(image => image.variant === Image_Variant.VIRTUAL);
    },
    registrationImageMs,
  );
  const owned = stack.move();
  return {
    muster,
    registrationImage,
    powerOn: (machine, {memoryMb}) =>
      startVm({
        ...machine,
        namespace: plan.namespace,
        tap: 'tap0',
        memoryMb,
        cpus: Math.min(2, availableParallelism()),
        accelerator: 'tcg',
        folder: join(muster.folder, 'vm'),
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
