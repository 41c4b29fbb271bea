import type {Sql} from './db.ts';
import {ofMachineInScope} from './scope.ts';

/** What is known without the inventory itself. */
export type HardwareRecord = {
  /** Of the JSON. */
  readonly sha256: Buffer;
  readonly updateTime: Date;
  /** When a report said last that this is what the machine is made of. */
  readonly confirmTime: Date;
  /** Which code made what it is searched by. */
  readonly factsVersion: number;
};

export async function findHardwareRecord(
  sql: Sql,
  machineId: string,
): Promise<HardwareRecord | undefined> {
  const [row] = await sql<HardwareRecord[]>`
    select sha256, machine_hardware.update_time, confirm_time, coalesce(facts_version, 0) as facts_version
    from machine_hardware left join machine_search using (machine_id) where machine_id = ${machineId}
  `;
  return row;
}

/** Compressed with zstd. */
export async function findHardwareBody(
  sql: Sql,
  machineId: string,
): Promise<{readonly body: Buffer; readonly confirmTime: Date} | undefined> {
  const [row] = await sql<{body: Buffer; confirmTime: Date}[]>`
    select body, confirm_time from machine_hardware
    where machine_id = ${machineId} and ${ofMachineInScope(sql, sql`machine_hardware.machine_id`)}
  `;
  return row;
}

/** The same of several machines, by id; without those that have none. */
export async function findHardwareBodies(
  sql: Sql,
  machineIds: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const rows = await sql<{machineId: string; body: Buffer}[]>`
    select wanted.machine_id, body
    from unnest(${[...machineIds]}::text[]::uuid[]) as wanted (machine_id)
    cross join lateral (
      select body from machine_hardware
      where machine_id = wanted.machine_id and ${ofMachineInScope(sql, sql`machine_hardware.machine_id`)} limit 1
    ) as hardware
  `;
  return new Map(rows.map(({machineId, body}) => [machineId, body]));
}

export async function saveHardware(
  sql: Sql,
  hardware: {
    readonly machineId: string;
    readonly sha256: Buffer;
    readonly wireSha256: Buffer | null;
    readonly body: Buffer;
    readonly updateTime: Date;
    readonly confirmTime: Date;
  },
): Promise<void> {
  await sql`
    insert into machine_hardware ${sql(hardware)}
    on conflict (machine_id) do update
    set sha256 = excluded.sha256, wire_sha256 = excluded.wire_sha256, body = excluded.body,
      update_time = excluded.update_time, confirm_time = excluded.confirm_time
  `;
}

/** The same inventory again, in another text. */
export async function confirmHardware(
  sql: Sql,
  hardware: {
    readonly machineId: string;
    readonly wireSha256: Buffer | null;
    readonly confirmTime: Date;
  },
): Promise<void> {
  const {machineId, wireSha256, confirmTime} = hardware;
  await sql`
    update machine_hardware set wire_sha256 = ${wireSha256}, confirm_time = ${confirmTime}
    where machine_id = ${machineId}
  `;
}

/** What a machine is searched by; `text` is for words. Of the machine it takes the model of the CPU as it will be: one change, not two. */
export async function saveFacts(
  sql: Sql,
  facts: {
    readonly machineId: string;
    /** JSON. */
    readonly facts: string;
    readonly text: string;
    readonly cpuModel: string;
    readonly version: number;
  },
): Promise<void> {
  await sql`
    update machine_search set
      facts = ${facts.facts}::text::jsonb, facts_version = ${facts.version}, hardware_text = ${facts.text},
      text = machine_search_text(
        jsonb_populate_record(machines, jsonb_build_object('cpu_model', ${facts.cpuModel}::text)), ${facts.text}
      )
    from machines where machines.id = machine_id and machine_id = ${facts.machineId}
  `;
}
