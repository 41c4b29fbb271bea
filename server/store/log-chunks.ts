import type {Sql} from './db.ts';

export type LogChunk = {
  readonly number: number;
  readonly time: Date;
  readonly lines: readonly string[];
};

/** The log of work while it is done, in a table of chunks; its owner's row counts the bytes. Beyond `bytesMax` the oldest lines go. */
export function createLogStore({
  chunks,
  owner,
  owners,
  bytesMax,
}: {
  readonly chunks: 'build_log_chunks' | 'image_test_log_chunks';
  /** The column that names the owner. */
  readonly owner: 'build_id' | 'test_id';
  readonly owners: 'builds' | 'image_tests';
  readonly bytesMax: number;
}) {
  async function dropOldest(sql: Sql, id: string): Promise<void> {
    await sql`
      with sized as (
        select number, sum(octet_length(text)) over (order by number desc) as kept
        from ${sql(chunks)} where ${sql(owner)} = ${id}
      ), dropped as (
        delete from ${sql(chunks)} as chunk using sized
        where chunk.${sql(owner)} = ${id} and chunk.number = sized.number
          and sized.kept > ${Math.floor(bytesMax * 0.9)}::bigint
        returning octet_length(text) as bytes
      )
      update ${sql(owners)} set log_bytes = log_bytes - (select coalesce(sum(bytes), 0) from dropped)
      where id = ${id}
    `;
  }

  return {
    /** The owner's row is locked by the caller. */
    async append(
      sql: Sql,
      id: string,
      {time, lines}: {readonly time: Date; readonly lines: readonly string[]},
    ): Promise<void> {
      if (lines.length === 0) return;
      const text = lines.map(line => `${withoutZeros(line)}\n`).join('');
      await sql`
        insert into ${sql(chunks)} (${sql(owner)}, time, text) values (${id}, ${time}, ${text})
      `;
      const [row] = await sql<{bytes: string}[]>`
        update ${sql(owners)} set log_bytes = log_bytes + octet_length(${text}) where id = ${id}
        returning log_bytes as bytes
      `;
      if (Number(row?.bytes ?? 0) > bytesMax) await dropOldest(sql, id);
    },

    /** Oldest first, after a chunk. */
    async list(
      sql: Sql,
      id: string,
      {after, limit}: {readonly after: number; readonly limit: number},
    ): Promise<readonly LogChunk[]> {
      const rows = await sql<{number: string; time: Date; text: string}[]>`
        select number, time, text from ${sql(chunks)}
        where ${sql(owner)} = ${id} and number > ${after} order by number limit ${limit}
      `;
      return rows.map(({number, time, text}) => ({
        number: Number(number),
        time,
        lines: text.split('\n').slice(0, -1),
      }));
    },
  };
}

/** PostgreSQL has no text with a zero character; a console may send one. */
function withoutZeros(line: string): string {
  return line.replaceAll('\0', '\uFFFD');
}
