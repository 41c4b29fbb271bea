import {Code, ConnectError} from '@connectrpc/connect';
import {setTimeout as delay} from 'node:timers/promises';
import type {Build} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind, Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {describeProgress} from '../build-progress.ts';
import type {Clients} from '../client.ts';
import {assertAnswered, CommandError} from '../exit-status.ts';

const pageSizeMax = 1000;
const pollMs = 2000;
/** A builder that starts beside the lab reports what it can do within seconds. */
const builderLimitMs = 60_000;

/**
 * Waits until there is a registration image for virtual machines, and asks for one when nobody has: strangers only wait without it.
 */
export async function ensureRegistrationImage(
  clients: Clients,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (await hasImage(clients)) return;
  const build = (await findBuild(clients)) ?? (await startBuild(clients, signal));
  say('waiting for the registration image: the first build takes some minutes');
  let last = '';
  for await (const {update} of clients.builds.watchBuild({id: build.id}, {signal})) {
    if (update.case !== 'build') continue;
    const {operation} = update.value;
    if (operation?.state === Operation_State.FAILED)
      throw new CommandError(`The build of the registration image failed: ${operation.error}`);
    const progress = describeProgress(update.value);
    if (progress !== last) say(progress);
    last = progress;
  }
  if (!(await hasImage(clients)))
    throw new CommandError(
      `Build ${build.id} of the registration image ended without an image: muster build watch ${build.id} tells more`,
    );
}

async function hasImage(clients: Clients): Promise<boolean> {
  const kind = Image_Kind.REGISTRATION;
  const {images} = await clients.images.listImages({kind, pageSize: pageSizeMax});
  return images.some(({variant}) => variant === Image_Variant.VIRTUAL);
}

/** One that somebody, perhaps the server itself, has asked for already. */
async function findBuild(clients: Clients): Promise<Build | undefined> {
  const {builds} = await clients.builds.listBuilds({pageSize: 100});
  const open = new Set<number>([Operation_State.QUEUED, Operation_State.RUNNING]);
  return builds.find(
    ({kind, variant, operation}) =>
      kind === Image_Kind.REGISTRATION &&
      variant === Image_Variant.VIRTUAL &&
      open.has(operation?.state ?? 0),
  );
}

async function startBuild(clients: Clients, signal: AbortSignal): Promise<Build> {
  const deadlineMs = performance.now() + builderLimitMs;
  for (;;) {
    try {
      const variant = Image_Variant.VIRTUAL;
      const {build} = await clients.builds.createRegistrationBuild({variant}, {signal});
      assertAnswered(build);
      return build;
    } catch (error) {
      const noBuilder = error instanceof ConnectError && error.code === Code.FailedPrecondition;
      if (!noBuilder || performance.now() > deadlineMs) throw error;
    }
    await delay(pollMs, undefined, {signal});
  }
}
