import {DomainError} from '../errors.ts';
import {buildLogs} from '../store/build-logs.ts';
import {
  type Build,
  findBuildForUpdate,
  findLastRegistrationBuild,
  findLiveBuild,
  forgetJob,
  listLiveBuilds,
  noteJob,
  notifyBuild,
} from '../store/builds.ts';
import type {Sql} from '../store/db.ts';
import {type ImageVariant, latestRegistrationImage} from '../store/images.ts';
import {updateOperation} from '../store/operations.ts';
import {endBuild} from './build-end.ts';
import {type LiveBuilder, offers, type UpkeepLimits, upkeepOf} from './build-rules.ts';
import type {Builds} from './builds.ts';
import type {Deps} from './deps.ts';
import type {Transitions} from './transitions.ts';

const liveBuildsMax = 1000;

export type WantedJob = {readonly buildId: string; readonly jobCount: number};

export type BuildUpkeep = ReturnType<typeof createBuildUpkeep>;

/** Keeps live builds going, whatever was lost: jobs in the work queue, builders, answers. */
export function createBuildUpkeep(
  deps: Deps & {readonly transitions: Transitions; readonly limits: UpkeepLimits},
) {
  const {sql, now, limits} = deps;
  const end = endBuild(deps);

  return {
    /**
     * Ends and re-queues what has to be, and gives the jobs that have to be put into the work queue. While that queue holds jobs, a build that waits is
     * most likely in it: it is given `busyFactor` times as long.
     */
    async review({queueIsEmpty, busyFactor = 15}: {queueIsEmpty: boolean; busyFactor?: number}) {
      const queuedMs = limits.queuedMs * (queueIsEmpty ? 1 : busyFactor);
      const applied = {...limits, queuedMs};
      const jobs: WantedJob[] = [];
      for (const {id} of await listLiveBuilds(sql, liveBuildsMax)) {
        const build = await sql.begin(tx => review(tx, id, applied));
        if (build) jobs.push({buildId: build.id, jobCount: build.jobCount});
      }
      return jobs;
    },

    /** It is in the work queue. */
    jobQueued: (buildId: string) => noteJob(sql, buildId, now()),

    /** The work queue gave it up. */
    async jobLost(buildId: string): Promise<void> {
      await forgetJob(sql, buildId);
      await notifyBuild(sql, buildId);
    },
  };

  /** The build, when it needs a job. */
  async function review(tx: Sql, id: string, applied: UpkeepLimits): Promise<Build | undefined> {
    const build = await findBuildForUpdate(tx, id);
    if (!build || build.operation.endTime) return undefined;
    const upkeep = upkeepOf(build, now(), applied);
    if (upkeep === 'none') return undefined;
    if (upkeep === 'queue') return build;
    if (upkeep === 'requeue') {
      await requeue(tx, build);
      return build;
    }
    const minutes = Math.round(limits.attemptMs / 60_000);
    const error = upkeep === 'fail' ? `Cannot build: no result within ${minutes} minutes` : '';
    await end(tx, build, {
      outcome: upkeep === 'fail' ? 'failed' : 'cancelled',
      actor: 'system',
      error,
    });
    return undefined;
  }

  async function requeue(tx: Sql, {id, operation}: Build): Promise<void> {
    await forgetJob(tx, id);
    if (operation.state === 'queued') return;
    const line = `Nothing was heard of the builder for ${limits.silentMs / 1000} s: queued again`;
    await buildLogs.append(tx, id, {time: now(), lines: [line]});
    await updateOperation(tx, id, {state: 'queued'});
    await notifyBuild(tx, id);
  }
}

/** In the order in which they are wanted: the small one is ready sooner. */
const variants: readonly ImageVariant[] = ['virtual', 'full'];

/**
 * Asks for the registration images that do not exist yet, one at a time, while a live builder offers debian. After a failure the next one waits for
 * `backOffMs`. Gives the variant that it asked for.
 */
export async function requestMissingRegistrationImage({
  sql,
  now,
  builds,
  listLiveBuilders,
  backOffMs,
}: Pick<Deps, 'sql' | 'now'> & {
  readonly builds: Builds;
  readonly listLiveBuilders: () => Promise<readonly LiveBuilder[]>;
  readonly backOffMs: number;
}): Promise<ImageVariant | undefined> {
  for (const variant of variants) {
    if (await latestRegistrationImage(sql, variant)) continue;
    if (await findLiveBuild(sql, {registrationVariant: variant})) return undefined;
    const endTime = (await findLastRegistrationBuild(sql, variant))?.operation.endTime;
    if (endTime && now().getTime() - endTime.getTime() < backOffMs) continue;
    if (!offers('debian', await listLiveBuilders())) return undefined;
    try {
      await builds.createForRegistration('system', variant);
      return variant;
    } catch (error) {
      // Another server was faster, or the builder has just gone.
      if (error instanceof DomainError) return undefined;
      throw error;
    }
  }
  return undefined;
}
