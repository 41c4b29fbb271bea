import type {Database} from './db.ts';

// Any constant that nobody else locks.
const lockKey = 0x6d_75_73_76;
const dayMs = 86_400_000;

/** "20260131" */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10).replaceAll('-', '');

/** Makes the partition of this UTC day unless it is there. Several servers may do it at once. */
export async function createMetricsPartition(sql: Database, time: Date): Promise<void> {
  const from = time.toISOString().slice(0, 10);
  const to = new Date(Date.parse(from) + dayMs).toISOString().slice(0, 10);
  await sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(0, ${lockKey})`;
    await tx.unsafe(
      `create table if not exists metrics_${dayOf(time)} partition of metrics
       for values from ('${from} 00:00:00+00') to ('${to} 00:00:00+00')`,
    );
  });
}

/** Drops the partitions of days before this one, whole; gives their names. */
export async function dropMetricsPartitionsBefore(
  sql: Database,
  time: Date,
): Promise<readonly string[]> {
  const first = `metrics_${dayOf(time)}`;
  return sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(0, ${lockKey})`;
    const rows = await tx<{name: string}[]>`
      select child.relname as name from pg_inherits
      join pg_class child on child.oid = inhrelid
      join pg_class parent on parent.oid = inhparent
      where parent.relname = 'metrics' and child.relname ~ '^metrics_[0-9]{8}$' and child.relname < ${first}
      order by child.relname
    `;
    for (const {name} of rows) await tx`drop table ${tx(name)}`;
    return rows.map(row => row.name);
  });
}
