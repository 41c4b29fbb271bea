import type {Sql} from '@muster/server/store/db.ts';

const makes = ['Dell Inc.', 'HPE', 'Supermicro', 'Lenovo'] as const;
const products = [
  'PowerEdge R650',
  'ProLiant DL360 Gen10',
  'SYS-1029P-WTR',
  'ThinkSystem SR630',
] as const;

/**
 * Machines as a list shows them and as they are recognised, without having been here: node-000001 and so on. For more of them than anybody has time to
 * enrol.
 */
export async function insertMachines(sql: Sql, count: number): Promise<void> {
  await sql`
    insert into machines (
      id, state, state_time, trust, service_tag, uuid, hostname, manufacturer, product, mac_address, mac_addresses,
      cpu_threads, cpu_model, memory_bytes, disk_count, disk_bytes, firmware_mode, labels, create_time, update_time
    )
    select gen_random_uuid(), (array['active', 'active', 'active', 'ready', 'failed'])[n % 5 + 1], now(), 'approved', 'SN' || upper(substr(md5(n::text), 1, 8)),
      gen_random_uuid()::text, 'node-' || lpad(n::text, 6, '0'), (${[...makes]}::text[])[n % 4 + 1],
      (${[...products]}::text[])[n % 4 + 1], mac, array[mac], 64, 'Xeon Gold 6130', (array[64, 128, 256, 512])[n % 4 + 1] * 1073741824::bigint,
      2, 3840000000000, 'uefi', jsonb_build_object('rack', 'r' || n % 400), now() - n * interval '1 second', now()
    from generate_series(1, ${count}::int) n,
      lateral (select '3c:ec:ef:' || to_char(n / 65536, 'fm00') || ':' || lpad(to_hex(n / 256 % 256), 2, '0') || ':' || lpad(to_hex(n % 256), 2, '0') as mac) as named
  `;
  await sql`
    insert into machine_evidence (machine_id, kind, value)
    select id, kind, value from machines, lateral (values ('system_serial', service_tag), ('mac', mac_address)) as item (kind, value)
    on conflict do nothing
  `;
  await sql`analyze machines`;
  await sql`analyze machine_search`;
}

/** Another product for so many machines, the first by their host names, with the events of it. Waits for nobody who changes some of them. */
export async function changeMachines(sql: Sql, count: number, product: string): Promise<number> {
  const events = await sql`
    with first as (
      select id from machines order by lower(hostname), id limit ${count} for update skip locked
    ), changed as (
      update machines set product = ${product} from first where machines.id = first.id returning machines.id
    )
    insert into events (id, time, type, actor, machine_id, data)
    select gen_random_uuid(), now(), 'machine.updated', 'system', id, '{}' from changed
  `;
  await sql`notify events`;
  return events.count;
}
