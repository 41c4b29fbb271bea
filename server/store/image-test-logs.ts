import type {LogChunk} from './build-logs.ts';
import type {Sql} from './db.ts';

/** Of a test that runs: beyond this the oldest lines go. More than two reports; afterwards its builder's file of the whole counts. */
export const testLogBytesMax = 4 * 1024 * 1024;

/** The test's row is locked by the caller. */
export async function appendTestLog(
  sql: Sql,
  chunk: {readonly testId: string; readonly time: Date; readonly lines: readonly string[]},
): Promise<void> {
  const {testId, time, lines} = chunk;
  if (lines.length === 0) return;
  // PostgreSQL has no text with a zero character; a console may send one.
  const text = lines.map(line => `${line.replaceAll('\0', '\uFFFD')}\n`).join('');
  await sql`insert into image_test_log_chunks ${sql({testId, time, text})}`;
  const [row] = await sql<{bytes: string}[]>`
    update image_tests set log_bytes = log_bytes + octet_length(${text}) where id = ${testId}
    returning log_bytes as bytes
  `;
  if (Number(row?.bytes ?? 0) > testLogBytesMax) await dropOldest(sql, testId);
}

/** Oldest first, after a chunk. */
export async function listTestLog(
  sql: Sql,
  testId: string,
  {after, limit}: {readonly after: number; readonly limit: number},
): Promise<readonly LogChunk[]> {
  const rows = await sql<{number: string; time: Date; text: string}[]>`
    select number, time, text from image_test_log_chunks
    where test_id = ${testId} and number > ${after} order by number limit ${limit}
  `;
  return rows.map(({number, time, text}) => ({
    number: Number(number),
    time,
    lines: text.split('\n').slice(0, -1),
  }));
}

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

async function dropOldest(sql: Sql, testId: string): Promise<void> {
  await sql`
    with sized as (
      select number, sum(octet_length(text)) over (order by number desc) as kept
      from image_test_log_chunks where test_id = ${testId}
    ), dropped as (
      delete from image_test_log_chunks using sized
      where test_id = ${testId} and image_test_log_chunks.number = sized.number
        and sized.kept > ${Math.floor(testLogBytesMax * 0.9)}::bigint
      returning octet_length(text) as bytes
    )
    update image_tests set log_bytes = log_bytes - (select coalesce(sum(bytes), 0) from dropped)
    where id = ${testId}
  `;
}
