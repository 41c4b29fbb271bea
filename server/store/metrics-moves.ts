import type {Sql} from './db.ts';
import {packedTables} from './metrics-history.ts';

type Pair = {readonly from: string; readonly to: string};

/** All sessions of these machines, until the transaction ends: nothing is stored or rolled up of them meanwhile. */
export async function lockSessionsOf(sql: Sql, machineIds: readonly string[]): Promise<void> {
  await sql`
    select from metrics_sessions where machine_id = any(${[...machineIds]}::text[]::uuid[])
    order by machine_id, session for update
  `;
}

/**
 * What `from` measured was measured by `to`: samples, and packed hours, of which both have none in common any more. Sessions stay with the agent that
 * named them, but what they have in no roll-up is rolled up for `to`.
 */
export async function moveMetrics(
  sql: Sql,
  {from, to, time}: Pair & {readonly time: Date},
): Promise<void> {
  await sql`
    insert into metrics_sessions (machine_id, session, open_hours, update_time)
    select ${to}, ${`merged ${from}`}, jsonb_agg(distinct hour), ${time}
    from metrics_sessions, jsonb_array_elements(open_hours) as hour
    where machine_id = ${from} having count(*) > 0
    on conflict (machine_id, session) do update
      set open_hours = metrics_sessions.open_hours || excluded.open_hours, update_time = excluded.update_time
  `;
  await sql`update metrics_sessions set open_hours = '[]' where machine_id = ${from}`;
  for (const table of ['metrics', ...packedTables])
    await sql`update ${sql(table)} set machine_id = ${to} where machine_id = ${from}`;
}

/** Of a machine whose record goes. */
export async function deleteMetrics(sql: Sql, machineId: string): Promise<void> {
  await lockSessionsOf(sql, [machineId]);
  for (const table of ['metrics_sessions', 'metrics', ...packedTables])
    await sql`delete from ${sql(table)} where machine_id = ${machineId}`;
}
