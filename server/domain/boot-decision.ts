import type {BootAction, MachineState} from '../store/machines.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import type {RegistrationImages} from './boot-images.ts';

export type BootDecision = {
  readonly action: BootAction;
  /** Undefined unless the action is `image`. */
  readonly imageId: string | undefined;
  /** A sentence: which rule decided and why. */
  readonly reason: string;
};

/** What the decision looks at, and nothing else. */
export type BootSubject = {
  readonly state: MachineState;
  readonly stateReason: string;
  readonly quarantineReason: string;
  readonly banReason: string;
  readonly desiredImageId: string | undefined;
  readonly lastGoodImageId: string | undefined;
  readonly badImageIds: readonly string[];
  /** Only seen, on a site that takes no strangers. */
  readonly stranger: boolean;
  /** Undefined when there is none or its time is over. */
  readonly override:
    | {readonly action: BootAction; readonly imageId: string | undefined}
    | undefined;
  readonly entry: {readonly action: BootAction; readonly imageId: string | undefined} | undefined;
};

export type Verdict = {
  readonly decision: BootDecision;
  /** Every rule in order, and what it said. */
  readonly considered: readonly string[];
};

type Rule = {readonly name: string; readonly said: BootDecision | string};

/** Ban, one-shot override, persistent boot entry, state; the first rule that decides wins. */
export function decideBoot(machine: BootSubject, registration: RegistrationImages): Verdict {
  return firstOf([
    {name: 'Ban', said: banOf(machine)},
    {name: 'One-time override', said: overrideOf(machine)},
    {name: 'Quarantine', said: quarantineOf(machine, registration)},
    {name: 'Boot entry', said: entryOf(machine)},
    {name: `State ${machine.state}`, said: byState(machine, registration)},
  ]);
}

/** The same for one boot only: without the override, for snapshots. */
export function decideStandingBoot(
  machine: BootSubject,
  registration: RegistrationImages,
): Verdict {
  return decideBoot({...machine, override: undefined}, registration);
}

export function decideUnknownBoot(
  policy: AcceptancePolicy,
  registration: RegistrationImages,
): Verdict {
  const said =
    policy === 'expected-only'
      ? local('Nobody knows this machine, and the policy "expected-only" takes no strangers')
      : register(`Nobody knows this machine; the policy "${policy}" registers it`, registration);
  return firstOf([
    {name: 'Machine', said: 'nobody knows it'},
    {name: `Policy ${policy}`, said},
  ]);
}

function banOf({banReason}: BootSubject): BootDecision | string {
  return banReason ? decideBannedBoot(banReason) : 'none of its identifiers is banned';
}

/** Also for a box that nobody has a record of. */
export const decideBannedBoot = (reason: string): BootDecision =>
  local(`This box is banned: ${reason}`);

function overrideOf({override, quarantineReason}: BootSubject): BootDecision | string {
  if (!override) return 'none is set';
  if (quarantineReason && override.action === 'image')
    return 'names an image, which a quarantined machine does not get';
  return {
    action: override.action,
    imageId: override.action === 'image' ? override.imageId : undefined,
    reason: 'An operator decided this one boot',
  };
}

function quarantineOf(
  {quarantineReason, state}: BootSubject,
  registration: RegistrationImages,
): BootDecision | string {
  if (!quarantineReason) return 'it is not quarantined';
  if (state === 'rejected' || state === 'retired') return `it is ${state}`;
  return register(`It is quarantined: ${quarantineReason}`, registration);
}

function entryOf({entry, state}: BootSubject): BootDecision | string {
  if (!entry) return 'none is set';
  if (state === 'rejected' || state === 'retired') return `does not count while it is ${state}`;
  const {action} = entry;
  const imageId = action === 'image' ? entry.imageId : undefined;
  return {action, imageId, reason: 'An operator decided all its boots by a boot entry'};
}

function byState(machine: BootSubject, registration: RegistrationImages): BootDecision {
  const {state, stateReason} = machine;
  switch (state) {
    case 'expected':
    case 'discovered':
      if (machine.stranger)
        return local(
          'Nobody expects this machine, and the policy "expected-only" takes no strangers',
        );
      return register('Its hardware is not known yet', registration);
    case 'pending':
      return register('It waits for an operator to accept it', registration);
    case 'enrolled':
      return register('No image is assigned to it', registration);
    case 'provisioning':
      return register('Its image is being built', registration);
    case 'ready':
    case 'active':
      return imageOf(machine, registration);
    case 'failed': {
      const {lastGoodImageId, badImageIds} = machine;
      const why = stateReason ? `It failed (${stateReason})` : 'It failed';
      return lastGoodImageId && !badImageIds.includes(lastGoodImageId)
        ? image(lastGoodImageId, `${why}; this is the last image that worked on it`)
        : register(`${why}, and no image has worked on it before`, registration);
    }
    case 'maintenance':
      return local('It is in maintenance and has no boot entry');
    case 'retiring':
      return register('It is being retired', registration);
    case 'retired':
    case 'rejected':
      return local(`It is ${state}`);
    default:
      return state satisfies never;
  }
}

function imageOf(machine: BootSubject, registration: RegistrationImages): BootDecision {
  const {desiredImageId, lastGoodImageId, badImageIds, state} = machine;
  if (!desiredImageId) return register(`It is ${state}, but has no image`, registration);
  if (!badImageIds.includes(desiredImageId))
    return image(desiredImageId, `It is ${state}: this is its desired image`);
  return lastGoodImageId && !badImageIds.includes(lastGoodImageId)
    ? image(
        lastGoodImageId,
        'Its desired image failed two trials; this is the last image that worked on it',
      )
    : register(
        'Its desired image failed two trials, and none has worked on it before',
        registration,
      );
}

const image = (imageId: string, reason: string): BootDecision => ({
  action: 'image',
  imageId,
  reason,
});

const local = (reason: string): BootDecision => ({
  action: 'local_disk',
  imageId: undefined,
  reason,
});

/** The variant is chosen by the machine's NIC, at the edge. */
function register(reason: string, {full, virtual}: RegistrationImages): BootDecision {
  if (full !== undefined || virtual !== undefined)
    return {action: 'registration', imageId: undefined, reason};
  return {
    action: 'retry',
    imageId: undefined,
    reason: `${reason}; no registration image is built yet, so it waits and asks again`,
  };
}

function firstOf(rules: readonly Rule[]): Verdict {
  const considered: string[] = [];
  for (const {name, said} of rules) {
    if (typeof said !== 'string') {
      considered.push(`${name}: decides ${describe(said)}`);
      return {decision: said, considered};
    }
    considered.push(`${name}: ${said}`);
  }
  throw new Error('No rule decided a boot');
}

function describe({action, imageId, reason}: BootDecision): string {
  return `${action.replace('_', ' ')}${imageId ? ` ${imageId.slice(0, 12)}` : ''}. ${reason}`;
}
