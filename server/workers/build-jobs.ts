import type {NatsConnection} from '@nats-io/transport-node';
import {buildersDurable, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {BuildUpkeep} from '../domain/build-upkeep.ts';
import type {Database} from '../store/db.ts';
import {startJobQueue} from './start-job-queue.ts';

/** Puts builds into the work queue. */
export const startBuildJobs = ({
  upkeep,
  ...deps
}: {
  readonly sql: Database;
  readonly nats: NatsConnection;
  readonly upkeep: BuildUpkeep;
  readonly log: Logger;
}): Promise<AsyncDisposable> =>
  startJobQueue(
    {
      name: 'build jobs',
      intervalMs: 10_000,
      consumer: {
        durable: buildersDurable,
        subject: subjects.buildJob,
        deliveriesMax: 20,
        ackPendingMax: 256,
      },
      idField: 'buildId',
      channel: 'builds',
      review: async queue =>
        (await upkeep.review(queue)).map(({buildId, jobCount}) => ({id: buildId, jobCount})),
      queued: upkeep.jobQueued,
      lost: upkeep.jobLost,
    },
    deps,
  );
