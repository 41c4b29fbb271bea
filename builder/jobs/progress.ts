import {type BuildStep, buildSteps} from '../backends/backend.ts';

/** What share of a usual build each step takes, in percent. */
const weights: Readonly<Record<BuildStep, number>> = {
  resolve: 4,
  base: 26,
  kernel: 8,
  layers: 5,
  'boot-test-bios': 25,
  'boot-test-uefi': 27,
  upload: 5,
};

/** Percent done when this step begins; steps that a build leaves out count as done. */
export function progressAtStart(step: BuildStep): number {
  const before = buildSteps.slice(0, buildSteps.indexOf(step));
  return before.reduce((sum, earlier) => sum + weights[earlier], 0);
}
