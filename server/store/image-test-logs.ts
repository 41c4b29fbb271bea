import type {Sql} from './db.ts';
import {createLogStore} from './log-chunks.ts';

/** Of a test that runs: beyond this the oldest lines go. More than two reports; afterwards its builder's file of the whole counts. */
export const testLogBytesMax = 4 * 1024 * 1024;

export const testLogs = createLogStore({
  chunks: 'image_test_log_chunks',
  owner: 'test_id',
  owners: 'image_tests',
  bytesMax: testLogBytesMax,
});

/** A builder that begins anew writes its own. */
export async function deleteTestLog(sql: Sql, testId: string): Promise<void> {
  await sql`delete from image_test_log_chunks where test_id = ${testId}`;
  await sql`update image_tests set log_bytes = 0 where id = ${testId}`;
}

/** Of tests whose whole console is a file of the image store; those who followed one have read it by then. */
export async function deleteStoredTestLogs(sql: Sql, endedBefore: Date): Promise<void> {
  await sql`
    delete from image_test_log_chunks using image_tests
    where test_id = image_tests.id and serial_log is not null and end_time < ${endedBefore}
  `;
}
