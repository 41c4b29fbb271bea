import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {timestampNow} from '@bufbuild/protobuf/wkt';
import {type Client, Code, ConnectError} from '@connectrpc/connect';
import {
  type ClaimImageTestResponse,
  FinishImageTestRequest_Outcome,
  type ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {findMissingForBootTests} from './boot-tests/qemu.ts';
import type {BusSession} from './bus-session.ts';
import {BuilderStopped, isOver, type JobObserver, startSlots} from './job-slots.ts';
import {createLogBuffer} from './jobs/log-buffer.ts';
import {isStale} from './jobs/reporter.ts';
import {
  carryOutImageTest,
  type ImageTestDeps,
  type ImageTestResult,
} from './jobs/run-image-test.ts';
import {isTransient, retryWhileTransient} from './retry.ts';

const callTimeoutMs = 30_000;
const finishDelayMaxMs = 15_000;
const reportEveryMs = 500;
/** Also without news: the answer says whether to go on. */
const askEveryMs = 3000;
const flushAttemptsMax = 3;

export type ImageTestWorkerDeps = ImageTestDeps & {
  readonly tests: Client<typeof ImageTestService>;
  readonly bus: Pick<BusSession, 'imageTests'>;
  readonly workDirectory: string;
  readonly observer?: JobObserver;
  readonly log: Logger;
};

type Attempt = {readonly imageTestId: string; readonly attempt: number};

/** Why a test that runs ends before its time. */
class TestStopped extends Error {
  readonly reason: 'cancelled' | 'stale';

  constructor(reason: TestStopped['reason']) {
    super(`The image test is ${reason}`);
    this.reason = reason;
  }
}

/** Takes tests of images from the queue, one for each free slot, until disposed. */
export function startImageTestWorker(deps: ImageTestWorkerDeps, slots: number): AsyncDisposable {
  return startSlots(
    {
      noun: 'image-test',
      idField: 'imageTestId',
      consumer: deps.bus.imageTests,
      isReady: async () => (await findMissingForBootTests(deps.settings.firmwares)) === undefined,
      observer: deps.observer,
      log: deps.log,
      async work(imageTestId, running) {
        const log = deps.log.child({imageTestId});
        const claim = await claimTest(deps, imageTestId);
        if (!claim) log.info('the image test is over already: job dropped');
        else await runAttempt({...deps, log}, {imageTestId, claim}, running);
      },
    },
    slots,
  );
}

/** Undefined when there is nothing to do any more. */
async function claimTest(
  {tests}: ImageTestWorkerDeps,
  imageTestId: string,
): Promise<ClaimImageTestResponse | undefined> {
  try {
    return await tests.claimImageTest({imageTestId}, {timeoutMs: callTimeoutMs});
  } catch (error) {
    if (isOver(error)) return undefined;
    throw error;
  }
}

/** Throws when the test must go back into the queue: this builder stops. */
async function runAttempt(
  deps: ImageTestWorkerDeps,
  {imageTestId, claim}: {imageTestId: string; claim: ClaimImageTestResponse},
  {slot, signal}: {slot: number; signal: AbortSignal},
): Promise<void> {
  const {log} = deps;
  const attempt = {imageTestId, attempt: claim.attempt};
  const stop = new AbortController();
  const reporter = startReporter(deps, attempt, reason => stop.abort(new TestStopped(reason)));
  const context = {
    signal: AbortSignal.any([signal, stop.signal]),
    log: reporter.log,
    stage: reporter.stage,
  };
  log.info({attempt: claim.attempt, slot}, 'image test claimed');
  try {
    const directory = path.join(deps.workDirectory, `test-${slot}`);
    const result = await carryOutImageTest(deps, claim, {directory, context});
    await reporter.end();
    await finish(deps, attempt, {result, signal});
  } catch (error) {
    if (error instanceof BuilderStopped) log.info('image test stopped: the builder stops');
    if (!(error instanceof TestStopped)) throw error;
    log.info({reason: error.reason}, 'image test stopped');
    if (error.reason === 'stale') return;
    const result = {outcome: FinishImageTestRequest_Outcome.CANCELLED};
    await reporter.end();
    await finish(deps, attempt, {result, signal});
  } finally {
    await reporter.end();
  }
}

/** Until the server answers: a result is never given up while this builder lives. */
async function finish(
  {tests, log}: ImageTestWorkerDeps,
  attempt: Attempt,
  {result, signal}: {result: ImageTestResult; signal: AbortSignal},
): Promise<void> {
  const send = (sent: ImageTestResult) =>
    retryWhileTransient(
      () => tests.finishImageTest({...attempt, ...sent}, {timeoutMs: callTimeoutMs}),
      {
        signal,
        delayMaxMs: finishDelayMaxMs,
        onRetry: error => log.warn({err: error}, 'cannot finish the image test yet, trying again'),
      },
    );
  try {
    await send(result).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      const {ERROR: outcome} = FinishImageTestRequest_Outcome;
      return send({outcome, error: error.rawMessage});
    });
    log.info({outcome: result.outcome, error: result.error}, 'image test finished');
  } catch (error) {
    if (!isStale(error)) throw error;
    log.info('the attempt was not the current one any more: its result was dropped');
  }
}

const isRefusal = (error: unknown): error is ConnectError =>
  error instanceof ConnectError &&
  [Code.InvalidArgument, Code.FailedPrecondition].includes(error.code);

/** Carries the console and the stage of one attempt to the server while it runs. */
function startReporter(
  {tests, log}: ImageTestWorkerDeps,
  attempt: Attempt,
  onStop: (reason: TestStopped['reason']) => void,
) {
  const buffer = createLogBuffer();
  const ending = new AbortController();
  let stage = '';
  let hasNews = false;
  let askedMs = 0;

  async function report(): Promise<void> {
    const lines = buffer.next();
    hasNews = false;
    askedMs = performance.now();
    const sent = lines.length > 0 ? {log: {time: timestampNow(), lines: [...lines]}} : {};
    const answer = await tests.reportImageTest(
      {...attempt, stage, ...sent},
      {timeoutMs: callTimeoutMs},
    );
    buffer.drop(lines.length);
    if (answer.cancelRequested) onStop('cancelled');
  }

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(reportEveryMs, undefined, {signal: ending.signal}).catch(() => undefined);
      const isDue = performance.now() - askedMs > askEveryMs;
      if (!isDue && !hasNews && buffer.isEmpty()) continue;
      try {
        await report();
      } catch (error) {
        if (isStale(error)) return onStop('stale');
        log.warn({err: error}, 'cannot report on the image test');
      }
    }
  }

  const running = loop();
  return {
    log: (line: string) => buffer.add(line),
    stage(reached: string) {
      stage = reached;
      hasNews = true;
    },
    /** What is still buffered is sent first, in a few attempts. */
    async end(): Promise<void> {
      ending.abort();
      await running;
      for (let failures = 0; !buffer.isEmpty() && failures < flushAttemptsMax;) {
        try {
          await report();
        } catch (error) {
          if (!isTransient(error)) return;
          failures += 1;
          await sleep(reportEveryMs);
        }
      }
    },
  };
}
