import type {Build} from '../store/builds.ts';
import type {Bulk, BulkAction} from '../store/bulks.ts';
import type {ChildCounts, ChildState, WaveCounts} from '../store/bulk-children.ts';
import {noChildren} from '../store/bulk-children.ts';
import type {Command} from '../store/commands.ts';
import type {HeldImage} from '../store/held-images.ts';
import type {Machine, MachineState} from '../store/machines.ts';
import {isOver} from './operations.ts';

/** What a server does next about the whole. */
export type Verdict =
  | {
      readonly do: 'end';
      readonly state: 'succeeded' | 'failed' | 'cancelled';
      readonly error: string;
    }
  /** What has not begun is over. */
  | {readonly do: 'drop'; readonly as: 'skipped' | 'cancelled'; readonly why: string}
  /** Nothing further begins until somebody resumes it. */
  | {readonly do: 'halt'; readonly why: string}
  | {readonly do: 'open_wave'; readonly wave: number}
  /** Machines may begin. */
  | {readonly do: 'go'}
  /** Those that have begun go on. */
  | {readonly do: 'wait'};

export type Standing = Pick<
  Bulk,
  'action' | 'failuresMax' | 'failuresForgiven' | 'hold' | 'wave' | 'waves'
> & {
  readonly cancelRequested: boolean;
  /** Why whoever asked for it may not go on; empty when they may. */
  readonly refusal: string;
};

export function judgeBulk(standing: Standing, waves: readonly WaveCounts[]): Verdict {
  const counts = sumOf(waves);
  if (standing.cancelRequested && counts.queued > 0)
    return {do: 'drop', as: 'cancelled', why: 'The operation was cancelled before it began'};
  if (counts.queued + counts.running === 0) return endOf(standing, counts);
  if (standing.cancelRequested) return {do: 'wait'};

  const why = standing.refusal || excessOf(standing, counts);
  if (why !== '' && standing.action === 'rollout')
    return standing.hold === 'halted' ? {do: 'wait'} : {do: 'halt', why};
  if (why !== '' && counts.queued > 0) return {do: 'drop', as: 'skipped', why};
  if (why !== '' || standing.hold !== '') return {do: 'wait'};

  const open = waves
    .filter(({wave}) => wave <= standing.wave)
    .some(({counts: {queued, running}}) => queued + running > 0);
  return open || standing.wave >= standing.waves
    ? {do: 'go'}
    : {do: 'open_wave', wave: standing.wave + 1};
}

/** More failures than are borne, in words; else empty. */
function excessOf({failuresMax, failuresForgiven}: Standing, {failed}: ChildCounts): string {
  const failures = failed - failuresForgiven;
  if (failuresMax === undefined || failures <= failuresMax) return '';
  return `${machines(failures)} failed, more than the ${failuresMax} that are allowed`;
}

function endOf({cancelRequested}: Standing, counts: ChildCounts): Verdict {
  const {failed, skipped, cancelled} = counts;
  if (cancelRequested && cancelled > 0) return {do: 'end', state: 'cancelled', error: ''};
  if (failed + skipped + cancelled === 0) return {do: 'end', state: 'succeeded', error: ''};
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} were skipped`] : []),
    ...(cancelled > 0 ? [`${cancelled} were cancelled`] : []),
  ];
  const error = `Of ${machines(totalOf(counts))} ${parts.join(', ')}`;
  return {do: 'end', state: 'failed', error};
}

const machines = (count: number): string => `${count} ${count === 1 ? 'machine' : 'machines'}`;

export const totalOf = (counts: ChildCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

export function sumOf(waves: readonly WaveCounts[]): ChildCounts {
  const states = Object.keys(noChildren) as ChildState[];
  return Object.fromEntries(
    states.map(state => [state, waves.reduce((sum, {counts}) => sum + counts[state], 0)]),
  ) as ChildCounts;
}

/** What becomes of one machine that has begun. */
export type Next =
  | {readonly do: 'wait'}
  | {readonly do: 'cancel_build'; readonly buildId: string}
  /** Its image is built, and held back until the tests that its groups require have passed. */
  | {readonly do: 'await_tests'; readonly imageId: string}
  | {readonly do: 'reboot'; readonly imageId: string}
  | {
      readonly do: 'end';
      readonly state: 'succeeded' | 'failed' | 'cancelled';
      readonly text: string;
    };

const end = (state: 'succeeded' | 'failed' | 'cancelled', text: string): Next => ({
  do: 'end',
  state,
  text,
});

export type BuildFacts = {
  readonly action: BulkAction;
  readonly cancelRequested: boolean;
  readonly build: Pick<Build, 'id' | 'imageId' | 'operation'> | undefined;
  readonly machine: MachineFacts | undefined;
  /** The image that waits for tests that the machine's groups require. */
  readonly held?: Pick<HeldImage, 'imageId' | 'verdict' | 'reason'> | undefined;
};

type MachineFacts = Pick<
  Machine,
  | 'id'
  | 'state'
  | 'stateReason'
  | 'desiredImageId'
  | 'bootedImageId'
  | 'badImageIds'
  | 'quarantineReason'
>;

export function afterBuild({action, cancelRequested, build, machine, held}: BuildFacts): Next {
  if (!build) return end('failed', 'Its build is gone');
  const {id, imageId = '', operation} = build;
  if (!isOver(operation.state))
    return cancelRequested && !operation.cancelRequested
      ? {do: 'cancel_build', buildId: id}
      : {do: 'wait'};
  if (operation.state === 'cancelled')
    return end(cancelRequested ? 'cancelled' : 'failed', `Build "${id}" was cancelled`);
  if (operation.state === 'failed')
    return end('failed', `Build "${id}" failed: ${operation.error}`);
  if (action === 'build') return end('succeeded', `Built image "${imageId.slice(0, 12)}"`);

  if (!machine) return end('failed', 'The machine was removed');
  if (machine.state === 'active' && machine.bootedImageId === imageId)
    return end('succeeded', 'It runs this image already');
  if (cancelRequested)
    return end('cancelled', 'The operation was cancelled; the next boot takes the new image');
  if (held?.imageId === imageId)
    return held.verdict === 'closed'
      ? end('failed', closedGate(machine, held))
      : {do: 'await_tests', imageId};
  // A reboot would not bring it into this one.
  if (machine.desiredImageId !== imageId) return end('failed', anotherImage);
  return {do: 'reboot', imageId};
}

const anotherImage = 'Another image was built for the machine meanwhile';

const closedGate = ({id}: Pick<Machine, 'id'>, {reason}: Pick<HeldImage, 'reason'>): string =>
  `Its image did not pass the gate of its groups: ${reason}. "muster image-tests gate ${id}" shows the test: correct the image, or run the test again; then resume the roll-out and try the machine again`;

export type RebootFacts = {
  readonly action: BulkAction;
  readonly cancelRequested: boolean;
  readonly command: {readonly state: Command['state']; readonly message: string} | undefined;
  readonly machine: MachineFacts | undefined;
  readonly imageId: string | undefined;
  readonly waitedSeconds: number;
  readonly limitSeconds: number;
};

/** A machine that leaves these while it is rolled out is out of the roll-out. */
const onTheWay: ReadonlySet<MachineState> = new Set(['provisioning', 'ready', 'active']);

export function afterReboot(facts: RebootFacts): Next {
  const {action, cancelRequested, command, machine} = facts;
  if (!machine) return end('failed', 'The machine was removed');
  if (action === 'rollout') return afterImage(facts, machine);
  if (command?.state === 'succeeded') return end('succeeded', command.message || 'It rebooted');
  if (command?.state !== 'pending')
    return end('failed', command?.message || 'The answer to the command is gone');
  return cancelRequested
    ? end('cancelled', 'It had been told to reboot before the operation was cancelled')
    : {do: 'wait'};
}

/** Success is ACTIVE in the image; each way in which that can no longer come is a failure. */
function afterImage(facts: RebootFacts, machine: MachineFacts): Next {
  const {cancelRequested, command, imageId = '', waitedSeconds, limitSeconds} = facts;
  const {state, stateReason, desiredImageId, bootedImageId, badImageIds} = machine;
  if (state === 'active' && bootedImageId === imageId)
    return end('succeeded', 'It is ACTIVE in its new image');
  if (badImageIds.includes(imageId))
    return end('failed', 'The image failed its trials on this machine and was marked bad');
  if (machine.quarantineReason !== '')
    return end('failed', `The machine was quarantined: ${machine.quarantineReason}`);
  if (!onTheWay.has(state))
    return end('failed', `The machine became ${state}${stateReason ? `: ${stateReason}` : ''}`);
  if (desiredImageId !== imageId) return end('failed', anotherImage);
  if (command?.state === 'failed' || command?.state === 'timed_out')
    return end('failed', `It did not reboot: ${command.message}`);
  if (cancelRequested)
    return end('cancelled', 'It had been told to reboot before the operation was cancelled');
  if (waitedSeconds <= limitSeconds) return {do: 'wait'};
  return end('failed', `It was not ACTIVE in its new image ${limitSeconds} s after its reboot`);
}

/** The wave of each machine, from 1: a canary first, then waves of one size. */
export function wavesOf(
  total: number,
  {canary, waveSize}: {readonly canary: number; readonly waveSize: number},
): readonly number[] {
  const first = canary > 0 ? 1 : 0;
  return Array.from({length: total}, (_, index) =>
    index < canary ? 1 : 1 + first + Math.floor((index - canary) / waveSize),
  );
}

/** How far it is, to one decimal place. */
export function progressOf(counts: ChildCounts): number {
  const total = totalOf(counts);
  const over = total - counts.queued - counts.running;
  return total === 0 ? 100 : Math.round((over / total) * 1000) / 10;
}
