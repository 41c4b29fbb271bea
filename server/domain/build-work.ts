import {DomainError} from '../errors.ts';
import type {BootTest} from '../store/boot-tests.ts';
import {buildLogs} from '../store/build-logs.ts';
import {
  type Build,
  type BuildSpec,
  findBuildForUpdate,
  findBuildInputs,
  notifyBuild,
  updateBuild,
} from '../store/builds.ts';
import type {Diagnostic} from '../store/diagnostics.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {holdArtifacts} from '../store/image-collection.ts';
import {type Image, insertImage} from '../store/images.ts';
import {updateOperation} from '../store/operations.ts';
import {type Attempted, attemptFence, type Builder} from './attempt-fence.ts';
import {type BuildTransitions, endBuild} from './build-end.ts';
import {created, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {imageId, keepBootTestResults} from './images.ts';
import {advanceSteps, isOver} from './operations.ts';

const attemptsMax = 5;
export type NewImage = Omit<Image, 'id' | 'buildId' | 'createTime'>;

export type BuildResult =
  | {readonly outcome: 'succeeded'; readonly image: NewImage; readonly cached: boolean}
  | {
      readonly outcome: 'failed';
      readonly error: string;
      readonly bootTests: readonly BootTest[];
      readonly diagnostics: readonly Diagnostic[];
    }
  | {readonly outcome: 'cancelled'};

type Attempt = {readonly buildId: string; readonly attempt: number};

export type BuildWork = ReturnType<typeof createBuildWork>;

export type BuildWorkDeps = Deps & {
  readonly transitions: BuildTransitions;
  /** Whether the image store has this artifact whole. */
  readonly hasArtifact: (sha256: string, sizeBytes: number) => Promise<boolean>;
  readonly timeLimitSeconds: number;
  /** What the builder itself has reported. */
  readonly offers: (tx: Sql, builderId: string, backend: string) => Promise<boolean>;
};

/** What builders do with builds. Every report is fenced by the attempt number (docs/bus.md). */
export function createBuildWork(deps: BuildWorkDeps) {
  const {sql, now, newId, hasArtifact, timeLimitSeconds, offers} = deps;
  const end = endBuild(deps);

  return {
    /**
     * Throws not_found or failed_precondition when the job is to be dropped, unavailable when another builder is at it right now or this one does not
     * offer its back end: then it is to be taken again later.
     */
    async claim(builder: Builder, buildId: string) {
      // Whatever ends a build here is to be committed, so it is not thrown inside of the transaction.
      const claimed = await sql.begin(async tx => {
        const build = await lock(tx, buildId);
        if (isOver(build.operation.state)) return fence.over(buildId, build.operation.state);
        if (build.operation.cancelRequested) {
          await end(tx, build, {outcome: 'cancelled', actor: builder.actor, error: ''});
          return fence.over(buildId, 'cancelled');
        }
        const attempted = attemptedOf(build);
        if (fence.isHeld(attempted, builder, now())) return fence.held(attempted);
        if (!(await offers(tx, builder.id, build.backend))) return notOffered(build);
        if (build.attempt >= attemptsMax) {
          const error = `Cannot build: ${attemptsMax} attempts ended without a result; look at the builders' logs`;
          await end(tx, build, {outcome: 'failed', actor: 'system', error});
          return fence.over(buildId, 'failed');
        }
        return start(tx, build, builder);
      });
      if (claimed instanceof DomainError) throw claimed;
      return {...claimed, timeLimitSeconds};
    },

    /** Progress never shrinks. Tells whether the builder is to stop. Throws not_found, aborted. */
    async report(
      builder: Builder,
      {
        buildId,
        attempt,
        step,
        progressPercent,
        lines,
      }: Attempt & {
        readonly step: string;
        readonly progressPercent: number;
        readonly lines: readonly string[];
      },
    ): Promise<{readonly cancelRequested: boolean}> {
      return sql.begin(async tx => {
        const build = await lockAttempt(tx, builder, {buildId, attempt});
        if (isOver(build.operation.state)) throw fence.stale(attemptedOf(build), attempt);
        const {operation} = build;
        const time = now();
        const steps = advanceSteps(operation.steps, step, time);
        const progress = Math.max(operation.progressPercent, progressPercent);
        const resumed = operation.state === 'queued';
        if (steps !== operation.steps || progress !== operation.progressPercent || resumed)
          await updateOperation(tx, buildId, {state: 'running', steps, progressPercent: progress});
        await updateBuild(tx, buildId, {reportTime: time});
        await buildLogs.append(tx, buildId, {time, lines});
        await notifyBuild(tx, buildId);
        return {cancelRequested: operation.cancelRequested};
      });
    },

    /**
     * Idempotent for the attempt that ended the build. Throws not_found, aborted, invalid_argument (an image that is not what was asked for or has no
     * passed boot test) and failed_precondition (an artifact that is not in the image store).
     */
    async finish(
      builder: Builder,
      {buildId, attempt, result}: Attempt & {readonly result: BuildResult},
    ) {
      await sql.begin(async tx => {
        // What is in the image store now stays there until the image that names it is committed.
        if (result.outcome === 'succeeded') await holdArtifacts(tx);
        const build = await lockAttempt(tx, builder, {buildId, attempt});
        if (build.operation.state === result.outcome) return;
        if (isOver(build.operation.state)) throw fence.stale(attemptedOf(build), attempt);

        const {actor} = builder;
        if (result.outcome === 'cancelled')
          return end(tx, build, {outcome: 'cancelled', actor, error: ''});
        if (result.outcome === 'failed')
          return end(tx, build, {
            ...result,
            actor,
            error: result.error || 'The builder gave no reason',
          });
        assertAsked(build, result.image);
        await assertStored(result.image);
        const image = await keepImage(tx, build, result.image, actor);
        return end(tx, build, {
          outcome: 'succeeded',
          actor,
          imageId: image.id,
          cached: result.cached,
        });
      });
    },
  };

  async function start(tx: Sql, build: Build, builder: Builder) {
    const {id, machineId} = build;
    const time = now();
    const attempt = build.attempt + 1;
    const {startTime = time} = build.operation;
    await updateOperation(tx, id, {state: 'running', steps: [], startTime});
    await updateBuild(tx, id, {attempt, builderId: builder.id, claimTime: time, reportTime: time});
    const line = `Attempt ${attempt} by ${builder.actor}`;
    await buildLogs.append(tx, id, {time, lines: [line]});
    await appendEvent(tx, {
      id: newId(),
      time,
      type: 'build.started',
      actor: builder.actor,
      machineId,
      subject: `builds/${id}`,
      data: {attempt},
      change: updated(
        {state: build.operation.state, attempt: build.attempt, builderId: build.builderId},
        {state: 'running', attempt, builderId: builder.id},
      ),
    });
    await notifyBuild(tx, id);
    const spec: BuildSpec = {...build, ...(await findBuildInputs(tx, id))};
    return {spec, attempt};
  }

  async function keepImage(tx: Sql, build: Build, made: NewImage, actor: string): Promise<Image> {
    const wanted = {...made, id: imageId(made), buildId: build.id, createTime: now()};
    const image = await insertImage(tx, wanted);
    if (image !== wanted) return image;
    await keepBootTestResults(tx, image);
    const {bootTests: _long, ...told} = image;
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'image.added',
      actor,
      machineId: build.machineId,
      subject: `images/${image.id}`,
      data: {kind: image.kind, variant: image.variant, buildId: build.id},
      change: created(told),
    });
    return image;
  }

  async function assertStored({kernel, initrds, layers}: NewImage): Promise<void> {
    for (const {name, sha256, sizeBytes} of [kernel, ...initrds, ...layers])
      if (!(await hasArtifact(sha256, sizeBytes)))
        throw new DomainError(
          'failed_precondition',
          `Cannot finish build: artifact "${name}" (${sha256}, ${sizeBytes} bytes) is not in the image store; upload it first`,
        );
  }
}

async function lock(tx: Sql, buildId: string): Promise<Build> {
  const build = await findBuildForUpdate(tx, buildId);
  if (!build) throw new DomainError('not_found', `Cannot find build "${buildId}"`);
  return build;
}

async function lockAttempt(tx: Sql, builder: Builder, {buildId, attempt}: Attempt): Promise<Build> {
  const build = await lock(tx, buildId);
  fence.assertCurrent(attemptedOf(build), builder, attempt);
  return build;
}

const fence = attemptFence('build');

const attemptedOf = ({id, operation, attempt, builderId, reportTime}: Build): Attempted => ({
  id,
  state: operation.state,
  attempt,
  builderId,
  reportTime,
});

/** A site may have builders with and without Nix: what one cannot build, another can. */
function notOffered({id, backend}: Build): DomainError {
  return new DomainError(
    'unavailable',
    `Cannot claim build "${id}": this builder does not offer ${backend}; leave it to another one`,
  );
}

function assertAsked(build: Build, image: NewImage): void {
  const {kind, variant, backend} = build;
  const wrong = (why: string) =>
    new DomainError('invalid_argument', `Cannot finish build "${build.id}": ${why}`);
  if (image.kind !== kind || image.variant !== variant || image.backend !== backend)
    throw wrong(
      `its image is ${image.kind}, ${image.variant}, ${image.backend}, but ${kind}, ${variant}, ${backend} was asked for`,
    );
  const odd = image.initrds.find(({sizeBytes}) => sizeBytes % 4 !== 0);
  if (odd)
    throw wrong(`initrd "${odd.name}" has ${odd.sizeBytes} bytes, which is no multiple of 4`);
  if (image.bootTests.length === 0 || image.bootTests.some(test => !test.passed))
    throw wrong('its image did not pass its boot tests');
}
