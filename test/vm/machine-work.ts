import type {ExecutionContext} from 'ava';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {type ImageConfigSchema, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Muster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';

const minuteMs = 60_000;
/** Four times what a quiet machine needs under TCG. */
export const limits = {
  enrol: 4 * minuteMs,
  build: 20 * minuteMs,
  active: 4 * minuteMs,
  metrics: 2 * minuteMs,
};

/** Configures the machine and builds its image; tries again while a process is away. Gives the image's id. */
export async function build(
  t: ExecutionContext,
  muster: Muster,
  {
    machineId,
    imageConfig,
    whileRunning = async () => undefined,
  }: {
    readonly machineId: string;
    readonly imageConfig: MessageInitShape<typeof ImageConfigSchema>;
    readonly whileRunning?: () => Promise<void>;
  },
): Promise<string> {
  const builds = muster.client(BuildService);
  await until('the configuration', () =>
    muster.client(MachineService).updateMachine({
      machine: {id: machineId, imageConfig},
      updateMask: {paths: ['image_config']},
    }),
  );
  const id = await until('the build request', async () => {
    const {build} = await builds.createBuild({machineId});
    return build?.id;
  });
  const reaches = (state: Operation_State) => async () => {
    const {build} = await builds.getBuild({id});
    return (build?.operation?.state ?? 0) >= state && build;
  };
  await until('the build to run', reaches(Operation_State.RUNNING), limits.build);
  await whileRunning();
  const ended = await until(
    'the end of the build',
    reaches(Operation_State.SUCCEEDED),
    limits.build,
  );
  t.is(ended.operation?.state, Operation_State.SUCCEEDED, ended.operation?.error);
  return ended.imageId;
}
