import type {Sql} from './db.ts';

/** An image that was built for a machine and waits for the tests that the machine's groups require. */
export type HeldImage = {
  readonly machineId: string;
  readonly imageId: string;
  /** Who asked for the build, or whose builder ended it. */
  readonly actor: string;
  readonly verdict: 'waiting' | 'closed';
  readonly reason: string;
  readonly createTime: Date;
  readonly updateTime: Date;
};

/** In the place of the one before: a machine waits for its newest image only. */
export async function holdImageBack(sql: Sql, held: HeldImage): Promise<void> {
  await sql`
    insert into held_images ${sql(held)}
    on conflict (machine_id) do update set image_id = excluded.image_id, actor = excluded.actor, verdict = excluded.verdict,
      reason = excluded.reason, create_time = excluded.create_time, update_time = excluded.update_time
  `;
}

export async function findHeldImage(sql: Sql, machineId: string): Promise<HeldImage | undefined> {
  const [row] = await sql<HeldImage[]>`select * from held_images where machine_id = ${machineId}`;
  return row;
}

/** Those of these machines. */
export async function findHeldImages(
  sql: Sql,
  machineIds: readonly string[],
): Promise<readonly HeldImage[]> {
  return sql<HeldImage[]>`
    select * from held_images where machine_id in (select unnest(${machineIds}::text[])::uuid)
  `;
}

/** Locked until the transaction ends; undefined when another server is at it. */
export async function takeHeldImage(sql: Sql, machineId: string): Promise<HeldImage | undefined> {
  const [row] = await sql<HeldImage[]>`
    select * from held_images where machine_id = ${machineId} for update skip locked
  `;
  return row;
}

/** Those that wait longest first. */
export async function listHeldImages(sql: Sql, limit: number): Promise<readonly HeldImage[]> {
  return sql<
    HeldImage[]
  >`select * from held_images order by create_time, machine_id limit ${limit}`;
}

export async function updateHeldImage(
  sql: Sql,
  machineId: string,
  change: Pick<HeldImage, 'verdict' | 'reason' | 'updateTime'>,
): Promise<void> {
  await sql`update held_images set ${sql(change)} where machine_id = ${machineId}`;
}

export async function releaseHeldImage(sql: Sql, machineId: string): Promise<void> {
  await sql`delete from held_images where machine_id = ${machineId}`;
}
