import {createHash} from 'node:crypto';
import type {Sql} from './db.ts';
import type {Machine} from './machines.ts';
import {machineInScope} from './scope.ts';

/** Any constant that nobody else locks. */
const allEvidenceKey = '7308901743268521';

export type EvidenceRow = {readonly kind: string; readonly value: string};

/**
 * Holds every value until the transaction ends, in one order everywhere, so that two enrolments of one machine wait for each other and never for
 * ever. At most one lock a value; the caller bounds their number.
 */
export async function lockEvidence(sql: Sql, items: readonly EvidenceRow[]): Promise<void> {
  const keys = items
    .map(({kind, value}) =>
      createHash('sha256').update(`${kind}:${value}`).digest().readBigInt64BE(),
    )
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  await sql`
    with everything as materialized (select pg_advisory_xact_lock_shared(${allEvidenceKey}::text::bigint))
    select pg_advisory_xact_lock(key) from everything, unnest(${keys.map(String)}::text[]::bigint[]) as key
  `;
}

/** In place of a lock for each value of thousands of machines, which PostgreSQL has no room for. Everybody who recognises machines waits. */
export async function lockAllEvidence(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(${allEvidenceKey}::text::bigint)`;
}

export type EvidenceOfMachine = {
  readonly machineId: string;
  readonly quarantined: boolean;
  readonly evidence: readonly EvidenceRow[];
};

/** In a transaction that adds thousands: PostgreSQL plans as for the few that it has seen, and reads all of them each time. */
export async function countEvidenceAnew(sql: Sql): Promise<void> {
  await sql`analyze machines, machine_evidence`;
}

/** All the evidence of every machine that shares a value; at most `limit` machines. */
export async function findMachinesByEvidence(
  sql: Sql,
  items: readonly EvidenceRow[],
  limit: number,
): Promise<readonly EvidenceOfMachine[]> {
  const kinds = items.map(({kind}) => kind);
  const values = items.map(({value}) => value);
  return sql<EvidenceOfMachine[]>`
    select machine_id, quarantine_reason <> '' as quarantined,
      json_agg(json_build_object('kind', kind, 'value', value)) as evidence
    from machine_evidence join machines on id = machine_id
    where machine_id in (
      select machine_id from machine_evidence
      where (kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))
      group by machine_id order by count(*) desc, machine_id limit ${limit}
    )
    group by machine_id, quarantine_reason
  `;
}

/**
 * All the evidence of every machine that shares a value with one of the lists, for each list the `limit` machines that share most. One look-up a
 * value and a machine, whatever plan there is from the time when the tables were small.
 */
export async function findMachinesByEvidenceLists(
  sql: Sql,
  lists: readonly (readonly EvidenceRow[])[],
  limit: number,
): Promise<readonly EvidenceOfMachine[]> {
  const items = lists.flatMap((list, place) => list.map(item => ({...item, place})));
  if (items.length === 0) return [];
  return sql<EvidenceOfMachine[]>`
    with ranked as (
      select machine_id, row_number() over (partition by place order by count(*) desc, machine_id) as rank
      from json_to_recordset(${JSON.stringify(items)}::text::json) as item (place int, kind text, value text)
      cross join lateral (
        select machine_id from machine_evidence where kind = item.kind and value = item.value offset 0
      ) as known
      group by place, machine_id
    ), candidates as (
      select distinct machine_id from ranked where rank <= ${limit}
    )
    select candidates.machine_id, quarantined, evidence from candidates
    cross join lateral (
      select quarantine_reason <> '' as quarantined from machines where id = candidates.machine_id limit 1
    ) as machine
    cross join lateral (
      select json_agg(json_build_object('kind', kind, 'value', value)) as evidence
      from machine_evidence where machine_id = candidates.machine_id
    ) as all_of_it
  `;
}

/** Of each of these machines those that share most values with it, the machine itself among them; at most `limit` of each. One look-up a value. */
export async function findLookAlikes(
  sql: Sql,
  machineIds: readonly string[],
  limit: number,
): Promise<readonly {readonly machineId: string; readonly alikeId: string}[]> {
  return sql<{machineId: string; alikeId: string}[]>`
    select wanted.machine_id, alike_id
    from unnest(${[...machineIds]}::text[]::uuid[]) as wanted (machine_id)
    cross join lateral (
      select other.machine_id as alike_id
      from machine_evidence as own
      cross join lateral (
        select machine_id from machine_evidence where kind = own.kind and value = own.value offset 0
      ) as other
      where own.machine_id = wanted.machine_id
      group by other.machine_id order by count(*) desc, other.machine_id limit ${limit}
    ) as alike
  `;
}

export type EvidentMachine = EvidenceOfMachine & Pick<Machine, 'hostname' | 'serviceTag' | 'state'>;

/** Those of them that the caller may see, with all their evidence; in any order, machine by machine. */
export async function findEvidentMachines(
  sql: Sql,
  machineIds: readonly string[],
): Promise<readonly EvidentMachine[]> {
  return sql<EvidentMachine[]>`
    select wanted.machine_id, hostname, service_tag, state, quarantined, evidence
    from unnest(${[...machineIds]}::text[]::uuid[]) as wanted (machine_id)
    cross join lateral (
      select hostname, service_tag, state, quarantine_reason <> '' as quarantined from machines
      where id = wanted.machine_id and ${machineInScope(sql)} limit 1
    ) as machine
    cross join lateral (
      select coalesce(json_agg(json_build_object('kind', kind, 'value', value)), '[]') as evidence
      from machine_evidence where machine_id = wanted.machine_id
    ) as known
  `;
}

/** Adds what is new, up to `countMax` values of one machine: whoever reports other disks at each boot does not grow for ever. */
export async function addEvidence(
  sql: Sql,
  machineId: string,
  items: readonly EvidenceRow[],
  countMax: number,
): Promise<void> {
  const kinds = items.map(({kind}) => kind);
  const values = items.map(({value}) => value);
  await sql`
    insert into machine_evidence (machine_id, kind, value)
    select ${machineId}, kind, value from unnest(${kinds}::text[], ${values}::text[]) as new (kind, value)
    where (select count(*) from machine_evidence where machine_id = ${machineId}) < ${countMax}
    on conflict do nothing
  `;
}

/** Of machines that are new. */
export async function insertEvidence(
  sql: Sql,
  items: readonly (EvidenceRow & {readonly machineId: string})[],
): Promise<void> {
  if (items.length === 0) return;
  await sql`
    insert into machine_evidence (machine_id, kind, value)
    select "machineId", kind, value
    from json_to_recordset(${JSON.stringify(items)}::text::json) as item ("machineId" uuid, kind text, value text)
    on conflict do nothing
  `;
}

export async function listEvidence(sql: Sql, machineId: string): Promise<readonly EvidenceRow[]> {
  return sql<EvidenceRow[]>`
    select kind, value from machine_evidence where machine_id = ${machineId} order by kind, value
  `;
}

export type BootIdentity = {
  readonly macAddress: string;
  readonly uuid: string;
  readonly serial: string;
  readonly ipAddress: string;
  readonly bootCount: number;
  readonly lastTime: Date;
};

/** What the newest boots of a machine said of themselves, as they said it; each combination once, the newest first. */
export async function listBootIdentities(
  sql: Sql,
  machineId: string,
  {bootsMax, limit}: {readonly bootsMax: number; readonly limit: number},
): Promise<readonly BootIdentity[]> {
  return sql<BootIdentity[]>`
    select mac_address, uuid, serial, count(*)::int as boot_count, max(start_time) as last_time,
      (array_agg(ip_address order by start_time desc))[1] as ip_address
    from (
      select * from boot_sessions where machine_id = ${machineId} order by start_time desc, id desc limit ${bootsMax}
    ) as newest
    group by mac_address, uuid, serial order by last_time desc limit ${limit}
  `;
}

/** From one machine to another, as far as that one has it not yet. */
export async function moveEvidence(
  sql: Sql,
  {from, to}: {readonly from: string; readonly to: string},
): Promise<void> {
  await sql`
    insert into machine_evidence (machine_id, kind, value)
    select ${to}, kind, value from machine_evidence where machine_id = ${from} on conflict do nothing
  `;
  await sql`delete from machine_evidence where machine_id = ${from}`;
}

export async function deleteEvidence(
  sql: Sql,
  machineId: string,
  items: readonly EvidenceRow[],
): Promise<void> {
  const kinds = items.map(({kind}) => kind);
  const values = items.map(({value}) => value);
  await sql`
    delete from machine_evidence where machine_id = ${machineId}
      and (kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))
  `;
}
