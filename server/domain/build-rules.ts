import {DomainError} from '../errors.ts';
import type {ImageVariant} from '../store/images.ts';
import type {Machine} from '../store/machines.ts';
import type {Build, BuildSpec, MachineFacts} from '../store/builds.ts';
import type {TemplateModule} from '../store/templates.ts';
import {bootProfileModule} from './inheritance.ts';

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

/** What a machine's row says that an image may depend on. */
export type ConfiguredMachine = Pick<
  Machine,
  | 'id'
  | 'hostname'
  | 'serviceTag'
  | 'uuid'
  | 'manufacturer'
  | 'product'
  | 'macAddresses'
  | 'cpuThreads'
  | 'memoryBytes'
  | 'firmwareMode'
  | 'imageConfig'
  | 'nixosConfig'
> & {
  /** Inherited, for the kernel of a NixOS system. */
  readonly bootArguments?: readonly string[];
};

/**
 * What the machine's configuration asks for; throws failed_precondition when it has none. With templates or nixos_config it is NixOS, and of
 * image_config only the host name and the SSH keys count. `templates` are the machine's own, resolved.
 */
export function specOf(
  machine: ConfiguredMachine,
  variant: ImageVariant,
  templates: readonly TemplateModule[],
): BuildSpec {
  const {id, hostname, imageConfig, nixosConfig, bootArguments = []} = machine;
  const isNix = nixosConfig !== '' || templates.length > 0;
  if (!imageConfig && !isNix)
    throw new DomainError(
      'failed_precondition',
      `Cannot build machine "${nameOf(machine)}": it has neither image_config nor nixos_config nor templates`,
    );
  const shared = {kind: 'machine', variant, machineId: id, nixosConfig} as const;
  return isNix
    ? {
        ...shared,
        backend: 'nix',
        imageConfig: undefined,
        templates: [...bootProfileModule(bootArguments), ...templates],
        facts: factsOf(machine),
      }
    : {
        ...shared,
        backend: 'debian',
        imageConfig: named(imageConfig, hostname),
        templates: [],
        facts: undefined,
      };
}

/** Of the same machine always the same: what is reported in any order is put in one. */
export function factsOf(machine: ConfiguredMachine): MachineFacts {
  const {hostname, imageConfig} = machine;
  return {
    machineId: machine.id,
    hostName: imageConfig?.hostName || shortName(hostname),
    serviceTag: machine.serviceTag,
    uuid: machine.uuid,
    manufacturer: machine.manufacturer,
    product: machine.product,
    macAddresses: machine.macAddresses.toSorted(),
    cpuThreads: machine.cpuThreads,
    memoryBytes: machine.memoryBytes,
    firmwareMode: machine.firmwareMode,
    sshAuthorizedKeys: imageConfig?.sshAuthorizedKeys ?? [],
  };
}

/** A system without a host name of its own gets the machine's. */
function named(config: Machine['imageConfig'], hostname: string): Machine['imageConfig'] {
  if (!config || config.hostName !== '') return config;
  return {...config, hostName: shortName(hostname)};
}

const shortName = (hostname: string): string => hostname.split('.')[0] ?? '';

/** Throws failed_precondition, naming what each live builder lacks, when none offers the back end. `what` is "build machine "r7"", for instance. */
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
    `Cannot ${what}: no live builder offers ${backend} (${why})`,
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
