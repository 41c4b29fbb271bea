import {DomainError} from '../errors.ts';
import type {ImageVariant} from '../store/images.ts';
import type {Machine} from '../store/machines.ts';
import type {Build, BuildSpec} from '../store/builds.ts';

/** One live builder and what it says about its back ends. */
export type LiveBuilder = {
  readonly builder: string;
  readonly backends: readonly {
    readonly name: string;
    readonly available: boolean;
    readonly missing: string;
  }[];
};

export const nameOf = ({
  hostname,
  serviceTag,
  id,
}: Pick<Machine, 'hostname' | 'serviceTag' | 'id'>): string => hostname || serviceTag || id;

/**
 * What the machine's configuration asks for; throws failed_precondition when it has none. With both, nixos_config wins: it can say everything
 * that image_config can.
 */
export function specOf(
  machine: Pick<Machine, 'id' | 'hostname' | 'serviceTag' | 'imageConfig' | 'nixosConfig'>,
  variant: ImageVariant,
): BuildSpec {
  const {id, hostname, imageConfig, nixosConfig} = machine;
  if (!imageConfig && nixosConfig === '')
    throw new DomainError(
      'failed_precondition',
      `Cannot build machine "${nameOf(machine)}": it has neither image_config nor nixos_config`,
    );
  const shared = {kind: 'machine', variant, machineId: id} as const;
  return nixosConfig === ''
    ? {...shared, backend: 'debian', imageConfig: named(imageConfig, hostname), nixosConfig: ''}
    : {...shared, backend: 'nix', imageConfig: undefined, nixosConfig};
}

/** A system without a host name of its own gets the machine's. */
function named(config: Machine['imageConfig'], hostname: string): Machine['imageConfig'] {
  if (!config || config.hostName !== '') return config;
  const [hostName = ''] = hostname.split('.');
  return {...config, hostName};
}

/** Throws failed_precondition, naming what each live builder lacks, when none offers the back end. `what` is "machine "r7"", for instance. */
export function assertBackend(
  what: string,
  backend: string,
  builders: readonly LiveBuilder[],
): void {
  if (offers(backend, builders)) return;
  const lacks = builders.map(({builder, backends}) => {
    const missing = backends.find(({name}) => name === backend)?.missing;
    return `builder "${builder}": ${missing || `it does not offer ${backend}`}`;
  });
  const why =
    lacks.length > 0
      ? lacks.join('; ')
      : 'no builder is online; start one, or let one join with "muster service add builder NAME"';
  throw new DomainError(
    'failed_precondition',
    `Cannot build ${what}: no live builder offers ${backend} (${why})`,
  );
}

export function offers(backend: string, builders: readonly LiveBuilder[]): boolean {
  return builders.some(({backends}) =>
    backends.some(({name, available}) => name === backend && available),
  );
}

export type UpkeepLimits = {
  /** A queued build whose job nobody took for so long gets another job. */
  readonly queuedMs: number;
  /** A running build of which nothing was heard for so long is queued again. */
  readonly silentMs: number;
  /** An attempt may take so long; what a builder is told is a little less. */
  readonly attemptMs: number;
};

export type Upkeep = 'none' | 'queue' | 'requeue' | 'fail' | 'cancel';

/** What the reconciler does about a live build. The table is the truth: the work queue may have lost its job, the builder its power. */
export function upkeepOf(build: Build, now: Date, limits: UpkeepLimits): Upkeep {
  const {operation, jobTime, claimTime, reportTime} = build;
  const ageMs = (time: Date | undefined) => (time ? now.getTime() - time.getTime() : 0);
  if (operation.state === 'queued') {
    if (operation.cancelRequested) return 'cancel';
    if (!jobTime) return 'queue';
    return ageMs(jobTime) > limits.queuedMs ? 'requeue' : 'none';
  }
  const silent = ageMs(reportTime ?? claimTime) > limits.silentMs;
  if (silent && operation.cancelRequested) return 'cancel';
  if (ageMs(claimTime) > limits.attemptMs) return 'fail';
  return silent ? 'requeue' : 'none';
}
