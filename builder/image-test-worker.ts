import path from 'node:path';
import type {Client} from '@connectrpc/connect';
import {
  type ClaimImageTestResponse,
  FinishImageTestRequest_Outcome,
  type ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {Logger, Outages} from '@muster/runtime/log.ts';
import {type Attempt, startAttempts} from './attempts.ts';
import {findMissingForBootTests} from './boot-tests/qemu.ts';
import type {BusSession} from './bus-session.ts';
import type {JobObserver} from './job-slots.ts';
import {
  carryOutImageTest,
  type ImageTestDeps,
  type ImageTestResult,
} from './jobs/run-image-test.ts';

export type ImageTestWorkerDeps = ImageTestDeps & {
  readonly tests: Client<typeof ImageTestService>;
  readonly bus: Pick<BusSession, 'imageTests'>;
  readonly workDirectory: string;
  readonly observer?: JobObserver;
  readonly outages: Outages;
  readonly log: Logger;
};

/** Takes tests of images from the queue, one for each free slot, until disposed. */
export const startImageTestWorker = (deps: ImageTestWorkerDeps, slots: number): AsyncDisposable =>
  startAttempts(
    {
      noun: 'image-test',
      idField: 'imageTestId',
      consumer: deps.bus.imageTests,
      isReady: async () => (await findMissingForBootTests(deps.settings.firmwares)) === undefined,
      observer: deps.observer,
      outages: deps.outages,
      log: deps.log,
      claim: (imageTestId, call) => deps.tests.claimImageTest({imageTestId}, call),
      begin: (imageTestId, claim, slot) => attemptOf(deps, {imageTestId, claim, slot}),
      cancelled: {outcome: FinishImageTestRequest_Outcome.CANCELLED},
      failed: (error): ImageTestResult => ({outcome: FinishImageTestRequest_Outcome.ERROR, error}),
    },
    slots,
  );

function attemptOf(
  deps: ImageTestWorkerDeps,
  {imageTestId, claim, slot}: {imageTestId: string; claim: ClaimImageTestResponse; slot: number},
): Attempt<ImageTestResult> {
  const {tests, workDirectory} = deps;
  const attempt = {imageTestId, attempt: claim.attempt};
  const directory = path.join(workDirectory, `test-${slot}`);
  let stage = '';
  return {
    report: (lines, call) => tests.reportImageTest({...attempt, stage, ...lines}, call),
    run({signal, log, news}) {
      const enter = (reached: string) => {
        stage = reached;
        news();
      };
      return carryOutImageTest(deps, claim, {directory, context: {signal, log, stage: enter}});
    },
    finish: (result, call) => tests.finishImageTest({...attempt, ...result}, call),
  };
}
