import type {NatsConnection} from '@nats-io/transport-node';
import {imageTestsDurable, subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {ImageGates} from '../domain/image-gates.ts';
import type {ImageTestWork} from '../domain/image-test-work.ts';
import type {Database} from '../store/db.ts';
import {startJobQueue} from './start-job-queue.ts';

/**
 * Puts tests of images into the work queue. Before that the gates are looked at: a test that ended may open one, and one that waits may need a
 * test.
 */
export const startImageTestJobs = ({
  work,
  gates,
  ...deps
}: {
  readonly sql: Database;
  readonly nats: NatsConnection;
  readonly work: ImageTestWork;
  readonly gates: ImageGates;
  readonly log: Logger;
}): Promise<AsyncDisposable> =>
  startJobQueue(
    {
      name: 'image test jobs',
      intervalMs: 10_000,
      consumer: {
        durable: imageTestsDurable,
        subject: subjects.imageTestJob,
        deliveriesMax: 20,
        ackPendingMax: 256,
      },
      idField: 'imageTestId',
      channel: 'image_test_queue',
      async review(queue) {
        await gates.review();
        const jobs = await work.review(queue);
        return jobs.map(({imageTestId, jobCount}) => ({id: imageTestId, jobCount}));
      },
      queued: work.jobQueued,
      lost: work.jobLost,
    },
    deps,
  );
