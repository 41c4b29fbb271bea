import type {BootTest} from '../store/boot-tests.ts';
import type {ImageTest, ImageTestStatus, ImageTestType} from '../store/image-tests.ts';
import {isTestOver} from './image-test-rules.ts';

/** One test that groups require, and which of them do. */
export type GateRequirement = {
  readonly test: string;
  /** "group NAME" */
  readonly origins: readonly string[];
};

export type GateFinding = GateRequirement & {
  /** Undefined: it was never run. */
  readonly status: ImageTestStatus | undefined;
  /** The test that decides; undefined when that is the build's own boot test. */
  readonly testId: string | undefined;
  readonly explanation: string;
  /** How often it ended without a result since the last one that had one. */
  readonly errors: number;
};

export type GateVerdict = {
  readonly verdict: 'open' | 'waiting' | 'closed';
  /** In words. */
  readonly reason: string;
  readonly findings: readonly GateFinding[];
};

export type GateFacts = {
  /** Of this image, newest first. */
  readonly tests: readonly Pick<ImageTest, 'id' | 'names' | 'status' | 'results' | 'failure'>[];
  /** Those of its build. */
  readonly bootTests: readonly Pick<BootTest, 'firmware' | 'passed'>[];
};

/** What ended without a result is run again so often before somebody has to look at it. */
export const automaticRetriesMax = 2;

/** The requirements of all groups add up: a group that a machine is put into cannot take away what another one asks for. */
export function requirementsOf(
  groups: readonly {readonly name: string; readonly imageGate?: readonly string[]}[],
): readonly GateRequirement[] {
  const origins = new Map<string, string[]>();
  for (const {name, imageGate = []} of groups)
    for (const test of imageGate)
      origins.set(test, [...(origins.get(test) ?? []), `group ${name}`]);
  return [...origins].map(([test, from]) => ({test, origins: from}));
}

/** Whether a machine may have the image. Of each test the newest result counts; one that is under way is waited for. */
export function judgeGate(requirements: readonly GateRequirement[], facts: GateFacts): GateVerdict {
  const findings = requirements.map(requirement => find(requirement, facts));
  const failed = findings.filter(({status}) => status === 'failed');
  const missing = findings.filter(({status}) => status !== 'passed' && status !== 'failed');
  if (failed.length > 0)
    return {verdict: 'closed', reason: sentence('It failed', failed), findings};
  if (missing.length > 0)
    return {verdict: 'waiting', reason: sentence('It waits for', missing), findings};
  const reason =
    findings.length === 0 ? 'No group requires a test' : 'It passed every test that is required';
  return {verdict: 'open', reason, findings};
}

function find(requirement: GateRequirement, {tests, bootTests}: GateFacts): GateFinding {
  const {test} = requirement;
  let errors = 0;
  let unfinished: GateFinding | undefined;
  for (const candidate of tests.filter(({names}) => names.includes(test))) {
    const status = verdictOf(candidate, test);
    if (status === 'error') errors += 1;
    const explanation = explain(candidate, test, status);
    const finding = {...requirement, status, testId: candidate.id, explanation, errors};
    if (status !== 'error' && status !== 'cancelled') return {...finding, errors};
    unfinished ??= finding;
  }
  const built = builtIn(test, bootTests);
  if (built !== undefined)
    return {
      ...requirement,
      status: built ? 'passed' : 'failed',
      testId: undefined,
      explanation: `${built ? 'Passed' : 'Failed'} in the boot tests of its build`,
      errors,
    };
  if (unfinished) return {...unfinished, errors};
  const explanation = 'Never run for this image';
  return {...requirement, status: undefined, testId: undefined, explanation, errors};
}

/** A test of several units may have failed for another one. */
function verdictOf({status, results}: GateFacts['tests'][number], test: string): ImageTestStatus {
  if (status !== 'failed') return status;
  if (test.startsWith('boot-')) {
    const result = results.find(({firmware}) => test === `boot-${firmware}`);
    // It stops at the first firmware that fails.
    return result ? (result.passed ? 'passed' : 'failed') : 'error';
  }
  if (!test.startsWith('service:')) return 'failed';
  const unit = `unit ${test.slice('service:'.length)}`;
  const checks = results.map(({checks}) => checks.find(({name}) => name === unit));
  return checks.length > 0 && checks.every(check => check?.passed) ? 'passed' : 'failed';
}

function explain(
  {id, failure}: Pick<ImageTest, 'id' | 'failure'>,
  test: string,
  status: ImageTestStatus,
): string {
  if (status === 'passed') return `Passed in test "${id}"`;
  if (status === 'failed') return `Failed in test "${id}": ${failure}`;
  if (!isTestOver(status)) return `Test "${id}" is ${status}`;
  if (status === 'cancelled')
    return `Test "${id}" was cancelled: run it again with "muster image-tests retry ${id}"`;
  return `Test "${id}" ended without a result for ${test} (${failure}): run it again with "muster image-tests retry ${id}"`;
}

/** What a build's own boot test has shown: the real agent sent back its nonce and the image's input key. */
function builtIn(test: string, bootTests: GateFacts['bootTests']): boolean | undefined {
  if (test === 'hello') return bootTests.some(({passed}) => passed) || undefined;
  return bootTests.find(({firmware}) => test === `boot-${firmware}`)?.passed;
}

const sentence = (beginning: string, findings: readonly GateFinding[]): string =>
  `${beginning} ${findings.map(({test, origins}) => `${test} (required by ${origins.join(', ')})`).join(', ')}`;

/** Tests that the server asks for itself: what was never run, and what ended without a result a few times at most. */
export type MissingTest =
  | {readonly testType: 'boot'; readonly firmwares: readonly ('bios' | 'uefi')[]}
  | {readonly testType: 'service'; readonly units: readonly string[]}
  | {readonly testType: 'script'; readonly scriptName: string}
  | {readonly testType: Exclude<ImageTestType, 'boot' | 'service' | 'script'>};

/** As few machines as possible are started: units are looked at together. */
export function missingTests(findings: readonly GateFinding[]): readonly MissingTest[] {
  const missing = findings
    .filter(
      ({status, errors}) =>
        status === undefined || (status === 'error' && errors <= automaticRetriesMax),
    )
    .map(({test}) => test);
  const firmwares = (['bios', 'uefi'] as const).filter(name => missing.includes(`boot-${name}`));
  const after = (prefix: string) =>
    missing.filter(test => test.startsWith(prefix)).map(test => test.slice(prefix.length));
  const units = after('service:');
  return [
    ...(firmwares.length > 0 ? [{testType: 'boot', firmwares} as const] : []),
    ...(['hello', 'network'] as const)
      .filter(testType => missing.includes(testType))
      .map(testType => ({testType})),
    ...(units.length > 0 ? [{testType: 'service', units} as const] : []),
    ...after('script:').map(scriptName => ({testType: 'script', scriptName}) as const),
  ];
}
