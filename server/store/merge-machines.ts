import type {Sql} from './db.ts';
import {moveMetrics} from './metrics-moves.ts';

type Pair = {readonly from: string; readonly to: string};

/** Above every number of a version that there is. */
const aside = 1_000_000;

/** Everything that is told of `from` is told of `to` from now on; of what there can be one only, the newer stays. */
export async function moveRecords(sql: Sql, pair: Pair & {readonly time: Date}): Promise<void> {
  await moveHardware(sql, pair);
  await moveWaitingInventories(sql, pair);
  await moveIssues(sql, pair);
  const {from, to} = pair;
  await sql`update component_stays set machine_id = ${to} where machine_id = ${from}`;
  await sql`update agent_keys set machine_id = ${to} where machine_id = ${from}`;
  await sql`update boot_tokens set machine_id = ${to} where machine_id = ${from}`;
  await sql`update boot_sessions set machine_id = ${to} where machine_id = ${from}`;
  await sql`update commands set machine_id = ${to} where machine_id = ${from}`;
  await sql`update operations set machine_id = ${to} where machine_id = ${from}`;
  await sql`update builds set machine_id = ${to} where machine_id = ${from}`;
  await sql`update image_tests set machine_id = ${to} where machine_id = ${from}`;
  // It was built for the other record; the one that stays has what it was given itself.
  await sql`delete from held_images where machine_id = ${from}`;
  await moveMetrics(sql, pair);
  await sql`update bulk_children set machine_id = ${to} where machine_id = ${from}`;
  await sql`update imported_records set machine_id = ${to} where machine_id = ${from}`;
  await sql`update import_origins set local_id = ${to} where kind = 'machine' and local_id = ${from}`;
  await sql`
    insert into group_members (group_id, machine_id)
    select group_id, ${to} from group_members where machine_id = ${from} on conflict do nothing
  `;
  await sql`delete from group_members where machine_id = ${from}`;
  await sql`delete from machine_rules where machine_id = ${to} and apply_time is null`;
  await sql`
    update machine_rules set machine_id = ${to} where machine_id = ${from}
      and not exists (select 1 from machine_rules where machine_id = ${to})
  `;
  await sql`delete from machine_rules where machine_id = ${from}`;
  // One step of a chain: whoever was taken in before answers by the new record, too.
  await sql`update machines set merged_into = ${to} where merged_into = ${from}`;
}

/** Versions in the order of time, numbered anew; the inventory that was confirmed last is the present one. */
async function moveHardware(sql: Sql, {from, to}: Pair): Promise<void> {
  await sql`update hardware_versions set number = number + ${aside} where machine_id = ${to}`;
  await sql`
    update hardware_versions set machine_id = ${to}, number = number + ${2 * aside} where machine_id = ${from}
  `;
  await sql`
    update hardware_versions set number = place from (
      select number as old, row_number() over (order by create_time, number) as place
      from hardware_versions where machine_id = ${to}
    ) as ordered where machine_id = ${to} and number = old
  `;
  if (!(await hasNewerHardware(sql, {from, to}))) {
    await sql`delete from machine_hardware where machine_id = ${from}`;
  } else {
    await sql`delete from machine_hardware where machine_id = ${to}`;
    await sql`update machine_hardware set machine_id = ${to} where machine_id = ${from}`;
    await sql`
      update machines as kept set cpu_threads = other.cpu_threads, cpu_model = other.cpu_model, memory_bytes = other.memory_bytes,
        disk_count = other.disk_count, disk_bytes = other.disk_bytes, firmware_mode = other.firmware_mode
      from machines as other where kept.id = ${to} and other.id = ${from}
    `;
    await sql`
      update machine_search as kept set facts = other.facts, hardware_text = other.hardware_text, facts_version = other.facts_version,
        text = machine_search_text(machines, other.hardware_text)
      from machine_search as other, machines
      where kept.machine_id = ${to} and other.machine_id = ${from} and machines.id = ${to}
    `;
  }
  await sql`
    update machine_search set facts = '{}', hardware_text = '', facts_version = 0 where machine_id = ${from}
  `;
}

/** They are taken in as the other record's, in the order in which both were heard. */
async function moveWaitingInventories(sql: Sql, {from, to}: Pair): Promise<void> {
  await sql`
    delete from hardware_intake as other using hardware_intake as kept
    where other.machine_id = ${from} and kept.machine_id = ${to} and kept.report_id = other.report_id
  `;
  await sql`update hardware_intake set machine_id = ${to} where machine_id = ${from}`;
}

async function hasNewerHardware(sql: Sql, {from, to}: Pair): Promise<boolean> {
  const rows = await sql`
    select 1 from machine_hardware as other left join machine_hardware as kept on kept.machine_id = ${to}
    where other.machine_id = ${from} and (kept.confirm_time is null or kept.confirm_time < other.confirm_time)
  `;
  return rows.length > 0;
}

async function moveIssues(sql: Sql, {from, to, time}: Pair & {readonly time: Date}): Promise<void> {
  await sql`
    update issues as other set clear_time = ${time}, clear_reason = 'The record that it was raised on is part of another one'
    where machine_id = ${from} and clear_time is null and exists (
      select 1 from issues as kept where kept.machine_id = ${to} and kept.clear_time is null
        and kept.source = other.source and kept.kind = other.kind and kept.component = other.component
    )
  `;
  await sql`update issues set machine_id = ${to} where machine_id = ${from}`;
  await sql`
    update issue_mutes as other set machine_id = ${to} where machine_id = ${from} and not exists (
      select 1 from issue_mutes as kept where kept.machine_id = ${to} and kept.kind = other.kind
        and kept.issue_id is not distinct from other.issue_id
    )
  `;
  await sql`delete from issue_mutes where machine_id = ${from}`;
  // What holds on the machine that stays is noticed within a minute.
  await sql`delete from issue_conditions where machine_id = ${from}`;
}

/** Boots by these NICs are those of the other machine. */
export async function moveBootSessions(
  sql: Sql,
  {from, to, macAddresses}: Pair & {readonly macAddresses: readonly string[]},
): Promise<void> {
  await sql`
    update boot_sessions set machine_id = ${to} where machine_id = ${from} and mac_address = any(${[...macAddresses]}::text[])
  `;
}

/** Ids of the records that went into this one. */
export async function listMerged(sql: Sql, machineId: string): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`select id from machines where merged_into = ${machineId}`;
  return rows.map(({id}) => id);
}
