import {randomUUID} from 'node:crypto';
import type {DiskJson, HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {AgentConnection} from '@muster/agent/session.ts';
import {pause} from '@muster/agent/waits.ts';
import type {Identity} from './machine.ts';
import type {Random} from './random.ts';

const upMs = {from: 20_000, to: 90_000} as const;
/** Longer than the 30 s after which Muster calls a machine offline. */
const awayMs = {from: 35_000, to: 90_000} as const;
const samplesPerLie = 6;
const diskWorsensEveryMs = 60_000;
/** So many steps from the first bad sector to the disk's own verdict. */
const diskStepsToFailure = 4;

/** What is wrong with one machine while its agent runs; nothing at all for most. */
export function createMisbehaviour({
  self,
  random,
  report,
  powerLoss,
  machineId,
  calm,
  signal,
}: {
  readonly self: Identity;
  readonly random: Random;
  readonly report: (hardware: HardwareJson) => void;
  /** Off at once, without a word, for so many milliseconds. */
  readonly powerLoss: (offMs: number) => void;
  readonly machineId: () => string;
  /** Aborts when the run ends: then nothing flaps any more. */
  readonly calm: AbortSignal;
  readonly signal: AbortSignal;
}) {
  let connection: AgentConnection | undefined;
  let cableOutUntilMs = 0;
  let samples = 0;
  let diskStep = 0;

  const hardware = (): HardwareJson => {
    const whole = self.hardware();
    const [first, ...others] = whole.disks ?? [];
    return first && diskStep > 0 ? {...whole, disks: [worn(first, diskStep), ...others]} : whole;
  };
  const flap = async () => {
    const steady = AbortSignal.any([signal, calm]);
    while (!steady.aborted) {
      await pause(random.integer(upMs.from, upMs.to), steady);
      if (steady.aborted) return;
      const outMs = random.integer(awayMs.from, awayMs.to);
      if (random.chance(0.5)) return powerLoss(outMs);
      cableOutUntilMs = performance.now() + outMs;
      await connection?.close();
    }
  };
  const wearDisk = async () => {
    while (!signal.aborted) {
      await pause(diskWorsensEveryMs, signal);
      if (signal.aborted || diskStep >= diskStepsToFailure) return;
      diskStep++;
      report(hardware());
    }
  };
  if (self.faults.has('flapping')) void flap();
  if (self.faults.has('failing-disk')) void wearDisk();

  return {
    /** The inventory as it is now. */
    hardware,
    assertCable(): void {
      if (performance.now() < cableOutUntilMs && !calm.aborted)
        throw new Error('the cable is out (flapping)');
    },
    /** Called after each sample. */
    sampled(): void {
      if (!self.faults.has('lying') || ++samples % samplesPerLie !== 0) return;
      if (connection && !connection.isClosed())
        lie({connection, machineId: machineId(), number: samples / samplesPerLie});
      report(withOtherParts(hardware(), random));
    },
    /** The same connection, late by `delayMs` in both directions for a slow machine. */
    through(opened: AgentConnection): AgentConnection {
      connection = opened;
      const {delayMs} = self;
      if (delayMs === 0) return opened;
      return {
        ...opened,
        publish(subject, payload) {
          setTimeout(() => {
            if (!opened.isClosed() && !opened.isDraining()) opened.publish(subject, payload);
          }, delayMs);
        },
        subscribe: (subject, {callback}) =>
          opened.subscribe(subject, {
            callback(error, message) {
              setTimeout(() => callback(error, message), delayMs);
            },
          }),
      };
    },
  };
}

/** One of the things that no agent says, in turn. */
function lie({
  connection,
  machineId,
  number,
}: {
  readonly connection: AgentConnection;
  readonly machineId: string;
  readonly number: number;
}): void {
  const subject = (kind: string) => `muster.reports.agent.${machineId}.${kind}`;
  const lies: readonly (readonly [string, string])[] = [
    [subject('hello'), 'this is no JSON'],
    [
      subject('result'),
      JSON.stringify({reportId: randomUUID(), machineId: randomUUID(), result: {}}),
    ],
    [subject('inventory'), JSON.stringify({reportId: 'no uuid', machineId, inventory: {}})],
    [
      subject('metrics'),
      JSON.stringify({
        reportId: randomUUID(),
        machineId,
        metrics: {session: '', firstSequence: '1', samples: [{cpuUsagePercent: 4711}]},
      }),
    ],
    [subject('result'), JSON.stringify({reportId: randomUUID(), machineId, hello: {}})],
  ];
  const [to, text] = lies[number % lies.length] ?? ['', ''];
  connection.publish(to, text);
}

/** Another disk and another module in each report. */
function withOtherParts(hardware: HardwareJson, random: Random): HardwareJson {
  const {disks = [], ...rest} = hardware;
  return {
    ...rest,
    disks: disks.map((disk, at) => (at === 0 ? {...disk, serial: `LIE${random.hex(12)}`} : disk)),
    operatingSystem: {name: `Ünïcode "${random.hex(4)}" \u0000`, kernel: '6.1.0'},
  };
}

function worn(disk: DiskJson, step: number): DiskJson {
  const failed = step >= diskStepsToFailure;
  return {
    ...disk,
    health: {
      ...disk.health,
      verdict: failed ? 'VERDICT_FAILED' : 'VERDICT_PASSED',
      ...(failed ? {reason: 'Reallocated_Sector_Ct is below its threshold'} : {}),
      reallocatedSectors: String(8 * 4 ** step),
      pendingSectors: String(2 ** step),
      mediaErrors: String(step - 1),
    },
  };
}
