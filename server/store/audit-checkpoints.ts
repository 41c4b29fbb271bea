import type {Sql} from './db.ts';

export type AuditCheckpoint = {
  readonly position: number;
  readonly hash: Buffer;
  readonly time: Date;
  /** The entries up to it are gone. */
  readonly truncated: boolean;
  readonly signature: Buffer;
};

type Row = Omit<AuditCheckpoint, 'position'> & {readonly position: string};

// Any constant that nobody else locks.
const upkeepLockKey = 0x61_75_64_69;

/** Until the transaction ends; false when another server is at it. */
export async function takeAuditUpkeepLock(tx: Sql): Promise<boolean> {
  const [row] = await tx<{held: boolean}[]>`
    select pg_try_advisory_xact_lock(0, ${upkeepLockKey}) as held
  `;
  return row?.held ?? false;
}

export async function putCheckpoint(sql: Sql, checkpoint: AuditCheckpoint): Promise<void> {
  const {position, hash, time, truncated, signature} = checkpoint;
  await sql`
    insert into audit_checkpoints (position, hash, time, truncated, signature)
    values (${position}, ${hash}, ${time}, ${truncated}, ${signature})
    on conflict (position) do update set
      hash = excluded.hash, time = excluded.time, truncated = excluded.truncated, signature = excluded.signature
  `;
}

/** Oldest first. */
export async function listCheckpoints(
  sql: Sql,
  limit: number,
): Promise<readonly AuditCheckpoint[]> {
  const rows = await sql<Row[]>`
    select position, hash, time, truncated, signature from audit_checkpoints order by position limit ${limit}
  `;
  return rows.map(row => ({...row, position: Number(row.position)}));
}

/** Each vouches for everything before it: the newest are enough, with the one that stands for what was truncated. */
export async function pruneCheckpoints(sql: Sql, keep: number): Promise<void> {
  await sql`
    delete from audit_checkpoints
    where position < coalesce((select max(position) from audit_checkpoints where truncated), 0)
      or not truncated and position <
        (select min(position) from (select position from audit_checkpoints order by position desc limit ${keep}))
  `;
}
