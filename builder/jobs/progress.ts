import {type BuildStep, commonSteps} from '../backends/backend.ts';

/**
 * Percent done when `fraction` of this step is done; steps that a build leaves out count as done. A step that nobody announced counts
 * nothing.
 */
export function progressAt(ownSteps: readonly BuildStep[], step: string, fraction: number): number {
  const steps = [...ownSteps, ...commonSteps];
  const index = steps.findIndex(({name}) => name === step);
  const before = steps.slice(0, Math.max(0, index)).reduce((sum, {weight}) => sum + weight, 0);
  const within = Math.min(1, Math.max(0, fraction)) * (steps[index]?.weight ?? 0);
  return Math.min(100, before + within);
}

/** Finer steps are not worth a report. */
const percentStep = 0.5;

/** How far a build is. Never back: what is worth less than what was shown is not shown. */
export function createProgress(ownSteps: readonly BuildStep[]) {
  let step = '';
  let progressPercent = 0;

  /** True when it is worth a report. */
  function advance(fraction: number): boolean {
    const next = progressAt(ownSteps, step, fraction);
    if (next - progressPercent < percentStep) return false;
    progressPercent = next;
    return true;
  }

  return {
    now: () => ({step, progressPercent}),
    enter(name: string): void {
      step = name;
      advance(0);
    },
    advance,
  };
}
