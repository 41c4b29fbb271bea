import type {Sql} from './db.ts';

/** Of the last inventory, and which code made its facts. */
export async function findHardwareDigest(
  sql: Sql,
  machineId: string,
): Promise<{readonly sha256: Buffer; readonly factsVersion: number} | undefined> {
  const [row] = await sql<{sha256: Buffer; factsVersion: number}[]>`
    select sha256, coalesce(facts_version, 0) as facts_version
    from machine_hardware left join machine_search using (machine_id) where machine_id = ${machineId}
  `;
  return row;
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

/** What a machine is searched by; `text` is for words. */
export async function saveFacts(
  sql: Sql,
  facts: {
    readonly machineId: string;
    /** JSON. */
    readonly facts: string;
    readonly text: string;
    readonly version: number;
  },
): Promise<void> {
  await sql`
    update machine_search set
      facts = ${facts.facts}::text::jsonb, facts_version = ${facts.version}, hardware_text = ${facts.text},
      text = machine_search_text(machines, ${facts.text})
    from machines where machines.id = machine_id and machine_id = ${facts.machineId}
  `;
}
