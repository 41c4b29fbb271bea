import {CreateBulkRequest_Operation as Action} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {createTestMachine} from '../helpers/builds.ts';
import {createTestBulks, type TestBulks} from '../helpers/bulks.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {print} from './measure.ts';

const machines = 1000;
const atATime = 4;
const ratioMax = 4;

/** A bulk update against the same updates one by one, as many at a time: what an outcome for each machine costs. */
export async function benchBulk(): Promise<void> {
  await using postgres = await startPostgres();
  await using app = await createTestBulks(postgres.sql);
  const ids = await Promise.all(
    Array.from({length: machines}, () => createTestMachine(postgres.sql, 'enrolled')),
  );
  await updateEach(app, ids, 'warm');
  const base = await updateEach(app, ids, 'single');

  const {operation} = await app.bulk.createBulk({
    machineIds: ids,
    operation: Action.UPDATE,
    data: {notes: 'bulk'},
    concurrency: atATime,
  });
  const start = performance.now();
  const over = await app.drive(operation?.id ?? '');
  const ms = performance.now() - start;
  if (over.children?.succeeded !== machines) throw new Error('Some machines were not updated');
  print({
    what: `bulk update of ${machines} machines, ${atATime} at a time`,
    value: `${Math.round(machines / (ms / 1000))} machines/s`,
    base: `${(ms / base).toFixed(2)} × the time of single updates (${Math.round(machines / (base / 1000))}/s)`,
    limit: `≤ ${ratioMax} ×`,
    met: ms / base <= ratioMax,
  });
}

async function updateEach({machines: use}: TestBulks, ids: readonly string[], notes: string) {
  const start = performance.now();
  const left = [...ids];
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop())
      await use.update('user:alice', id, {notes});
  };
  await Promise.all(Array.from({length: atATime}, lane));
  return performance.now() - start;
}
