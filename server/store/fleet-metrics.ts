import type {Sql} from './db.ts';
import {withMute} from './issue-mutes.ts';
import type {MachineState} from './machines.ts';

/** What the exposition says of a machine besides its samples. */
export type FleetMachine = {
  readonly id: string;
  readonly hostname: string;
  readonly serviceTag: string;
  readonly manufacturer: string;
  readonly product: string;
  readonly agentVersion: string;
  readonly state: MachineState;
  readonly stateTime: Date;
  readonly lastSeenTime: Date | undefined;
  readonly bootTime: Date | undefined;
  readonly clockSkewMs: number | undefined;
  /** Those that it was put into by hand. */
  readonly groups: readonly string[];
};

type MachineRow = Omit<FleetMachine, 'lastSeenTime' | 'bootTime' | 'clockSkewMs'> & {
  readonly lastSeenTime: Date | null;
  readonly bootTime: Date | null;
  readonly clockSkewMs: string | null;
};

/** Of some kind of thing, by labels. */
export type Tally = {readonly labels: Readonly<Record<string, string>>; readonly count: number};

/** Oldest first. */
export async function listFleetMachines(sql: Sql, limit: number): Promise<readonly FleetMachine[]> {
  const rows = await sql<MachineRow[]>`
    select id, hostname, service_tag, manufacturer, product, agent_version, state, state_time, boot_time, clock_skew_ms,
      last_seen_time, coalesce(names, '{}') as groups
    from machines left join machine_presence on machine_presence.machine_id = id
    left join (
      select machine_id, array_agg(name order by name) as names
      from group_members join groups on groups.id = group_id group by machine_id
    ) as membership on membership.machine_id = machines.id
    order by create_time, id limit ${limit}
  `;
  return rows.map(({lastSeenTime, bootTime, clockSkewMs, ...row}) => ({
    ...row,
    lastSeenTime: lastSeenTime ?? undefined,
    bootTime: bootTime ?? undefined,
    clockSkewMs: clockSkewMs === null ? undefined : Number(clockSkewMs),
  }));
}

export async function countMachinesByState(sql: Sql): Promise<readonly Tally[]> {
  const rows = await sql<{state: string; count: number}[]>`
    select state, count(*)::int as count from machines group by state
  `;
  return rows.map(({state, count}) => ({labels: {state}, count}));
}

/** Machines that the server expects to hear of, by whether they were heard since. */
export async function countMachinesHeard(sql: Sql, since: Date): Promise<readonly Tally[]> {
  const rows = await sql<{heard: boolean; count: number}[]>`
    select coalesce(last_seen_time >= ${since}, false) as heard, count(*)::int as count
    from machines left join machine_presence on machine_id = id group by 1
  `;
  return rows.map(({heard, count}) => ({labels: {heard: String(heard)}, count}));
}

/** Builds of the last day, by how they stand. */
export async function countBuilds(sql: Sql, since: Date): Promise<readonly Tally[]> {
  const rows = await sql<{state: string; backend: string; count: number}[]>`
    select state, backend, count(*)::int as count from builds join operations using (id)
    where live or end_time >= ${since} group by 1, 2
  `;
  return rows.map(({state, backend, count}) => ({labels: {state, backend}, count}));
}

/** Operations that go on, and those that ended since, by kind and state. */
export async function countOperations(sql: Sql, since: Date): Promise<readonly Tally[]> {
  const rows = await sql<{kind: string; state: string; count: number}[]>`
    select kind, state, count(*)::int as count from operations
    where end_time is null or end_time >= ${since} group by 1, 2
  `;
  return rows.map(({kind, state, count}) => ({labels: {kind, state}, count}));
}

/** Those that nobody muted. */
export async function countOpenIssues(sql: Sql, now: Date): Promise<readonly Tally[]> {
  const rows = await sql<{kind: string; severity: string; acknowledged: boolean; count: number}[]>`
    select issues.kind, severity, acknowledge_time is not null as acknowledged, count(*)::int as count
    from issues ${withMute(sql, now)} where clear_time is null and mute.id is null group by 1, 2, 3
  `;
  return rows.map(({kind, severity, acknowledged, count}) => ({
    labels: {kind, severity, acknowledged: String(acknowledged)},
    count,
  }));
}

/** Edges and builders that were not revoked, by whether they reported since. */
export async function countServices(sql: Sql, since: Date): Promise<readonly Tally[]> {
  const rows = await sql<{kind: string; online: boolean; count: number}[]>`
    select kind, coalesce(last_seen_time >= ${since}, false) as online, count(*)::int as count
    from services where revoke_time is null group by 1, 2
  `;
  return rows.map(({kind, online, count}) => ({labels: {kind, online: String(online)}, count}));
}

export type IssuesOfMachine = {
  readonly machineId: string;
  readonly kind: string;
  readonly severity: string;
  readonly count: number;
};

/** Of open issues that nobody muted. */
export async function countIssuesOfMachines(
  sql: Sql,
  now: Date,
): Promise<readonly IssuesOfMachine[]> {
  return sql<IssuesOfMachine[]>`
    select issues.machine_id, issues.kind, severity, count(*)::int as count
    from issues ${withMute(sql, now)} where clear_time is null and mute.id is null group by 1, 2, 3
  `;
}
