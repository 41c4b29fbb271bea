import type {NatsConnection} from '@nats-io/transport-node';
import {subjects, validationsDurable} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Validations} from '../domain/validations.ts';
import type {Database} from '../store/db.ts';
import {startJobQueue} from './start-job-queue.ts';

/** Puts configurations that somebody waits for into the work queue, once more when nobody took them. */
export const startValidationJobs = ({
  validations,
  ...deps
}: {
  readonly sql: Database;
  readonly nats: NatsConnection;
  readonly validations: Validations;
  readonly log: Logger;
}): Promise<AsyncDisposable> =>
  startJobQueue(
    {
      name: 'validation jobs',
      intervalMs: 5000,
      consumer: {
        durable: validationsDurable,
        subject: subjects.validateJob,
        deliveriesMax: 5,
        ackPendingMax: 64,
      },
      idField: 'validationId',
      channel: 'validations',
      review: async () =>
        (await validations.review()).map(({validationId, jobCount}) => ({
          id: validationId,
          jobCount,
        })),
      queued: validations.jobQueued,
      // Whoever waits for one that was given up is told at the end of its time.
      lost: () => Promise.resolve(),
    },
    deps,
  );
