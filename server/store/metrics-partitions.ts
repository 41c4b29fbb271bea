import type {Database, Sql} from './db.ts';

// Any constant that nobody else locks.
const lockKey = 0x6d_75_73_76;
const dayMs = 86_400_000;

/** Tables with one partition a UTC day: `<table>_YYYYMMDD`. */
export type PartitionedTable = 'metrics' | 'metrics_chunks' | 'metrics_minutes';

/** "20260131" */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10).replaceAll('-', '');

/** Makes the partition of this UTC day unless it is there. Several servers may do it at once. */
export async function createPartition(
  sql: Database,
  table: PartitionedTable,
  time: Date,
): Promise<void> {
  const from = time.toISOString().slice(0, 10);
  const to = new Date(Date.parse(from) + dayMs).toISOString().slice(0, 10);
  await sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(0, ${lockKey})`;
    await tx.unsafe(
      `create table if not exists ${table}_${dayOf(time)} partition of ${table}
       for values from ('${from} 00:00:00+00') to ('${to} 00:00:00+00')`,
    );
  });
}

/** The days of which there are partitions, the oldest first: "20260131". */
export async function listPartitionDays(
  sql: Sql,
  table: PartitionedTable,
): Promise<readonly string[]> {
  const rows = await sql<{day: string}[]>`
    select right(child.relname, 8) as day from pg_inherits
    join pg_class child on child.oid = inhrelid
    join pg_class parent on parent.oid = inhparent
    where parent.relname = ${table} and child.relname ~ ${`^${table}_[0-9]{8}$`}
    order by 1
  `;
  return rows.map(row => row.day);
}

/** Until the transaction ends none is made or dropped. */
export async function keepPartitions(tx: Sql): Promise<void> {
  await tx`select pg_advisory_xact_lock_shared(0, ${lockKey})`;
}

/** Drops the partitions of days before this one, whole; gives their names. The day is asked for when nobody can write into what is dropped. */
export async function dropPartitionsBefore(
  sql: Database,
  table: PartitionedTable,
  findTime: (tx: Sql) => Promise<Date> | Date,
): Promise<readonly string[]> {
  return sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(0, ${lockKey})`;
    const first = dayOf(await findTime(tx));
    const days = (await listPartitionDays(tx, table)).filter(day => day < first);
    const names = days.map(day => `${table}_${day}`);
    for (const name of names) await tx`drop table ${tx(name)}`;
    return names;
  });
}
