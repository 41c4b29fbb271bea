import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {type Client, Code, ConnectError} from '@connectrpc/connect';
import type {JsMsg} from '@nats-io/jetstream';
import {
  type BuildService,
  type ClaimBuildResponse,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {BusSession} from './bus-session.ts';
import {buildImage, type BuildImageDeps, type BuildResult} from './jobs/build-image.ts';
import {type Attempt, isStale, startReporter} from './jobs/reporter.ts';
import {retryWhileTransient} from './retry.ts';

const pullExpiresMs = 10_000;
const pullRetryMs = 1000;
/** Well inside the 30 s of `ack_wait`. */
const workingEveryMs = 8000;
const claimRetryMs = 3000;
const callTimeoutMs = 30_000;
const finishDelayMaxMs = 15_000;
const ackAttemptsMax = 10;
const ackTimeoutMs = 2000;

export type WorkerDeps = BuildImageDeps & {
  readonly builds: Client<typeof BuildService>;
  readonly bus: Pick<BusSession, 'builds'>;
  readonly workDirectory: string;
  readonly buildTimeLimitSeconds: number;
  readonly log: Logger;
};

/** Why a running build ends before its time. */
class BuildStopped extends Error {
  readonly reason: 'cancelled' | 'stale' | 'time-limit' | 'shutdown';

  constructor(reason: BuildStopped['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Takes builds from the queue, one for each free slot, until disposed. A build that runs then goes back into the queue at once. What a killed
 * builder held comes back by itself when `ack_wait` is over.
 */
export function startWorker(deps: WorkerDeps, slots: number): AsyncDisposable {
  const stop = new AbortController();
  const running = Array.from({length: slots}, (_, slot) => runSlot(deps, slot, stop.signal));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new BuildStopped('shutdown', 'The builder stops'));
      await Promise.all(running);
    },
  };
}

async function runSlot(deps: WorkerDeps, slot: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const consumer = await deps.bus.builds();
      // The pull itself cannot be aborted: an idle builder stops at its end, or when its connection closes.
      const message = await Promise.race([
        consumer.next({expires: pullExpiresMs}),
        aborted(signal),
      ]);
      if (message) await handleMessage(deps, message, {slot, signal});
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({err: error}, 'cannot take a build from the queue, trying again');
      await sleep(pullRetryMs, undefined, {signal}).catch(() => undefined);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), {once: true});
  });

async function handleMessage(
  deps: WorkerDeps,
  message: JsMsg,
  {slot, signal}: {slot: number; signal: AbortSignal},
): Promise<void> {
  const buildId = parseJob(message.data);
  if (buildId === undefined) {
    deps.log.error({bytes: message.data.length}, 'a job that names no build was dropped');
    message.term();
    return;
  }

  const log = deps.log.child({buildId});
  const keepAlive = setInterval(() => message.working(), workingEveryMs);
  try {
    const claim = await claimBuild(deps, buildId);
    if (!claim) log.info('the build is over already: job dropped');
    else await runAttempt({...deps, log}, {buildId, claim}, {slot, signal});
    await acknowledge(message, log);
  } catch (error) {
    log.warn({err: error}, 'the build goes back into the queue');
    message.nak(signal.aborted ? 0 : claimRetryMs);
  } finally {
    clearInterval(keepAlive);
  }
}

/** Undefined when the message is no job. */
export function parseJob(data: Uint8Array): string | undefined {
  try {
    const job: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    if (typeof job !== 'object' || job === null || !('buildId' in job)) return undefined;
    return typeof job.buildId === 'string' && job.buildId !== '' ? job.buildId : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when there is nothing to do any more. */
async function claimBuild(
  {builds}: WorkerDeps,
  buildId: string,
): Promise<ClaimBuildResponse | undefined> {
  try {
    return await builds.claimBuild({buildId}, {timeoutMs: callTimeoutMs});
  } catch (error) {
    const isOver = [Code.FailedPrecondition, Code.NotFound, Code.InvalidArgument];
    if (error instanceof ConnectError && isOver.includes(error.code)) return undefined;
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
  const timer = setTimeout(
    () =>
      stop.abort(
        new BuildStopped('time-limit', `The build took longer than its limit of ${limitSeconds} s`),
      ),
    limitSeconds * 1000,
  );
  const reporter = startReporter(deps.builds, attempt, {
    onStop: reason => stop.abort(new BuildStopped(reason, `The build is ${reason}`)),
    log,
  });
  const ending = AbortSignal.any([signal, stop.signal]);
  const context = {signal: ending, log: reporter.log, step: reporter.step};
  log.info({attempt: claim.attempt, slot}, 'build claimed');

  try {
    if (!claim.spec) throw new Error('The server gave a build without a specification');
    const directory = path.join(deps.workDirectory, `slot-${slot}`);
    const result = await buildImage(deps, claim.spec, {directory, context});
    await reporter.end();
    await finish(deps, attempt, {result, signal});
  } catch (error) {
    if (!(error instanceof BuildStopped)) throw error;
    log.info({reason: error.reason}, 'build stopped');
    await reporter.end();
    const result = resultOfStop(error);
    if (error.reason === 'shutdown') throw error;
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

/** An acknowledgement is a message too: asked for its receipt, and again if need be. A job that stays is claimed in vain later. */
async function acknowledge(message: JsMsg, log: Logger): Promise<void> {
  for (let count = 0; count < ackAttemptsMax; count += 1) {
    const acked = await message.ackAck({timeout: ackTimeoutMs}).catch(() => false);
    if (acked) return;
  }
  log.warn('the acknowledgement of the job has no receipt: it will come again and be dropped');
}
