import type {Sql} from './db.ts';
import {sinceAssigned} from './scope.ts';

/** What names a component everywhere. */
export type ComponentKey = {readonly kind: string; readonly serial: string; readonly model: string};

export type Component = ComponentKey & {
  readonly id: string;
  readonly createTime: Date;
  /** Where it was last. */
  readonly machineId: string;
  readonly slot: string;
  /** Undefined while it is there. */
  readonly leaveTime: Date | undefined;
};

export type ComponentStay = {
  readonly machineId: string;
  /** Empty when the machine is gone. */
  readonly serviceTag: string;
  readonly slot: string;
  readonly arriveTime: Date;
  readonly leaveTime: Date | undefined;
};

export type Place = {readonly componentId: string; readonly slot: string};

type Row = Omit<Component, 'leaveTime'> & {readonly leaveTime: Date | null};
type StayRow = Omit<ComponentStay, 'leaveTime'> & {readonly leaveTime: Date | null};

/**
 * Adds what is new, and holds all of these until the transaction ends. The keys are sorted: two machines never wait for each other. Each is looked up by
 * itself, because a plan from the time when the table was small would read all of it.
 */
export async function lockComponents(
  sql: Sql,
  keys: readonly ComponentKey[],
  fresh: {readonly newId: () => string; readonly createTime: Date},
): Promise<readonly (ComponentKey & {readonly id: string; readonly isNew: boolean})[]> {
  if (keys.length === 0) return [];
  const ids = keys.map(() => fresh.newId());
  const [kinds, serials, models] = [
    keys.map(({kind}) => kind),
    keys.map(({serial}) => serial),
    keys.map(({model}) => model),
  ];
  const inserted = await sql<(ComponentKey & {id: string})[]>`
    insert into components (id, kind, serial, model, create_time)
    select id::uuid, kind, serial, model, ${fresh.createTime}
    from unnest(${ids}::text[], ${kinds}::text[], ${serials}::text[], ${models}::text[])
      as new (id, kind, serial, model)
    on conflict do nothing returning id, kind, serial, model
  `;
  const added = inserted.map(component => ({...component, isNew: true}));
  if (added.length === keys.length) return added;
  const isNew = new Set(added.map(({id}) => id));
  const all = await sql<(ComponentKey & {id: string})[]>`
    select component.* from unnest(${kinds}::text[], ${serials}::text[], ${models}::text[])
      as key (kind, serial, model)
    cross join lateral (
      select id, kind, serial, model from components
      where kind = key.kind and serial = key.serial and model = key.model limit 1 for update
    ) as component
  `;
  return all.map(component => ({...component, isNew: isNew.has(component.id)}));
}

/** Where the components of one machine are now. */
export async function listPlaces(sql: Sql, machineId: string): Promise<readonly Place[]> {
  return sql<Place[]>`
    select component_id, slot from component_stays
    where machine_id = ${machineId} and leave_time is null
  `;
}

/** Wherever these are now, they are there no longer. Gives the machines that they were in. */
export async function endStays(
  sql: Sql,
  componentIds: readonly string[],
  time: Date,
): Promise<readonly {readonly componentId: string; readonly machineId: string}[]> {
  if (componentIds.length === 0) return [];
  // Most have no stay; and the plan of the update may be one from the time when the table was small.
  const staying = await sql<{componentId: string}[]>`
    select stay.component_id from unnest(${componentIds}::text[]) as wanted (id)
    cross join lateral (
      select component_id from component_stays where component_id = wanted.id::uuid and leave_time is null limit 1
    ) as stay
  `;
  if (staying.length === 0) return [];
  return sql<{componentId: string; machineId: string}[]>`
    update component_stays set leave_time = greatest(arrive_time, ${time})
    where component_id = any(${staying.map(({componentId}) => componentId)}::text[]::uuid[]) and leave_time is null
    returning component_id, machine_id
  `;
}

/** A stay that ended in this very moment goes on. */
export async function insertStays(
  sql: Sql,
  machineId: string,
  places: readonly Place[],
  time: Date,
): Promise<void> {
  if (places.length === 0) return;
  const ids = places.map(({componentId}) => componentId);
  const slots = places.map(({slot}) => slot);
  await sql`
    insert into component_stays (component_id, machine_id, slot, arrive_time)
    select component_id::uuid, ${machineId}, slot, ${time}
    from unnest(${ids}::text[], ${slots}::text[]) as new (component_id, slot)
    on conflict (component_id, arrive_time, machine_id, slot) do update set leave_time = null
  `;
}

/** Of one machine, the oldest of those that ended, beyond so many. */
export async function deleteSurplusStays(
  sql: Sql,
  machineId: string,
  keptMax: number,
): Promise<void> {
  await sql`
    delete from component_stays where ctid in (
      select ctid from component_stays
      where machine_id = ${machineId} and leave_time is not null
      order by leave_time desc offset ${keptMax}
    )
  `;
}

/** Stays that ended before, and components that no stay tells of any more. */
export async function deleteStaysBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from component_stays where leave_time < ${time}`;
  await sql`
    delete from components as component where create_time < ${time} and not exists (
      select from component_stays where component_id = component.id
    )
  `;
}

/** On stays: where it has been otherwise, and is now, is for others to know. */
const inScope = (sql: Sql) =>
  sinceAssigned(
    sql,
    sql`component_stays.machine_id`,
    sql`coalesce(component_stays.leave_time, 'infinity')`,
  );

const current = (sql: Sql) => sql`
  select component.id, kind, serial, model, create_time, stay.machine_id, stay.slot, stay.leave_time
  from components as component cross join lateral (
    select machine_id, slot, leave_time from component_stays
    where component_id = component.id and ${inScope(sql)} order by leave_time desc nulls first, arrive_time desc limit 1
  ) as stay
`;

/** Ordered by kind, serial, model; keyset. `machineId` takes those that are in it now, `serialPrefix` is upper case. */
export async function listComponents(
  sql: Sql,
  page: {
    readonly kind: string;
    readonly machineId: string | undefined;
    readonly serialPrefix: string;
    readonly after: ComponentKey | undefined;
    readonly limit: number;
  },
): Promise<readonly Component[]> {
  const {kind, machineId, serialPrefix, after, limit} = page;
  const pattern = `${serialPrefix.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  const rows = await sql<Row[]>`
    ${current(sql)}
    where ${kind === '' ? sql`true` : sql`kind = ${kind}`}
      and ${
        machineId === undefined
          ? sql`true`
          : sql`component.id in (
              select component_id from component_stays
              where machine_id = ${machineId} and leave_time is null and ${inScope(sql)}
            )`
      }
      and ${serialPrefix === '' ? sql`true` : sql`serial like ${pattern}`}
      and ${
        after
          ? sql`(kind, serial, model) > (${after.kind}, ${after.serial}, ${after.model})`
          : sql`true`
      }
    order by kind, serial, model limit ${limit}
  `;
  return rows.map(toComponent);
}

export async function findComponent(sql: Sql, id: string): Promise<Component | undefined> {
  const [row] = await sql<Row[]>`${current(sql)} where component.id = ${id}`;
  return row && toComponent(row);
}

export async function findComponentsBySerial(
  sql: Sql,
  serials: readonly string[],
  limit: number,
): Promise<readonly Component[]> {
  const rows = await sql<Row[]>`
    ${current(sql)} where serial = any(${serials}::text[]) order by kind, serial, model limit ${limit}
  `;
  return rows.map(toComponent);
}

/** Oldest first; of more than `limit` the newest. */
export async function listStays(
  sql: Sql,
  componentId: string,
  limit: number,
): Promise<readonly ComponentStay[]> {
  const rows = await sql<StayRow[]>`
    select machine_id, coalesce(service_tag, '') as service_tag, slot, arrive_time, leave_time
    from component_stays left join machines on machines.id = machine_id
    where component_id = ${componentId} and ${inScope(sql)}
    order by leave_time desc nulls first, arrive_time desc limit ${limit}
  `;
  return rows.map(row => ({...row, leaveTime: row.leaveTime ?? undefined})).toReversed();
}

const toComponent = (row: Row): Component => ({...row, leaveTime: row.leaveTime ?? undefined});
