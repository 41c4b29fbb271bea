import {type CallOptions, Code, ConnectError} from '@connectrpc/connect';
import type {Logger} from '@muster/runtime/log.ts';
import {BuilderStopped, claimUnlessOver, type JobQueue, startSlots} from './job-slots.ts';
import {isStale, type Report, startReporter} from './jobs/reporter.ts';
import {retryWhileTransient} from './retry.ts';

const callTimeoutMs = 30_000;
const finishDelayMaxMs = 15_000;

/** What one attempt has of the worker while it runs. */
export type Running = {
  /** Aborts when the builder stops, the time is over, somebody cancelled it, or the server has given it to somebody else. */
  readonly signal: AbortSignal;
  /** A line of the live log. */
  readonly log: (line: string) => void;
  /** There is something new to report beside the log. */
  readonly news: () => void;
  readonly remainingMs: () => number;
};

/** One attempt, as the server sees it: everything that it hears names it. */
export type Attempt<Result> = {
  /** Undefined: it has no limit as a whole. */
  readonly timeLimitSeconds?: number;
  readonly report: Report;
  /** Failures are results; throws only when the signal aborts. */
  readonly run: (running: Running) => Promise<Result>;
  readonly finish: (result: Result, call: CallOptions) => Promise<unknown>;
};

type AnyResult = {readonly outcome?: number; readonly error?: string};

/** Work that builders take from a queue, do in attempts, report on, and finish: builds, tests of images. */
export type AttemptedWork<Claim, Result> = Omit<JobQueue, 'work'> & {
  readonly claim: (id: string, call: CallOptions) => Promise<Claim>;
  readonly begin: (id: string, claim: Claim, slot: number) => Attempt<Result>;
  readonly cancelled: Result;
  readonly failed: (error: string) => Result;
};

/** Why an attempt that runs ends before its time. */
class AttemptStopped extends Error {
  readonly reason: 'cancelled' | 'stale' | 'time-limit';

  constructor(reason: AttemptStopped['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Takes such work from its queue, one for each free slot, until disposed. */
export function startAttempts<Claim extends {readonly attempt: number}, Result extends AnyResult>(
  work: AttemptedWork<Claim, Result>,
  slots: number,
): AsyncDisposable {
  const {noun, idField} = work;
  return startSlots(
    {
      ...work,
      async work(id, {slot, signal}) {
        const log = work.log.child({[idField]: id});
        const claim = await claimUnlessOver(() => work.claim(id, {timeoutMs: callTimeoutMs}));
        if (!claim) {
          log.info(`the ${noun} is over already: job dropped`);
          return;
        }
        log.info({attempt: claim.attempt, slot}, `${noun} claimed`);
        await carryOut({...work, log}, work.begin(id, claim, slot), signal);
      },
    },
    slots,
  );
}

type Kind<Result> = Pick<AttemptedWork<never, Result>, 'noun' | 'cancelled' | 'failed'> & {
  readonly log: Logger;
};

/** Throws when the work must go back into the queue: this builder stops. */
async function carryOut<Result extends AnyResult>(
  kind: Kind<Result>,
  attempt: Attempt<Result>,
  signal: AbortSignal,
): Promise<void> {
  const {noun, log} = kind;
  const stop = new AbortController();
  using limit = startLimit(noun, attempt.timeLimitSeconds, stop);
  const reporter = startReporter({
    noun,
    report: attempt.report,
    onStop: reason => stop.abort(new AttemptStopped(reason, `The ${noun} is ${reason}`)),
    log,
  });
  try {
    const result = await attempt.run({
      signal: AbortSignal.any([signal, stop.signal]),
      log: reporter.log,
      news: reporter.news,
      remainingMs: limit.remainingMs,
    });
    await reporter.end();
    await finish(kind, attempt, {result, signal});
  } catch (error) {
    if (error instanceof BuilderStopped) log.info(`${noun} stopped: the builder stops`);
    if (!(error instanceof AttemptStopped)) throw error;
    log.info({reason: error.reason}, `${noun} stopped`);
    await reporter.end();
    if (error.reason === 'stale') return;
    const result = error.reason === 'cancelled' ? kind.cancelled : kind.failed(error.message);
    await finish(kind, attempt, {result, signal});
  } finally {
    await reporter.end();
  }
}

function startLimit(noun: string, seconds: number | undefined, stop: AbortController) {
  if (seconds === undefined)
    return {remainingMs: () => Infinity, [Symbol.dispose]: () => undefined};
  const deadlineMs = performance.now() + seconds * 1000;
  const timer = setTimeout(() => {
    const why = `The ${noun} took longer than its limit of ${seconds} s`;
    stop.abort(new AttemptStopped('time-limit', why));
  }, seconds * 1000);
  return {
    remainingMs: () => deadlineMs - performance.now(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** Until the server answers: a result is never given up while this builder lives. */
async function finish<Result extends AnyResult>(
  {noun, failed, log}: Kind<Result>,
  attempt: Attempt<Result>,
  {result, signal}: {readonly result: Result; readonly signal: AbortSignal},
): Promise<void> {
  const send = (sent: Result) =>
    retryWhileTransient(() => attempt.finish(sent, {timeoutMs: callTimeoutMs}), {
      signal,
      delayMaxMs: finishDelayMaxMs,
      onRetry: error => log.warn({err: error}, `cannot finish the ${noun} yet, trying again`),
    });
  try {
    await send(result).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      // The server does not take this result (its message says why): then it has failed, and nobody shall wait for it.
      return send(failed(error.rawMessage));
    });
    log.info({outcome: result.outcome, error: result.error}, `${noun} finished`);
  } catch (error) {
    if (!isStale(error)) throw error;
    log.info('the attempt was not the current one any more: its result was dropped');
  }
}

const isRefusal = (error: unknown): error is ConnectError =>
  error instanceof ConnectError &&
  [Code.InvalidArgument, Code.FailedPrecondition].includes(error.code);
