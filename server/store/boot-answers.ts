import type {PendingQuery} from 'postgres';
import type {Database, Sql} from './db.ts';
import type {Machine} from './machines.ts';

/** What boot answers are made of. */
export type BootRow = Pick<
  Machine,
  | 'id'
  | 'state'
  | 'stateReason'
  | 'expected'
  | 'trust'
  | 'quarantineReason'
  | 'serviceTag'
  | 'uuid'
  | 'macAddresses'
  | 'desiredImageId'
  | 'lastGoodImageId'
  | 'badImageIds'
  | 'overrideAction'
  | 'overrideImageId'
  | 'overrideExpireTime'
  | 'entryAction'
  | 'entryImageId'
> & {
  /** The transaction that last changed any of this; may be above the revision that it was read at. */
  readonly bootXid: string;
};

type Row = {readonly [K in keyof BootRow]: BootRow[K] | null};

/** Rows that changed, and the revision up to which a reader then has seen everything. */
export type BootChanges = {readonly revision: bigint; readonly rows: readonly BootRow[]};

/**
 * Machines whose boot answer may have changed since `revision` (0: all). A revision is a transaction id below which every transaction has ended: whatever
 * commits later has a higher one, in whatever order transactions commit. Changes may be told twice, never left out.
 */
export async function listBootChanges(sql: Database, revision: bigint): Promise<BootChanges> {
  return sql.begin('isolation level repeatable read read only', async tx => {
    const [snapshot] = await tx<{xmin: string}[]>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as xmin
    `;
    const rows = await selectRows(tx, tx<Row[]>`boot_xid >= ${revision.toString()}::text::xid8`);
    return {revision: BigInt(snapshot?.xmin ?? 0), rows};
  });
}

/** Machines that were deleted by events after this position, and how far the journal was read; undefined: only how far it goes. */
export async function listDeletedMachines(
  sql: Sql,
  after: number | undefined,
): Promise<{readonly position: number; readonly machineIds: readonly string[]}> {
  const [row] = await sql<{position: string | null; machineIds: readonly string[] | null}[]>`
    select max(position) as position, array_agg(machine_id) filter (where type = 'machine.deleted') as machine_ids
    from events where position > ${after ?? 0} and position is not null
  `;
  return {
    position: Number(row?.position ?? after ?? 0),
    machineIds: after === undefined ? [] : (row?.machineIds ?? []),
  };
}

/** Above every transaction that has ended by now. */
export async function findNextTransaction(sql: Sql): Promise<bigint> {
  const [snapshot] = await sql<{xmax: string}[]>`
    select pg_snapshot_xmax(pg_current_snapshot())::text as xmax
  `;
  return BigInt(snapshot?.xmax ?? 0);
}

export async function findBootRow(sql: Sql, machineId: string): Promise<BootRow | undefined> {
  const [row] = await selectRows(sql, sql<Row[]>`id = ${machineId}`);
  return row;
}

async function selectRows(sql: Sql, where: PendingQuery<Row[]>): Promise<readonly BootRow[]> {
  const rows = await sql<Row[]>`
    select id, state, state_reason, expected, trust, quarantine_reason, service_tag, uuid, mac_addresses, desired_image_id,
      last_good_image_id, bad_image_ids, override_action, override_image_id, override_expire_time, entry_action, entry_image_id,
      boot_xid::text as boot_xid
    from machines where ${where}
  `;
  return rows.map(
    row =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
      ) as BootRow,
  );
}
