import type {Sql} from './db.ts';

/** Never moves a time back; ids of machines that do not exist are skipped. */
export async function saveLastSeen(
  sql: Sql,
  seen: readonly {readonly machineId: string; readonly time: Date}[],
): Promise<void> {
  if (seen.length === 0) return;
  // In one order everywhere: two servers that write the same machines never wait for each other in a circle.
  const sorted = [...seen].sort((a, b) => (a.machineId < b.machineId ? -1 : 1));
  const ids = sorted.map(({machineId}) => machineId);
  const times = sorted.map(({time}) => time.toISOString());
  await sql`
    insert into machine_presence (machine_id, last_seen_time)
    select machine_id::uuid, time::timestamptz from unnest(${ids}::text[], ${times}::text[]) as seen (machine_id, time)
    where exists (select from machines where id = machine_id::uuid)
    on conflict (machine_id) do update
    set last_seen_time = greatest(machine_presence.last_seen_time, excluded.last_seen_time)
  `;
}
