import type {Sql} from './db.ts';
import type {MachineState} from './machines.ts';

/** Builds of one machine that count, at most. */
const buildsMax = 10;

export type BootTally = {
  readonly count: number;
  readonly firstTime: Date;
  readonly lastTime: Date;
};

export type EndedBuild = {
  readonly id: string;
  readonly state: 'succeeded' | 'failed';
  readonly endTime: Date;
  readonly error: string;
};

/** What rules for issues are asked about a machine, as far as PostgreSQL knows it. */
export type StoredFacts = {
  readonly id: string;
  readonly state: MachineState;
  readonly stateReason: string;
  readonly stateTime: Date;
  readonly quarantineReason: string;
  readonly desiredImageId: string | undefined;
  readonly bootedImageId: string | undefined;
  readonly badImageIds: readonly string[];
  /** Of the last hello. */
  readonly agentVersion: string;
  readonly clockSkewMs: number | undefined;
  readonly lastSeenTime: Date | undefined;
  /** Of the last inventory; undefined without one. */
  readonly management: 'present' | 'absent' | 'virtual' | 'unknown' | undefined;
  /** Since when the inventory is the same. */
  readonly hardwareTime: Date | undefined;
  /** Those that began within a while. */
  readonly boots: BootTally | undefined;
  /** The last ones that ended by themselves, newest first. */
  readonly builds: readonly EndedBuild[];
};

type Row = Omit<StoredFacts, 'boots' | 'builds'> & {readonly clockSkewMs: string | null};

/** Of those that there are. Three statements, however many machines. */
export async function listIssueFacts(
  sql: Sql,
  machineIds: readonly string[],
  {bootsSince}: {readonly bootsSince: Date},
): Promise<readonly StoredFacts[]> {
  const ids = [...machineIds];
  const [rows, boots, builds] = await Promise.all([
    sql<Row[]>`
      select machines.id, state, state_reason, state_time, quarantine_reason, desired_image_id, booted_image_id, bad_image_ids,
        agent_version, clock_skew_ms, last_seen_time, machine_hardware.update_time as hardware_time,
        case when machine_hardware.machine_id is null then null else management end as management
      from machines
      left join machine_presence on machine_presence.machine_id = machines.id
      left join machine_hardware on machine_hardware.machine_id = machines.id
      left join machine_search on machine_search.machine_id = machines.id
      where machines.id = any(${ids}::text[]::uuid[])
    `,
    sql<(BootTally & {machineId: string})[]>`
      select machine_id, count(*)::int as count, min(start_time) as first_time, max(start_time) as last_time
      from boot_sessions where machine_id = any(${ids}::text[]::uuid[]) and start_time > ${bootsSince} group by 1
    `,
    sql<(EndedBuild & {machineId: string})[]>`
      select wanted.id as machine_id, ended.* from unnest(${ids}::text[]::uuid[]) as wanted (id)
      cross join lateral (
        select id, state, end_time, error from builds join operations using (id)
        where builds.machine_id = wanted.id and not live and state in ('succeeded', 'failed')
        order by id desc limit ${buildsMax}
      ) as ended
    `,
  ]);
  const bootsOf = new Map(boots.map(({machineId, ...tally}) => [machineId, tally]));
  const buildsOf = Map.groupBy(builds, ({machineId}) => machineId);
  return rows.map(row => {
    const known = Object.entries(row).map(([name, value]) => [name, value ?? undefined]);
    return {
      ...(Object.fromEntries(known) as StoredFacts),
      clockSkewMs: row.clockSkewMs === null ? undefined : Number(row.clockSkewMs),
      boots: bootsOf.get(row.id),
      builds: buildsOf.get(row.id) ?? [],
    };
  });
}

/** In the order of ids. */
export async function listMachineIds(
  sql: Sql,
  after: string | undefined,
  limit: number,
): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`
    select id from machines where ${after === undefined ? sql`true` : sql`id > ${after}`} order by id limit ${limit}
  `;
  return rows.map(({id}) => id);
}

/** Machines that something was told of, but for what was told of their issues. Positions are inclusive at the end. */
export async function listTouchedMachines(
  sql: Sql,
  {after, upTo}: {readonly after: number; readonly upTo: number},
): Promise<readonly string[]> {
  const rows = await sql<{machineId: string}[]>`
    select distinct machine_id from events
    where position > ${after} and position <= ${upTo} and machine_id is not null and not starts_with(type, 'issue.')
  `;
  return rows.map(({machineId}) => machineId);
}
