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

/**
 * All that an unchanged report costs: one statement. `repeated` when this very report was committed before, whatever came after it; `unknown` when
 * it was not, its text is not the last one's, and nothing was written.
 */
export async function confirmUnchanged(
  sql: Sql,
  report: {
    readonly machineId: string;
    readonly reportId: string;
    readonly wireSha256: Buffer;
    readonly time: Date;
    /** What it is searched by was made by this code; else the report is read again. */
    readonly factsVersion: number;
  },
): Promise<'confirmed' | 'repeated' | 'unknown'> {
  const {machineId, reportId, wireSha256, time, factsVersion} = report;
  const [row] = await sql<{isKnown: boolean; isNew: boolean; isRepeated: boolean}[]>`
    with known as (
      select machine_id from machine_hardware join machine_search using (machine_id)
      where machine_id = ${machineId} and wire_sha256 = ${wireSha256} and facts_version = ${factsVersion}
    ), fresh as (
      insert into agent_reports (machine_id, report_id, time)
      select machine_id, ${reportId}, ${time} from known on conflict do nothing returning machine_id
    ), confirmed as (
      update machine_hardware set confirm_time = greatest(confirm_time, ${time})
      where machine_id in (select machine_id from fresh)
    )
    select exists (select from known) as is_known, exists (select from fresh) as is_new,
      exists (select from agent_reports where machine_id = ${machineId} and report_id = ${reportId}) as is_repeated
  `;
  if (row?.isRepeated) return 'repeated';
  if (!row?.isKnown) return 'unknown';
  return row.isNew ? 'confirmed' : 'repeated';
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
