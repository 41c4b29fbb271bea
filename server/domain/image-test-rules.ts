import {DomainError} from '../errors.ts';
import type {Firmware} from '../store/boot-tests.ts';
import type {
  ImageTest,
  ImageTestPlan,
  ImageTestStatus,
  ImageTestType,
} from '../store/image-tests.ts';
import type {Upkeep} from './build-rules.ts';

/** Of an image or file: as many may wait or run, and as many are kept. */
export const liveTestsOfImageMax = 8;
export const keptTestsOfImage = 100;
export const liveTestsMax = 500;
export const screenshotBytesMax = 4 * 1024 * 1024;
export const serialLogBytesMax = 1024 * 1024;
export const attemptsMax = 5;

const secondsMax = {boot: 3600, check: 1800};
const checkSecondsDefault = 120;
/** What a builder may need beside its boots: to fetch the image, to store what it saw. */
const overheadMs = 15 * 60_000;

export const emptyPlan: ImageTestPlan = {
  units: [],
  script: '',
  scriptName: '',
  resolveName: '',
  checkTimeLimitSeconds: checkSecondsDefault,
  timeLimitSeconds: 0,
};

export type WantedTest = {
  readonly testType: ImageTestType;
  readonly firmwares: readonly Firmware[];
  readonly plan: Partial<ImageTestPlan>;
  readonly isDisk: boolean;
};

/** What will be run, with its defaults. Throws invalid_argument when type and plan do not fit. */
export function completeTest({testType, firmwares, plan, isDisk}: WantedTest): {
  readonly firmwares: readonly Firmware[];
  readonly plan: ImageTestPlan;
  readonly names: readonly string[];
} {
  const full = {
    ...emptyPlan,
    ...plan,
    checkTimeLimitSeconds: plan.checkTimeLimitSeconds || checkSecondsDefault,
  };
  const problem = problemOf(testType, full, isDisk);
  if (problem) throw new DomainError('invalid_argument', `Cannot test an image: ${problem}`);
  const chosen: readonly Firmware[] =
    firmwares.length > 0 ? firmwares : testType === 'boot' ? ['bios', 'uefi'] : ['bios'];
  return {firmwares: chosen, plan: full, names: namesOf(testType, chosen, full)};
}

/** What gates call this test. */
export function namesOf(
  testType: ImageTestType,
  firmwares: readonly Firmware[],
  {units, scriptName}: Pick<ImageTestPlan, 'units' | 'scriptName'>,
): readonly string[] {
  if (testType === 'boot') return firmwares.map(firmware => `boot-${firmware}`);
  if (testType === 'service') return units.map(unit => `service:${unit}`);
  if (testType === 'script') return scriptName ? [`script:${scriptName}`] : [];
  return [testType];
}

function problemOf(
  testType: ImageTestType,
  plan: ImageTestPlan,
  isDisk: boolean,
): string | undefined {
  const {units, script, scriptName, resolveName} = plan;
  if (isDisk && testType !== 'boot')
    return `a disk image is given no boot.json, so no agent in it can take part in a ${testType} test; ask for a boot test`;
  if (testType === 'service' && units.length === 0)
    return 'a service test needs the units that have to be active: give plan.units';
  if (testType !== 'service' && units.length > 0)
    return `plan.units are for a service test, this is a ${testType} test`;
  if (testType === 'script' && script.trim() === '')
    return 'a script test needs a script: give plan.script';
  if (testType !== 'script' && (script !== '' || scriptName !== ''))
    return `plan.script is for a script test, this is a ${testType} test`;
  if (testType !== 'network' && resolveName !== '')
    return `plan.resolve_name is for a network test, this is a ${testType} test`;
  return undefined;
}

export const isTestOver = (status: ImageTestStatus): boolean =>
  status !== 'pending' && status !== 'running';

/** How long one attempt may take, whatever its builder says. */
export function attemptLimitMs({firmwares, plan}: Pick<ImageTest, 'firmwares' | 'plan'>): number {
  const bootSeconds = plan.timeLimitSeconds || secondsMax.boot;
  return firmwares.length * bootSeconds * 1000 + overheadMs;
}

export type TestUpkeepLimits = {
  /** A pending test whose job nobody took for so long gets another job. */
  readonly queuedMs: number;
  /** A running test of which nothing was heard for so long is pending again. */
  readonly silentMs: number;
};

type Kept = Pick<
  ImageTest,
  | 'status'
  | 'cancelRequested'
  | 'jobTime'
  | 'claimTime'
  | 'reportTime'
  | 'firmwares'
  | 'plan'
  | 'attempt'
>;

/** What the reconciler does about a live test, as about a build: the table is the truth. */
export function testUpkeepOf(test: Kept, now: Date, limits: TestUpkeepLimits): Upkeep {
  const ageMs = (time: Date | undefined) => (time ? now.getTime() - time.getTime() : 0);
  if (test.status === 'pending') {
    if (test.cancelRequested) return 'cancel';
    if (!test.jobTime) return 'queue';
    return ageMs(test.jobTime) > limits.queuedMs ? 'requeue' : 'none';
  }
  const silent = ageMs(test.reportTime ?? test.claimTime) > limits.silentMs;
  if (silent && test.cancelRequested) return 'cancel';
  if (ageMs(test.claimTime) > attemptLimitMs(test)) return 'fail';
  if (silent && test.attempt >= attemptsMax) return 'fail';
  return silent ? 'requeue' : 'none';
}

/** What a person does next, in words; empty when there is nothing to do. */
export function nextStepOf({
  id,
  status,
  testType,
  results,
  imageId,
}: Pick<ImageTest, 'id' | 'status' | 'testType' | 'results' | 'imageId'>): string {
  if (status === 'passed') return '';
  if (status === 'pending')
    return 'Wait for a builder: "muster service list" shows whether one is online';
  if (status === 'running') return `Watch it: "muster image-tests log ${id} --follow"`;
  if (status === 'cancelled') return `Run it again: "muster image-tests retry ${id}"`;
  if (status === 'error')
    return `This says nothing about the image: see to the builder, then "muster image-tests retry ${id}"`;
  const failed = results.find(({passed}) => !passed);
  const check = failed?.checks.find(({passed}) => !passed);
  const look = `"muster image-tests log ${id}" and "muster image-tests screenshot ${id}"`;
  if (check?.name.startsWith('unit '))
    return `Correct the unit in the image's configuration and build again; its journal is in the result, the console is in ${look}`;
  if (check?.name === 'script')
    return 'Read what the script wrote in the result, then correct image or script';
  if (testType === 'network' && check)
    return 'See to the network configuration of the image: it has to ask for an address by DHCP';
  if (imageId === undefined)
    return `See ${look}: a disk image has to start by itself and ask for a login on its serial console (console=ttyS0)`;
  return `See how far it came in ${look}, correct the image's configuration and build again`;
}
