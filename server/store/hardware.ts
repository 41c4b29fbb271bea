import type {Sql} from './db.ts';

export async function findHardwareDigest(sql: Sql, machineId: string): Promise<Buffer | undefined> {
  const [row] = await sql<{sha256: Buffer}[]>`
    select sha256 from machine_hardware where machine_id = ${machineId}
  `;
  return row?.sha256;
}

/** Compressed with zstd. */
export async function findHardwareBody(sql: Sql, machineId: string): Promise<Buffer | undefined> {
  const [row] = await sql<{body: Buffer}[]>`
    select body from machine_hardware where machine_id = ${machineId}
  `;
  return row?.body;
}

export async function saveHardware(
  sql: Sql,
  hardware: {
    readonly machineId: string;
    readonly sha256: Buffer;
    readonly body: Buffer;
    readonly updateTime: Date;
  },
): Promise<void> {
  await sql`
    insert into machine_hardware ${sql(hardware)}
    on conflict (machine_id) do update
    set sha256 = excluded.sha256, body = excluded.body, update_time = excluded.update_time
  `;
}
