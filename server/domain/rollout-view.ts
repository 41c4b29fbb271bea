import type {WaveCounts} from '../store/bulk-children.ts';
import type {Bulk} from '../store/bulks.ts';
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
  return `${place}; ${then}`;
}

const machines = (count: number): string => `${count} ${count === 1 ? 'machine' : 'machines'}`;
