import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {holdArtifacts} from '../store/image-collection.ts';
import {deleteStoredTestLogs, deleteTestLog, testLogs} from '../store/image-test-logs.ts';
import * as store from '../store/image-tests.ts';
import type {ImageTest, ImageTestResult} from '../store/image-tests.ts';
import {type Artifact, findImages} from '../store/images.ts';
import {type Attempted, attemptFence, type Builder} from './attempt-fence.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {endTest} from './image-test-end.ts';
import {
  attemptLimitMs,
  attemptsMax,
  isTestOver,
  screenshotBytesMax,
  serialLogBytesMax,
  testUpkeepOf,
  type TestUpkeepLimits,
} from './image-test-rules.ts';

const liveTestsReadMax = 1000;
const busyFactor = 15;
/** For those who follow a test to its end. */
const logKeptMs = 10 * 60_000;

export type ImageTestOutcome = {
  readonly outcome: 'passed' | 'failed' | 'cancelled' | 'error';
  readonly results: readonly ImageTestResult[];
  readonly error: string;
  readonly screenshot: Artifact | undefined;
  readonly serialLog: Artifact | undefined;
};

type Attempt = {readonly testId: string; readonly attempt: number};

export type ImageTestWork = ReturnType<typeof createImageTestWork>;

/** What builders do with tests of images. Every report is fenced by the attempt number, as with builds. */
export function createImageTestWork(
  deps: Deps & {
    readonly hasArtifact: (sha256: string, sizeBytes: number) => Promise<boolean>;
    readonly limits: TestUpkeepLimits;
  },
) {
  const {sql, now, newId, hasArtifact, limits} = deps;
  const end = endTest(deps);

  return {
    /** Throws not_found or failed_precondition when the job is to be dropped, unavailable when another builder is at it right now. */
    async claim(builder: Builder, testId: string) {
      const claimed = await sql.begin(async tx => {
        const test = await lock(tx, testId);
        const {actor} = builder;
        if (isTestOver(test.status)) return fence.over(testId, test.status);
        if (test.cancelRequested) {
          await end(tx, test, {status: 'cancelled', actor, failure: test.failure});
          return fence.over(testId, 'cancelled');
        }
        const attempted = attemptedOf(test);
        if (fence.isHeld(attempted, builder, now())) return fence.held(attempted);
        if (test.attempt >= attemptsMax) {
          await end(tx, test, {status: 'error', actor: 'system', failure: tooOften});
          return fence.over(testId, 'error');
        }
        return start(tx, test, builder);
      });
      if (claimed instanceof DomainError) throw claimed;
      return claimed;
    },

    /** Tells whether the builder is to stop. Throws not_found, aborted. */
    report: (
      builder: Builder,
      {
        testId,
        attempt,
        stage,
        lines,
      }: Attempt & {readonly stage: string; readonly lines: readonly string[]},
    ): Promise<{readonly cancelRequested: boolean}> =>
      sql.begin(async tx => {
        const test = await lockAttempt(tx, builder, {testId, attempt});
        if (isTestOver(test.status)) throw fence.stale(attemptedOf(test), attempt);
        const time = now();
        await store.updateImageTest(tx, testId, {
          status: 'running',
          reportTime: time,
          ...(stage !== '' ? {stage} : {}),
        });
        await testLogs.append(tx, testId, {time, lines});
        await store.notifyImageTest(tx, testId);
        return {cancelRequested: test.cancelRequested};
      }),

    /** Idempotent for the attempt that ended the test. Throws not_found, aborted, invalid_argument and failed_precondition. */
    finish: (
      builder: Builder,
      {testId, attempt, result}: Attempt & {readonly result: ImageTestOutcome},
    ): Promise<void> =>
      sql.begin(async tx => {
        await holdArtifacts(tx);
        const test = await lockAttempt(tx, builder, {testId, attempt});
        if (test.status === result.outcome) return;
        if (isTestOver(test.status)) throw fence.stale(attemptedOf(test), attempt);
        const {outcome, results, screenshot, serialLog} = result;
        assertComplete(test, result);
        await assertFile(screenshot, screenshotBytesMax);
        await assertFile(serialLog, serialLogBytesMax);
        const failure =
          outcome === 'passed'
            ? ''
            : outcome === 'cancelled'
              ? test.failure
              : result.error || 'The builder gave no reason';
        const files = {...(screenshot ? {screenshot} : {}), ...(serialLog ? {serialLog} : {})};
        const {actor} = builder;
        await end(tx, test, {status: outcome, actor, failure, results, ...files});
      }),

    /** Ends and re-queues what has to be, and gives the tests that need a job in the work queue. */
    async review({queueIsEmpty}: {readonly queueIsEmpty: boolean}) {
      const queuedMs = limits.queuedMs * (queueIsEmpty ? 1 : busyFactor);
      await deleteStoredTestLogs(sql, new Date(now().getTime() - logKeptMs));
      const jobs: {readonly imageTestId: string; readonly jobCount: number}[] = [];
      for (const {id} of await store.listLiveImageTests(sql, liveTestsReadMax)) {
        const test = await sql.begin(tx => review(tx, id, {...limits, queuedMs}));
        if (test) jobs.push({imageTestId: id, jobCount: test.jobCount});
      }
      return jobs;
    },

    /** It is in the work queue. */
    jobQueued: (id: string) => store.noteImageTestJob(sql, id, now()),

    /** The work queue gave it up. */
    async jobLost(id: string): Promise<void> {
      await store.forgetImageTestJob(sql, id);
      await store.notifyTestQueue(sql, id);
    },
  };

  async function start(tx: Sql, test: ImageTest, builder: Builder) {
    const {id, imageId, machineId} = test;
    const [image] = imageId ? await findImages(tx, [imageId]) : [];
    const time = now();
    const attempt = test.attempt + 1;
    await store.updateImageTest(tx, id, {
      status: 'running',
      attempt,
      builderId: builder.id,
      claimTime: time,
      reportTime: time,
      stage: '',
      startTime: test.startTime ?? time,
    });
    await deleteTestLog(tx, id);
    await appendEvent(tx, {
      id: newId(),
      time,
      type: 'image_test.started',
      actor: builder.actor,
      machineId,
      subject: `image-tests/${id}`,
      data: {attempt},
      change: updated(
        {status: test.status, attempt: test.attempt, builderId: test.builderId},
        {status: 'running', attempt, builderId: builder.id},
      ),
    });
    await store.notifyImageTest(tx, id);
    return {test, image, attempt};
  }

  /** The test, when it needs a job. */
  async function review(
    tx: Sql,
    id: string,
    applied: TestUpkeepLimits,
  ): Promise<ImageTest | undefined> {
    const test = await store.findImageTestForUpdate(tx, id);
    if (!test || isTestOver(test.status)) return undefined;
    const upkeep = testUpkeepOf(test, now(), applied);
    if (upkeep === 'none') return undefined;
    if (upkeep === 'queue') return test;
    if (upkeep === 'requeue') {
      await store.forgetImageTestJob(tx, id);
      if (test.status === 'running')
        await store.updateImageTest(tx, id, {status: 'pending', stage: ''});
      await store.notifyImageTest(tx, id);
      return test;
    }
    const minutes = Math.round(attemptLimitMs(test) / 60_000);
    const failure =
      test.attempt >= attemptsMax ? tooOften : `No builder gave a result within ${minutes} minutes`;
    await end(
      tx,
      test,
      upkeep === 'cancel'
        ? {status: 'cancelled', actor: 'system', failure: test.failure}
        : {status: 'error', actor: 'system', failure},
    );
    return undefined;
  }

  async function assertFile(file: Artifact | undefined, bytesMax: number): Promise<void> {
    if (!file) return;
    const {name, sha256, sizeBytes} = file;
    if (sizeBytes > bytesMax)
      throw new DomainError(
        'invalid_argument',
        `Cannot finish image test: "${name}" has ${sizeBytes} bytes, allowed are ${bytesMax}`,
      );
    if (!(await hasArtifact(sha256, sizeBytes)))
      throw new DomainError(
        'failed_precondition',
        `Cannot finish image test: "${name}" (${sha256}) is not in the image store; upload it first`,
      );
  }
}

const tooOften = `${attemptsMax} attempts ended without a result`;

function assertComplete(
  {id, firmwares}: ImageTest,
  {outcome, results}: Pick<ImageTestOutcome, 'outcome' | 'results'>,
): void {
  const asked = results.every(({firmware}) => firmwares.includes(firmware));
  const passed = firmwares.every(firmware =>
    results.some(result => result.firmware === firmware && result.passed),
  );
  const fits = outcome === 'passed' ? passed : outcome !== 'failed' || !passed;
  if (asked && fits) return;
  throw new DomainError(
    'invalid_argument',
    `Cannot finish image test "${id}" as ${outcome}: its results do not say so for ${firmwares.join(' and ')}`,
  );
}

async function lock(tx: Sql, testId: string): Promise<ImageTest> {
  const test = await store.findImageTestForUpdate(tx, testId);
  if (!test) throw new DomainError('not_found', `Cannot find image test "${testId}"`);
  return test;
}

async function lockAttempt(
  tx: Sql,
  builder: Builder,
  {testId, attempt}: Attempt,
): Promise<ImageTest> {
  const test = await lock(tx, testId);
  fence.assertCurrent(attemptedOf(test), builder, attempt);
  return test;
}

const fence = attemptFence('image test');

const attemptedOf = ({id, status, attempt, builderId, reportTime}: ImageTest): Attempted => ({
  id,
  state: status,
  attempt,
  builderId,
  reportTime,
});
