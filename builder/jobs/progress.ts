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
