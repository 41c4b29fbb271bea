import {Code, ConnectError} from '@connectrpc/connect';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {setTimeout as sleep} from 'node:timers/promises';
import {serialMark} from '@muster/simulator/hardware/machine.ts';
import type {MachineRecord} from '@muster/simulator/ledger.ts';
import type {ImageFacts} from '@muster/simulator/machine.ts';
import {emptyVerdict, judgeMachine, type Verdict} from '@muster/simulator/verify.ts';
import {collectPages, type Context} from '../context.ts';
import {samplesComparedMax} from './options.ts';

const simulated = `service_tag = "${serialMark}*"`;
const callsAtOnceMax = 4;
const machinesListedMax = 1_000_000;
const imageRetryMs = 2000;
/** For machines whose samples began before the run's clock did. */
const slackSeconds = 600;

/** Machines that no simulator made. */
export async function countRealMachines({clients}: Context): Promise<number> {
  const answer = await clients.machines.listMachines({
    filter: `NOT ${simulated}`,
    pageSize: 1,
    readMask: {paths: ['id']},
    countTotal: true,
  });
  return Number(answer.totalSize);
}

/** How many simulated machines are in which state, by the server. */
export async function countStates({clients}: Context): Promise<ReadonlyMap<string, number>> {
  const {facets} = await clients.machines.listMachineFacets({filter: simulated, fields: ['state']});
  return new Map(facets[0]?.values.map(({value, count}) => [value, Number(count)]));
}

/**
 * What image.json inside an image says. A real machine reads it from its initrd; here the server is asked, once an image, and again until it answers: a
 * machine that has its image does not need the server to know what it runs.
 */
export function createImageLookup({clients, signal}: Context) {
  const known = new Map<string, Promise<ImageFacts>>();
  const ask = async (id: string): Promise<ImageFacts> => {
    for (;;) {
      try {
        const {image} = await clients.images.getImage({id});
        const isMachineImage = image?.kind === Image_Kind.MACHINE;
        return {inputKey: image?.inputKey ?? '', isMachineImage};
      } catch (error) {
        const {code} = ConnectError.from(error);
        if (code === Code.NotFound || code === Code.PermissionDenied || signal.aborted) throw error;
        await sleep(imageRetryMs);
      }
    }
  };
  return (id: string): Promise<ImageFacts> => {
    const found = known.get(id) ?? ask(id);
    known.set(id, found);
    found.catch(() => known.delete(id));
    return found;
  };
}

/** Compares what the machines sent with what the server gives for each of them. */
export async function verify(
  {clients}: Context,
  {
    records,
    seconds,
    onProgress,
  }: {
    readonly records: readonly MachineRecord[];
    readonly seconds: number;
    readonly onProgress: (done: number) => void;
  },
): Promise<Verdict> {
  const since = `${Math.ceil(seconds) + slackSeconds}s`;
  let verdict = emptyVerdict;
  await eachOf(records, async record => {
    const {metrics} = await clients.metrics.listMetrics({
      machineId: record.machineId,
      since,
      limit: samplesComparedMax,
    });
    verdict = judgeMachine(
      verdict,
      record,
      metrics.flatMap(({networkTxBytes}) => networkTxBytes ?? []).map(Number),
    );
    onProgress(verdict.machines);
  });
  return verdict;
}

/** Removes every simulated machine; gives how many. */
export async function clean(
  context: Context,
  onProgress: (done: number, all: number) => void,
): Promise<number> {
  const {clients} = context;
  const machines = await collectPages(context, machinesListedMax, async page => {
    const answer = await clients.machines.listMachines({
      ...page,
      filter: simulated,
      readMask: {paths: ['id', 'service_tag']},
    });
    return {rows: answer.machines, nextPageToken: answer.nextPageToken};
  });
  let done = 0;
  // Asked for by the server's filter, and looked at again: what is deleted is gone.
  const ours = machines.filter(({serviceTag}) => serviceTag.startsWith(serialMark));
  await eachOf(ours, async ({id}) => {
    await clients.machines.deleteMachine({id, force: true}).catch((error: unknown) => {
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
    });
    onProgress(++done, ours.length);
  });
  return done;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({length: callsAtOnceMax}, worker));
}
