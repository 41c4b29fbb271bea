import type {GuestReport, ImageTestCheck} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {ImageTest_TestType} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {checkEnrolment} from './boot-test.ts';
import {describeStage, isFatalLine, laterStage, type Stage, stageOfLine} from './stages.ts';

const {BOOT, HELLO} = ImageTest_TestType;

/** Beyond the time for the checks: the way of the report. */
const reportGraceSeconds = 30;
/** An agent that takes part asks at once. */
const askLimitSeconds = 60;
/** What a disk image says when it is up: getty's prompt, or systemd on the way to it. */
const loginPattern = /(^|\s)login:\s*$|Reached target (multi-user\.target|Multi-User System)/i;

export type TestRun = {
  readonly stage: () => Stage;
  readonly checks: () => readonly ImageTestCheck[];
  /** Undefined while it runs, and when it passed. */
  readonly failure: () => string | undefined;
  /** Aborts when there is a verdict. */
  readonly over: AbortSignal;
  reach(stage: Stage): void;
  /** A line of the serial console, or the beginning of one that is not whole yet. */
  line(text: string): void;
  enrolled(request: {readonly bootToken: string; readonly imageInputKey: string}): void;
  asked(): void;
  reported(report: GuestReport): void;
  /** The machine is off. */
  stopped(): void;
};

/** What one machine of a test has shown until now, and the verdict as soon as there is one. Timers end with `signal`. */
export function startTestRun({
  testType,
  isDisk,
  nonce,
  inputKey,
  timeLimitSeconds,
  checkTimeLimitSeconds,
  onStage,
}: {
  readonly testType: ImageTest_TestType;
  readonly isDisk: boolean;
  readonly nonce: string;
  readonly inputKey: string;
  readonly timeLimitSeconds: number;
  readonly checkTimeLimitSeconds: number;
  readonly onStage: (stage: Stage) => void;
}): TestRun & Disposable {
  const verdict = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let stage: Stage = 'power-on';
  let failure: string | undefined;
  let checks: readonly ImageTestCheck[] = [];

  const end = (reason?: string) => {
    if (verdict.signal.aborted) return;
    failure = reason;
    verdict.abort();
  };
  const endIn = (seconds: number, reason: () => string) =>
    timers.push(setTimeout(() => end(reason()), seconds * 1000));
  const standing = () =>
    isDisk ? 'no login prompt came on the serial console' : describeStage(stage);
  const isGuestTest = testType !== BOOT && testType !== HELLO;
  endIn(timeLimitSeconds, () => `it did not end within ${timeLimitSeconds} s; ${standing()}`);

  const reach = (reached: Stage) => {
    if (laterStage(stage, reached) === stage) return;
    stage = reached;
    onStage(stage);
    if (testType === BOOT && !isDisk && stage === 'agent started') end();
  };

  return {
    stage: () => stage,
    checks: () => checks,
    failure: () => failure,
    over: verdict.signal,
    reach,
    line(text) {
      const reached = stageOfLine(text);
      if (reached && !isDisk) reach(reached);
      if (isFatalLine(text)) end(`the console said "${text.trim().slice(0, 200)}"`);
      if (isDisk && loginPattern.test(text)) end();
    },
    enrolled(request) {
      reach('agent started');
      const problem = checkEnrolment(request, {nonce, inputKey});
      if (problem !== undefined || !isGuestTest) return end(problem);
      endIn(
        askLimitSeconds,
        () =>
          'the agent said hello, but never asked what to check: it is older than tests of images; build the image again',
      );
    },
    asked() {
      for (const timer of timers.splice(1)) clearTimeout(timer);
      const limit = checkTimeLimitSeconds + reportGraceSeconds;
      endIn(limit, () => `the agent reported no result of its checks within ${limit} s`);
    },
    reported(report) {
      if (report.nonce !== nonce) return end('a report came with another nonce than this test has');
      ({checks} = report);
      end(failureOf(checks));
    },
    stopped: () => end(`the machine switched itself off; ${standing()}`),
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function failureOf(checks: readonly ImageTestCheck[]): string | undefined {
  const failed = checks.filter(({passed}) => !passed);
  if (checks.length === 0)
    return 'the agent does not know this kind of test: build the image again';
  if (failed.length === 0) return undefined;
  return failed.map(({name, detail}) => `${name}: ${detail}`).join('; ');
}
