import path from 'node:path';
import type {Client} from '@connectrpc/connect';
import {
  type BuildService,
  type ClaimBuildResponse,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Logger, Outages} from '@muster/runtime/log.ts';
import {type Attempt, startAttempts} from './attempts.ts';
import type {BusSession} from './bus-session.ts';
import type {JobObserver} from './job-slots.ts';
import {buildImage, type BuildImageDeps, type BuildResult} from './jobs/build-image.ts';
import {createProgress} from './jobs/progress.ts';

export type WorkerDeps = BuildImageDeps & {
  readonly builds: Client<typeof BuildService>;
  readonly bus: Pick<BusSession, 'builds'>;
  readonly workDirectory: string;
  readonly buildTimeLimitSeconds: number;
  readonly observer?: JobObserver;
  readonly outages: Outages;
  readonly log: Logger;
};

/** Takes builds from the queue, one for each free slot, until disposed. */
export const startWorker = (deps: WorkerDeps, slots: number): AsyncDisposable =>
  startAttempts(
    {
      noun: 'build',
      idField: 'buildId',
      consumer: deps.bus.builds,
      observer: deps.observer,
      outages: deps.outages,
      log: deps.log,
      claim: (buildId, call) => deps.builds.claimBuild({buildId}, call),
      begin: (buildId, claim, slot) => attemptOf(deps, {buildId, claim, slot}),
      cancelled: {outcome: FinishBuildRequest_Outcome.CANCELLED},
      failed: (error): BuildResult => ({outcome: FinishBuildRequest_Outcome.FAILED, error}),
    },
    slots,
  );

function attemptOf(
  deps: WorkerDeps,
  {buildId, claim, slot}: {buildId: string; claim: ClaimBuildResponse; slot: number},
): Attempt<BuildResult> {
  const {builds, backends, workDirectory, buildTimeLimitSeconds} = deps;
  const {spec, timeLimitSeconds} = claim;
  const attempt = {buildId, attempt: claim.attempt};
  const backend = backends.find(({name}) => name === spec?.backend);
  const progress = createProgress(backend?.steps ?? []);
  return {
    timeLimitSeconds: Math.min(buildTimeLimitSeconds, timeLimitSeconds || buildTimeLimitSeconds),
    report: (lines, call) => builds.reportBuild({...attempt, ...progress.now(), ...lines}, call),
    async run({signal, log, news, remainingMs}) {
      if (!spec) throw new Error('The server gave a build without a specification');
      const context = {
        signal,
        log,
        remainingMs,
        step(name: string) {
          progress.enter(name);
          news();
          log(`Step ${name}`);
        },
        progress(fraction: number) {
          if (progress.advance(fraction)) news();
        },
      };
      return buildImage(deps, spec, {directory: path.join(workDirectory, `slot-${slot}`), context});
    },
    finish: (result, call) => builds.finishBuild({...attempt, ...result}, call),
  };
}
