import type {Sql} from './db.ts';

/** Beyond this the oldest lines go: a failure is told at the end. */
export const logBytesMax = 4 * 1024 * 1024;

export type LogChunk = {
  readonly number: number;
  readonly time: Date;
  readonly lines: readonly string[];
};

/** The build's row is locked by the caller. */
export async function appendLog(
  sql: Sql,
  chunk: {readonly buildId: string; readonly time: Date; readonly lines: readonly string[]},
): Promise<void> {
  const {buildId, time, lines} = chunk;
  if (lines.length === 0) return;
  const text = lines.map(line => `${withoutZeros(line)}\n`).join('');
  await sql`insert into build_log_chunks ${sql({buildId, time, text})}`;
  const [row] = await sql<{bytes: string}[]>`
    update builds set log_bytes = log_bytes + octet_length(${text}) where id = ${buildId}
    returning log_bytes as bytes
  `;
  if (Number(row?.bytes ?? 0) > logBytesMax) await dropOldest(sql, buildId);
}

/** Oldest first, after a chunk. */
export async function listLog(
  sql: Sql,
  buildId: string,
  after: number,
  limit: number,
): Promise<readonly LogChunk[]> {
  const rows = await sql<{number: string; time: Date; text: string}[]>`
    select number, time, text from build_log_chunks
    where build_id = ${buildId} and number > ${after} order by number limit ${limit}
  `;
  return rows.map(({number, time, text}) => ({
    number: Number(number),
    time,
    lines: text.split('\n').slice(0, -1),
  }));
}

async function dropOldest(sql: Sql, buildId: string): Promise<void> {
  await sql`
    with sized as (
      select number, sum(octet_length(text)) over (order by number desc) as kept
      from build_log_chunks where build_id = ${buildId}
    ), dropped as (
      delete from build_log_chunks using sized
      where build_id = ${buildId} and build_log_chunks.number = sized.number
        and sized.kept > ${Math.floor(logBytesMax * 0.9)}::bigint
      returning octet_length(text) as bytes
    )
    update builds set log_bytes = log_bytes - (select coalesce(sum(bytes), 0) from dropped)
    where id = ${buildId}
  `;
}

/** PostgreSQL has no text with a zero character; a console may send one. */
function withoutZeros(line: string): string {
  return line.replaceAll('\0', '\uFFFD');
}
