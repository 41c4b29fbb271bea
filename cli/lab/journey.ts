import {setTimeout as delay} from 'node:timers/promises';
import {
  type Machine,
  Machine_State,
  Machine_StateSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {currentStep} from '../build-progress.ts';
import type {Clients} from '../client.ts';
import {CommandError} from '../exit-status.ts';
import {nameOf} from '../output.ts';
import {describeHop, isOpen, orderedHops, startOf} from '../timeline.ts';
import type {LabMachine} from './machines.ts';
import {nextStep} from './next-step.ts';
import type {Vm} from './vm.ts';

const pollMs = 1500;
const sessionsShown = 5;
const powerLossesMax = 3;

export type Journey = {
  readonly clients: Clients;
  readonly machine: LabMachine;
  readonly vm: Vm;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};

/**
 * Carries one machine that has just been turned on to ACTIVE with metrics, doing only what an operator would do. Says every hop and
 * change as it happens. Throws when it gets no further.
 */
export async function carry(journey: Journey): Promise<Machine> {
  const {clients, machine, vm, say, signal} = journey;
  const turnedOnMs = Date.now();
  const seen = createSeen(turnedOnMs);
  let configured = false;
  let powerLosses = 0;

  for (;;) {
    await delay(pollMs, undefined, {signal});
    const known = await findMachine(clients, machine.macAddress);
    if (known) {
      await sayNews(journey, known, seen);
      if (known.quarantineReason)
        throw new CommandError(`${machine.name} is quarantined: ${known.quarantineReason}`);
    }
    const step = nextStep({
      state: known?.state,
      stateReason: known?.stateReason ?? '',
      configured,
      hasFreshMetrics:
        known?.state === Machine_State.ACTIVE &&
        (await hasMetricsSince(clients, known, turnedOnMs)),
      silentMs: performance.now() - seen.lastNewsMs,
    });

    if (step.kind === 'done' && known) return known;
    if (step.kind === 'give-up')
      throw new CommandError(`${machine.name} got no further: ${step.why}`);
    if (step.kind === 'power-cycle') {
      say(`power-cycling it: ${step.why}`);
      await vm.powerCycle();
      seen.news();
    }
    if (step.kind === 'accept' && known) {
      say('accepting it');
      await clients.machines.acceptMachine({id: known.id});
    }
    if (step.kind === 'configure' && known) {
      await configure(journey, known);
      configured = true;
      seen.news();
    }
    if (!vm.isRunning() && step.kind === 'wait') {
      powerLosses += 1;
      if (powerLosses > powerLossesMax)
        throw new CommandError(`${machine.name} does not stay on: ${vm.tail(3)}`);
      say('it is off; turning it on');
      await vm.powerCycle();
    }
  }
}

/** Undefined while the server does not know the MAC. Asked for by a search: that nothing is there yet is no refused call. */
export async function findMachine(
  clients: Pick<Clients, 'machines'>,
  mac: string,
): Promise<Machine | undefined> {
  const {machines} = await clients.machines.listMachines({filter: `mac_addresses = "${mac}"`});
  return machines[0];
}

async function hasMetricsSince(clients: Clients, {id}: Machine, sinceMs: number): Promise<boolean> {
  const since = new Date(sinceMs).toISOString();
  const {metrics} = await clients.metrics.listMetrics({machineId: id, since, limit: 1});
  return metrics.length > 0;
}

async function configure({clients, machine, say, signal}: Journey, {id}: Machine): Promise<void> {
  const hostName = `lab-${machine.name}`;
  say(`configuring it as ${hostName} and starting a build`);
  await clients.machines.updateMachine({
    machine: {
      id,
      hostname: hostName,
      imageConfig: {
        hostName,
        files: [{path: '/etc/motd', content: `${hostName}: carried here by Muster's lab\n`}],
      },
    },
    updateMask: {paths: ['hostname', 'image_config']},
  });
  const {build} = await clients.builds.createBuild({machineId: id});
  if (build) void followSteps(clients, build.id, say, signal);
}

/** Says each step of a build once. What becomes of the build shows in the machine's state. */
async function followSteps(
  clients: Clients,
  buildId: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  try {
    for await (const {update} of clients.builds.watchBuild({id: buildId}, {signal})) {
      if (update.case !== 'build') continue;
      const step = currentStep(update.value);
      if (step !== '' && step !== last) say(`build: ${step}`);
      last = step;
    }
  } catch (error) {
    if (!signal.aborted) say(`no more news of the build: ${String(error)}`);
  }
}

type Seen = {
  readonly sinceMs: number;
  readonly hops: Set<string>;
  readonly diagnoses: Set<string>;
  state: string;
  lastNewsMs: number;
  news(): void;
};

function createSeen(sinceMs: number): Seen {
  return {
    sinceMs,
    hops: new Set(),
    diagnoses: new Set(),
    state: '',
    lastNewsMs: performance.now(),
    news() {
      this.lastNewsMs = performance.now();
    },
  };
}

async function sayNews({clients, say}: Journey, machine: Machine, seen: Seen): Promise<void> {
  const page = await clients.boot.listBootSessions({
    machineId: machine.id,
    pageSize: sessionsShown,
  });
  for (const session of page.bootSessions.toReversed()) {
    // Boots of earlier runs of the lab.
    if (startOf(session) < seen.sinceMs) continue;
    for (const hop of orderedHops(session)) {
      if (seen.hops.has(hop.id)) continue;
      seen.hops.add(hop.id);
      seen.news();
      say(describeHop(hop, startOf(session)));
    }
    // While a boot goes on its diagnosis counts seconds; the hops say the same.
    if (!isOpen(session) && session.diagnosis && !seen.diagnoses.has(session.diagnosis)) {
      seen.diagnoses.add(session.diagnosis);
      say(session.diagnosis);
    }
  }
  const state = nameOf(Machine_StateSchema, machine.state);
  if (state === seen.state) return;
  seen.state = state;
  seen.news();
  say(machine.stateReason ? `${state}: ${machine.stateReason}` : state);
}
