import path from 'node:path';
import {type Client, Code, ConnectError} from '@connectrpc/connect';
import {
  type BuildService,
  type ClaimBuildResponse,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {BusSession} from './bus-session.ts';
import {BuilderStopped, isOver, type JobObserver, startSlots} from './job-slots.ts';
import {buildImage, type BuildImageDeps, type BuildResult} from './jobs/build-image.ts';
import {type Attempt, isStale, startReporter} from './jobs/reporter.ts';
import {retryWhileTransient} from './retry.ts';

const callTimeoutMs = 30_000;
const finishDelayMaxMs = 15_000;

export type WorkerDeps = BuildImageDeps & {
  readonly builds: Client<typeof BuildService>;
  readonly bus: Pick<BusSession, 'builds'>;
  readonly workDirectory: string;
  readonly buildTimeLimitSeconds: number;
  readonly observer?: JobObserver;
  readonly log: Logger;
};

/** Why a running build ends before its time. */
class BuildStopped extends Error {
  readonly reason: 'cancelled' | 'stale' | 'time-limit';

  constructor(reason: BuildStopped['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Takes builds from the queue, one for each free slot, until disposed. */
export function startWorker(deps: WorkerDeps, slots: number): AsyncDisposable {
  return startSlots(
    {
      noun: 'build',
      idField: 'buildId',
      consumer: deps.bus.builds,
      observer: deps.observer,
      log: deps.log,
      async work(buildId, running) {
        const log = deps.log.child({buildId});
        const claim = await claimBuild(deps, buildId);
        if (!claim) log.info('the build is over already: job dropped');
        else await runAttempt({...deps, log}, {buildId, claim}, running);
      },
    },
    slots,
  );
}

/** Undefined when there is nothing to do any more. */
async function claimBuild(
  {builds}: WorkerDeps,
  buildId: string,
): Promise<ClaimBuildResponse | undefined> {
  try {
    return await builds.claimBuild({buildId}, {timeoutMs: callTimeoutMs});
  } catch (error) {
    if (isOver(error)) return undefined;
    throw error;
  }
}

/** Throws when the build must go back into the queue: this builder stops. */
async function runAttempt(
  deps: WorkerDeps,
  {buildId, claim}: {buildId: string; claim: ClaimBuildResponse},
  {slot, signal}: {slot: number; signal: AbortSignal},
): Promise<void> {
  const {log} = deps;
  const attempt: Attempt = {buildId, attempt: claim.attempt};
  const stop = new AbortController();
  const limitSeconds = Math.min(
    deps.buildTimeLimitSeconds,
    claim.timeLimitSeconds || deps.buildTimeLimitSeconds,
  );
  const deadlineMs = performance.now() + limitSeconds * 1000;
  const timer = setTimeout(
    () =>
      stop.abort(
        new BuildStopped('time-limit', `The build took longer than its limit of ${limitSeconds} s`),
      ),
    limitSeconds * 1000,
  );
  const backend = deps.backends.find(({name}) => name === claim.spec?.backend);
  const reporter = startReporter(deps.builds, attempt, {
    steps: backend?.steps ?? [],
    onStop: reason => stop.abort(new BuildStopped(reason, `The build is ${reason}`)),
    log,
  });
  const ending = AbortSignal.any([signal, stop.signal]);
  const {log: logLine, step, progress} = reporter;
  const remainingMs = () => deadlineMs - performance.now();
  const context = {signal: ending, log: logLine, step, progress, remainingMs};
  log.info({attempt: claim.attempt, slot}, 'build claimed');

  try {
    if (!claim.spec) throw new Error('The server gave a build without a specification');
    const directory = path.join(deps.workDirectory, `slot-${slot}`);
    const result = await buildImage(deps, claim.spec, {directory, context});
    await reporter.end();
    await finish(deps, attempt, {result, signal});
  } catch (error) {
    if (error instanceof BuilderStopped) log.info('build stopped: the builder stops');
    if (!(error instanceof BuildStopped)) throw error;
    log.info({reason: error.reason}, 'build stopped');
    await reporter.end();
    const result = resultOfStop(error);
    if (result) await finish(deps, attempt, {result, signal});
  } finally {
    clearTimeout(timer);
    await reporter.end();
  }
}

function resultOfStop({reason, message}: BuildStopped): BuildResult | undefined {
  switch (reason) {
    case 'cancelled':
      return {outcome: FinishBuildRequest_Outcome.CANCELLED};
    case 'time-limit':
      return {outcome: FinishBuildRequest_Outcome.FAILED, error: message};
    default:
      return undefined;
  }
}

/** Until the server answers: the result of a build is never given up while this builder lives. */
async function finish(
  {builds, log}: WorkerDeps,
  attempt: Attempt,
  {result, signal}: {result: BuildResult; signal: AbortSignal},
): Promise<void> {
  const send = (sent: BuildResult) =>
    retryWhileTransient(
      () => builds.finishBuild({...attempt, ...sent}, {timeoutMs: callTimeoutMs}),
      {
        signal,
        delayMaxMs: finishDelayMaxMs,
        onRetry: error => log.warn({err: error}, 'cannot finish the build yet, trying again'),
      },
    );
  try {
    await send(result).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      // The server does not take this image (its message says why): then the build has failed, and nobody shall wait for it.
      return send({outcome: FinishBuildRequest_Outcome.FAILED, error: error.rawMessage});
    });
    log.info({outcome: result.outcome, error: result.error}, 'build finished');
  } catch (error) {
    if (!isStale(error)) throw error;
    log.info('the attempt was not the current one any more: its result was dropped');
  }
}

const isRefusal = (error: unknown): error is ConnectError =>
  error instanceof ConnectError &&
  [Code.InvalidArgument, Code.FailedPrecondition].includes(error.code);
