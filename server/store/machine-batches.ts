import postgres from 'postgres';
import type {Sql} from './db.ts';
import {type Machine, type MachineChange, type MachineRow, toMachine} from './machines.ts';
import {machineInScope} from './scope.ts';

export type NewMachineRow = MachineChange &
  Pick<Machine, 'id' | 'state' | 'stateTime' | 'createTime' | 'updateTime'>;

/** Whatever a row does not name has the table's default. One statement for all rows that name the same columns. */
export async function insertMachines(sql: Sql, rows: readonly NewMachineRow[]): Promise<void> {
  for (const {names, items} of byColumns(rows))
    await sql`
      insert into machines (${sql(names)})
      select ${sql(names)} from json_populate_recordset(null::machines, ${JSON.stringify(items)}::text::json)
    `;
}

/** By id; those that the caller may see are locked as `findMachineForUpdate` does, in one order. */
export async function findMachinesForUpdate(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Machine>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<MachineRow[]>`
    select machines.*, labels::text as labels_text, last_seen_time from machines
    left join machine_presence on machine_id = id
    where id in (
      select place.id from unnest(${[...new Set(ids)]}::text[]::uuid[]) as wanted (id)
      cross join lateral (select id from machines where id = wanted.id limit 1) as place
    ) and ${machineInScope(sql)}
    order by id for no key update of machines
  `;
  return new Map(rows.map(toMachine).map(machine => [machine.id, machine]));
}

/** Undefined in a change clears a column that may be null. One statement for all changes of the same columns, each machine looked up by itself. */
export async function updateMachines(
  sql: Sql,
  changes: ReadonlyMap<string, MachineChange>,
): Promise<void> {
  const rows = [...changes].filter(([, change]) => Object.keys(change).length > 0);
  for (const {names, items, ids} of byColumns(rows.map(([id, change]) => ({...change, id})))) {
    const changed = names.filter(name => name !== 'id');
    const given = items.map((change, index) => ({id: ids[index], change}));
    await sql`
      update machines set (${sql(changed)}) = (
        select ${sql(changed)} from json_populate_record(null::machines, given.change)
      )
      from (
        select place.ctid as place, change
        from json_to_recordset(${JSON.stringify(given)}::text::json) as item (id uuid, change json)
        cross join lateral (select ctid from machines where id = item.id limit 1) as place
      ) as given
      where machines.ctid = given.place
    `;
  }
}

/** As JSON with the names of columns. */
function byColumns(rows: readonly (MachineChange & Pick<Machine, 'id'>)[]) {
  const groups = Map.groupBy(rows, row => Object.keys(row).toSorted().join(' '));
  return [...groups].map(([key, same]) => ({
    names: key.split(' '),
    ids: same.map(({id}) => id),
    items: same.map(row =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [postgres.fromCamel(name), value ?? null]),
      ),
    ),
  }));
}
