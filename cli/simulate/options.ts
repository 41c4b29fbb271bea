import {type FaultShares, parseFaults} from '@muster/simulator/faults.ts';
import {machinesMax} from '@muster/simulator/hardware/machine.ts';
import {samplesPerSessionMax} from '@muster/simulator/ledger.ts';
import {parseUrl} from '../config.ts';
import {CommandError, exitStatus} from '../exit-status.ts';

/** More samples than the server gives in one answer cannot be compared. */
export const samplesComparedMax = 10_000;
const everyMsMin = 1000;
const ratePerSecondMax = 1000;

/** As commander gives them. */
export type SimulateOptions = {
  readonly machines: string;
  readonly seed: string;
  readonly faults: string;
  readonly every: string;
  readonly for?: string;
  readonly edge: string;
  readonly rate: string;
  readonly verify?: boolean;
  readonly yes?: boolean;
  readonly clean?: boolean;
};

export type Plan = {
  readonly machines: number;
  readonly seed: string;
  readonly faults: FaultShares;
  readonly everyMs: number;
  readonly forMs: number | undefined;
  readonly edgeUrl: string;
  readonly bootsPerSecondMax: number;
};

/** Throws a CommandError that says what is wrong. */
export function readPlan(options: SimulateOptions): Plan {
  return explained(() => {
    const everyMs = duration('--every', options.every);
    const forMs = options.for === undefined ? undefined : duration('--for', options.for);
    if (everyMs < everyMsMin)
      throw new Error(
        `Cannot use --every "${options.every}": an agent samples once a second at most`,
      );
    const samples = forMs === undefined ? 0 : forMs / everyMs;
    if (samples > samplesPerSessionMax)
      throw new Error(`Cannot run so long: at most ${samplesPerSessionMax} samples of a machine`);
    if (options.verify && samples > samplesComparedMax)
      throw new Error(
        `Cannot compare more than ${samplesComparedMax} samples of a machine: shorten --for, or sample less often`,
      );
    return {
      machines: whole('--machines', options.machines, machinesMax),
      seed: options.seed,
      faults: parseFaults(options.faults),
      everyMs,
      forMs,
      edgeUrl: parseUrl(options.edge),
      bootsPerSecondMax: whole('--rate', options.rate, ratePerSecondMax),
    };
  });
}

function whole(name: string, text: string, max: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > max)
    throw new Error(`Cannot use ${name} "${text}": say a whole number from 1 to ${max}`);
  return number;
}

const unitsMs: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: 3_600_000};

function duration(name: string, text: string): number {
  const match = /^(\d{1,5})([smh])$/.exec(text);
  const unitMs = unitsMs[match?.[2] ?? ''];
  if (!match || unitMs === undefined || Number(match[1]) === 0)
    throw new Error(`Cannot use ${name} "${text}": say for example 10s, 10m or 2h`);
  return Number(match[1]) * unitMs;
}

function explained<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CommandError(
      error instanceof Error ? error.message : String(error),
      exitStatus.usage,
    );
  }
}
