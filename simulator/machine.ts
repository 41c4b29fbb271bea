import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {pause} from '@muster/agent/waits.ts';
import {loopbackAddress} from './addresses.ts';
import {type FaultKind, faultsOf, type FaultShares, skewOf} from './faults.ts';
import {makeHardware, type SimulatedHardware} from './hardware/machine.ts';
import {createSessionBook, type MachineRecord} from './ledger.ts';
import {bootOverNetwork} from './network-boot.ts';
import {createRandom, type Random} from './random.ts';
import {type RunningAgent, runAgentOnce} from './running-agent.ts';
import type {StartGate} from './start-gate.ts';
import type {Statistics} from './statistics.ts';

/** A real machine needs minutes for firmware and kernel; nobody wants to watch that. */
const bootPauseMs = {from: 1000, to: 4000} as const;
/** From its own disk nothing of ours runs. Somebody power-cycles it now and then. */
const localDiskMs = 5 * 60_000;
const slowMs = {from: 1000, to: 5000} as const;

export type MachineState = 'off' | 'booting' | 'enrolling' | 'running' | 'local disk';

/** What the fleet shares. */
export type Surroundings = {
  readonly seed: string;
  readonly edgeUrl: string;
  readonly shares: FaultShares;
  readonly bootGate: StartGate;
  readonly connectGate: StartGate;
  readonly statistics: Statistics;
  /** Aborts when the run ends: whoever was away comes back, so that everything can be receipted. */
  readonly calm: AbortSignal;
  /** What image.json inside this image says. */
  readonly describeImage: (imageId: string) => Promise<ImageFacts>;
};

export type ImageFacts = {readonly inputKey: string; readonly isMachineImage: boolean};

export type Identity = Omit<SimulatedHardware, 'hardware'> & {
  readonly index: number;
  readonly address: string;
  readonly faults: ReadonlySet<FaultKind>;
  readonly skewMs: number;
  /** Before each thing that it says; 0 but for slow machines. */
  readonly delayMs: number;
  /** Made anew each time: 5,000 inventories would fill a hundred megabytes. */
  readonly hardware: () => HardwareJson;
};

/** The machine of this number, with its faults. */
export function identify(seed: string, index: number, shares: FaultShares): Identity {
  const faults = faultsOf(seed, index, shares);
  const make = () => {
    const made = makeHardware(seed, index);
    return faults.has('duplicate-uuid') ? withUuidOf(made, neighbourOf(seed, index)) : made;
  };
  const {hardware: _, ...lasting} = make();
  const random = createRandom(`${seed}/${index}/slow`);
  return {
    ...lasting,
    hardware: () => make().hardware,
    index,
    address: loopbackAddress(index),
    faults,
    skewMs: skewOf(seed, index, faults),
    delayMs: faults.has('slow') ? random.integer(slowMs.from, slowMs.to) : 0,
  };
}

const neighbourOf = (seed: string, index: number): SimulatedHardware =>
  makeHardware(seed, index === 0 ? 1 : index - 1);

function withUuidOf(machine: SimulatedHardware, {uuid}: SimulatedHardware): SimulatedHardware {
  const {hardware, evidence} = machine;
  return {
    ...machine,
    uuid,
    evidence: {...evidence, uuid},
    hardware: {...hardware, system: {...hardware.system, uuid}},
  };
}

export type SimulatedMachine = ReturnType<typeof createMachine>;

/** One machine's life, from power-on to power-on, until the signal aborts. */
export function createMachine(index: number, surroundings: Surroundings) {
  const {seed, shares, bootGate, statistics} = surroundings;
  const lasting = identify(seed, index, shares);
  const random: Random = createRandom(`${seed}/${index}/life`);
  const book = createSessionBook();
  let state: MachineState = 'off';
  let machineId = '';
  let isStarted = false;
  let agent: RunningAgent | undefined;

  /** How long it stays off afterwards; undefined: until somebody presses the button. */
  async function liveOnce(signal: AbortSignal): Promise<number | undefined> {
    state = 'booting';
    const startedMs = performance.now();
    const booted = await bootOverNetwork({
      edgeUrl: surroundings.edgeUrl,
      machine: {...lasting, firmwareMode: lasting.evidence.firmwareMode ?? ''},
      address: lasting.address,
      delayMs: lasting.delayMs,
      signal,
    });
    if (!booted) {
      state = 'local disk';
      await pause(localDiskMs, signal);
      return 0;
    }
    statistics.counts.boots++;
    statistics.timed('boot', performance.now() - startedMs);
    const image = await surroundings.describeImage(booted.imageId);
    state = 'enrolling';
    return runAgentOnce(
      {
        identity: lasting,
        surroundings,
        booted,
        image,
        random,
        session: id => book.begin(id),
        onStart: running => {
          agent = running;
        },
        onEnrolled: id => {
          machineId = id;
          state = 'running';
        },
      },
      signal,
    );
  }

  return {
    serial: lasting.serial,
    faults: lasting.faults,
    /** Its first power-on is over. */
    get isStarted(): boolean {
      return isStarted;
    },
    get state(): MachineState {
      return state;
    },
    /** Runs an image of its own, and has said so. */
    get isActive(): boolean {
      return state === 'running' && agent?.isActive === true;
    },
    get record(): MachineRecord {
      return {machineId, serial: lasting.serial, sessions: book.sessions};
    },
    /** Samples that wait for their receipt. */
    get waitingCount(): number {
      return state === 'off' ? 0 : (agent?.waitingCount ?? 0);
    },
    sample(): void {
      agent?.sample();
    },
    async live(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await bootGate.pass(signal);
        if (signal.aborted) return;
        isStarted = true;
        let offMs: number | undefined = 0;
        try {
          offMs = await liveOnce(signal);
        } catch (error) {
          if (!signal.aborted)
            statistics.failed(`cannot boot: ${error instanceof Error ? error.message : error}`);
        }
        agent = undefined;
        state = 'off';
        // Nobody presses the button in this room.
        const waitMs = offMs ?? 2 ** 31 - 1;
        await pause(waitMs + random.integer(bootPauseMs.from, bootPauseMs.to), signal);
      }
    },
  };
}
