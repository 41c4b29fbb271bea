import type {BulkChild, WaveCounts} from '../store/bulk-children.ts';
import type {Bulk} from '../store/bulks.ts';
import type {HeldImage} from '../store/held-images.ts';
import {totalOf} from './bulk-rules.ts';
import {isOver} from './operations.ts';

export type RolloutState =
  | 'queued'
  | 'running'
  | 'paused'
  | 'halted'
  | 'succeeded'
  | 'failed'
  | 'cancelled';

export function rolloutStateOf({operation, hold}: Pick<Bulk, 'operation' | 'hold'>): RolloutState {
  return isOver(operation.state) || hold === '' ? operation.state : hold;
}

/** What comes next, and why; empty when it is over. */
export function nextStepOf(
  bulk: Pick<Bulk, 'operation' | 'hold' | 'wave' | 'waves' | 'failuresMax'>,
  waves: readonly WaveCounts[],
  /** Machines that wait for tests of their image. */
  testing: number,
): string {
  const {operation, hold, wave, failuresMax = 0} = bulk;
  if (isOver(operation.state)) return '';
  const open = waves.filter(each => each.wave <= wave);
  const count = (pick: (each: WaveCounts) => number) =>
    open.reduce((sum, each) => sum + pick(each), 0);
  const running = count(({counts}) => counts.running);
  const left = count(({counts}) => counts.queued) + running;
  const going = running > 0 ? `What has begun goes on to its end (${machines(running)}). ` : '';
  if (operation.cancelRequested)
    return `${going}It is over when none runs any more: it was cancelled`;
  if (hold === 'paused') return `${going}Resume it or cancel it`;
  if (hold === 'halted')
    return `${going}Look at the machines that failed; then resume it, with or without another try of them, or cancel it`;

  const total = count(({counts}) => totalOf(counts));
  const place = `Wave ${wave} of ${bulk.waves}: ${total - left} of ${machines(total)} up to here are over`;
  const then =
    wave < bulk.waves
      ? `wave ${wave + 1} begins when all of them are, and no more than ${failuresMax} failed`
      : 'it is over when all of them are';
  const tests =
    testing > 0
      ? `; ${machines(testing)} ${testing === 1 ? 'waits' : 'wait'} for tests of the new image ("muster image-tests gate MACHINE" shows which)`
      : '';
  return `${place}${tests}; ${then}`;
}

/** What comes next for one machine that has begun, and why; empty for one that has not, or is over. */
export function nextStepOfChild(
  {state, step, machineId = ''}: Pick<BulkChild, 'state' | 'step' | 'machineId'>,
  {action, machineLimitSeconds}: Pick<Bulk, 'action' | 'machineLimitSeconds'>,
  held: Pick<HeldImage, 'reason'> | undefined,
): string {
  if (state !== 'running') return '';
  switch (step) {
    case 'building':
      return action === 'build'
        ? 'It is done when its build is'
        : 'It is told to reboot when its image is built and has passed the tests that its groups require';
    case 'testing':
      return held
        ? `${held.reason}; "muster image-tests gate ${machineId}" shows each test. Then it is told to reboot`
        : 'Its image has passed its tests: it is told to reboot';
    case 'rebooting':
      return action === 'rollout'
        ? `It is done when it is ACTIVE in its new image, and has failed when it is not ${machineLimitSeconds} s after its reboot`
        : 'It is done when it is back';
    default:
      return '';
  }
}

const machines = (count: number): string => `${count} ${count === 1 ? 'machine' : 'machines'}`;
