import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {availableParallelism, tmpdir} from 'node:os';
import {join} from 'node:path';
import {styleText} from 'node:util';
import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Machine_StateSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Config} from '../config.ts';
import type {Context} from '../context.ts';
import {CommandError, explainFailure} from '../exit-status.ts';
import {lockFile} from '../lock.ts';
import {bytes, type Column, nameOf} from '../output.ts';
import {isRoot, runAsRoot} from '../sudo.ts';
import {pickAccelerator} from './accelerator.ts';
import {startDhcp} from './dhcp.ts';
import {carry} from './journey.ts';
import {type LabMachine, labMachines} from './machines.ts';
import {createLabNetwork, hostAddressOf, type LabPlan} from './network.ts';
import {ensureRegistrationImage} from './registration.ts';
import {startVm} from './vm.ts';

const lock = '/run/muster-lab.lock';
/** Emulation keeps one core busy and a second one half. */
const coresPerEmulatedMachine = 2;
const nameWidth = Math.max(...labMachines.map(({name}) => name.length));

const plan: LabPlan = {
  namespace: 'muster-lab',
  hostInterface: 'muster-lab',
  prefix: '10.77.0',
  taps: labMachines.map((_machine, index) => `tap${index}`),
};

const consolesOf = ({dataFolder}: Config): string => join(dataFolder, 'lab');

type Result = {
  readonly machine: LabMachine;
  readonly seconds: number;
  readonly known?: Machine;
  readonly failure?: string;
};

/** `muster lab`: four strangers are turned on beside the running Muster and carried to ACTIVE. Throws when one gets no further. */
export async function runLab(context: Context): Promise<void> {
  if (!isRoot())
    return runAsRoot(['lab'], 'it makes a network namespace and taps for virtual machines');

  using _lock = lockFile(lock, '"muster lab" runs already');
  const {config, out} = context;
  const limit = AbortSignal.timeout(config.labTimeLimitMinutes * 60_000);
  const signal = AbortSignal.any([context.signal, limit]);
  const say = (who: string, text: string) => {
    const name = who.padEnd(nameWidth);
    const time = new Date().toTimeString().slice(0, 8);
    out.line(`${time} ${out.interactive ? styleText('cyan', name) : name} │ ${text}`);
  };

  try {
    await assertEdgeAnswers(context);
    const results = await powerOnAll(context, say, signal);
    report(context, results);
  } catch (error) {
    if (context.signal.aborted) throw new CommandError('The lab was stopped; nothing of it stays');
    if (limit.aborted)
      throw new CommandError(
        `The lab took longer than LAB_TIME_LIMIT_MINUTES, ${config.labTimeLimitMinutes} minutes`,
      );
    throw error;
  }
}

/** The machines will ask the edge on this host. */
async function assertEdgeAnswers({config}: Context): Promise<void> {
  const url = `http://127.0.0.1:${config.edgePort}/readyz`;
  const answer = await fetch(url, {signal: AbortSignal.timeout(5000)}).catch(() => undefined);
  await answer?.body?.cancel();
  if (!answer)
    throw new CommandError(
      `Cannot reach the edge at ${url}: start Muster with "npm run up" first`,
      3,
    );
}

async function powerOnAll(
  context: Context,
  say: (who: string, text: string) => void,
  signal: AbortSignal,
): Promise<readonly Result[]> {
  const {config, clients} = context;
  await ensureRegistrationImage(clients, text => say('muster', text), signal);

  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-lab-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  stack.use(await createLabNetwork(plan));
  const consoles = consolesOf(config);
  await mkdir(consoles, {recursive: true});
  stack.use(
    await startDhcp(plan, {
      edge: {address: hostAddressOf(plan), port: config.edgePort},
      folder,
      // Only what a person can use; the machines' own timelines tell the rest.
      onLine: line =>
        line.includes('DHCPACK') && say('dnsmasq', line.replace(/^.*?DHCPACK/, 'DHCPACK')),
    }),
  );
  const accelerator = await pickAccelerator(config.labAccelerator);
  const lanes = config.labMachinesAtOnce || lanesFor(accelerator);
  say(
    'lab',
    `network ${plan.prefix}.0/24, this host is ${hostAddressOf(plan)}; consoles in ${consoles}`,
  );
  say('lab', `${accelerator}: ${lanes} machine${lanes > 1 ? 's' : ''} at a time`);

  // Awaited here: the network must outlive the machines.
  return await inLanes(labMachines, lanes, (machine, index) =>
    bringUp({context, machine, tap: plan.taps[index] ?? '', accelerator, consoles, say, signal}),
  );
}

const lanesFor = (accelerator: 'tcg' | 'kvm'): number =>
  accelerator === 'kvm'
    ? labMachines.length
    : Math.min(
        labMachines.length,
        Math.max(1, Math.floor(availableParallelism() / coresPerEmulatedMachine)),
      );

/** One machine from power-on to its end. A failure is a result: the others go on. */
async function bringUp({
  context,
  machine,
  tap,
  accelerator,
  consoles,
  say,
  signal,
}: {
  context: Context;
  machine: LabMachine;
  tap: string;
  accelerator: 'tcg' | 'kvm';
  consoles: string;
  say: (who: string, text: string) => void;
  signal: AbortSignal;
}): Promise<Result> {
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  const sayIt = (text: string) => say(machine.name, text);
  sayIt(`power on (${machine.firmware}, ${machine.macAddress})`);
  await using vm = await startVm({
    ...machine,
    namespace: plan.namespace,
    tap,
    memoryMb: context.config.labMemoryMb,
    cpus: Math.min(coresPerEmulatedMachine, availableParallelism()),
    accelerator,
    folder: consoles,
  });
  try {
    const known = await carry({clients: context.clients, machine, vm, say: sayIt, signal});
    sayIt(`ACTIVE with metrics after ${seconds()} s`);
    return {machine, seconds: seconds(), known};
  } catch (error) {
    signal.throwIfAborted();
    const failure = explainFailure(error, context.serverUrl).sentence ?? 'unknown';
    sayIt(`${failure}\nIts console ends:\n${vm.tail(15)}`);
    return {machine, seconds: seconds(), failure};
  }
}

/** Runs `perform` for every item, at most `lanes` at a time, in order. */
async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  perform: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) results[index] = await perform(item, index);
  };
  // Settled: whoever undoes the network afterwards finds no machine on it.
  const ended = await Promise.allSettled(Array.from({length: lanes}, lane));
  const failure = ended.find(result => result.status === 'rejected');
  if (failure) throw failure.reason;
  return results;
}

const columns: readonly Column<Result>[] = [
  {title: 'MACHINE', value: ({machine}) => machine.name},
  {title: 'FIRMWARE', value: ({machine}) => machine.firmware.toUpperCase()},
  {
    title: 'PRODUCT',
    value: ({known}) => `${known?.manufacturer ?? ''} ${known?.product ?? ''}`.trim(),
  },
  {title: 'SERIAL', value: ({known}) => known?.serviceTag ?? ''},
  {
    title: 'STATE',
    value: ({known}) => (known ? nameOf(Machine_StateSchema, known.state) : 'FAILED'),
  },
  {title: 'HOSTNAME', value: ({known}) => known?.hostname ?? ''},
  {title: 'MEMORY', value: ({known}) => bytes(known?.hardware?.memoryBytes)},
  {title: 'SECONDS', value: ({seconds}) => String(seconds)},
  {title: 'WHY NOT', value: ({failure}) => failure ?? ''},
];

function report({config, out}: Context, results: readonly Result[]): void {
  out.line('');
  out.table(columns, results);
  const failed = results.filter(({failure}) => failure !== undefined);
  if (failed.length > 0)
    throw new CommandError(
      `${failed.length} of ${results.length} machines did not become ACTIVE; their consoles are in ${consolesOf(config)}`,
    );
  out.line('\nAll machines are ACTIVE with metrics. Look at one: npx muster boot timeline 7XK2MQ2');
}
