import type {Sql} from './db.ts';
import {machineInScope} from './scope.ts';
import type {MachineTemplate} from './templates.ts';

export const machineStates = [
  'expected',
  'discovered',
  'pending',
  'enrolled',
  'provisioning',
  'ready',
  'active',
  'maintenance',
  'retiring',
  'retired',
  'rejected',
  'failed',
] as const;
export type MachineState = (typeof machineStates)[number];
export type Trust = 'seen' | 'token' | 'approved';
export type BootAction = 'registration' | 'image' | 'local_disk' | 'retry';

/** What a machine shall run, for the debian back end; the contract's ImageConfig. */
export type ImageConfig = {
  readonly hostName: string;
  readonly packages: readonly string[];
  readonly sshAuthorizedKeys: readonly string[];
  readonly files: readonly {
    readonly path: string;
    readonly content: string;
    readonly mode: string;
  }[];
  readonly kernelArguments: readonly string[];
};

export type HardwareSummary = {
  readonly cpuThreads: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly diskCount: number;
  readonly diskBytes: number;
  readonly firmwareMode: string;
};

export type Labels = Readonly<Record<string, string>>;

export type Machine = HardwareSummary & {
  readonly id: string;
  readonly state: MachineState;
  readonly stateReason: string;
  readonly stateTime: Date;
  readonly trust: Trust;
  /** Empty when the machine is not quarantined. */
  readonly quarantineReason: string;
  /** Why one of its identifiers is banned; empty when none is. */
  readonly banReason: string;
  /** The record that took this one in and answers for it. */
  readonly mergedInto: string | undefined;
  readonly serviceTag: string;
  readonly uuid: string;
  readonly manufacturer: string;
  readonly product: string;
  readonly macAddress: string;
  readonly macAddresses: readonly string[];
  readonly hostname: string;
  readonly description: string;
  readonly notes: string;
  readonly labels: Labels;
  readonly nixosConfig: string;
  /** In order. */
  readonly templates: readonly MachineTemplate[];
  readonly imageConfig: ImageConfig | undefined;
  readonly desiredImageId: string | undefined;
  readonly bootedImageId: string | undefined;
  readonly lastGoodImageId: string | undefined;
  readonly badImageIds: readonly string[];
  readonly failedTrials: number;
  readonly overrideAction: BootAction | undefined;
  readonly overrideImageId: string | undefined;
  readonly overrideExpireTime: Date | undefined;
  readonly overrideSession: string | undefined;
  /** Who set it; empty when that is not known. */
  readonly overrideActor: string;
  readonly overrideTime: Date | undefined;
  readonly entryAction: BootAction | undefined;
  readonly entryImageId: string | undefined;
  readonly entryActor: string;
  readonly entryTime: Date | undefined;
  readonly clockSkewMs: number | undefined;
  /** Somebody registered it before it was seen. */
  readonly expected: boolean;
  readonly sightingNote: string;
  /** Of the last hello. */
  readonly bootId: string;
  readonly agentVersion: string;
  readonly inRegistration: boolean;
  /** Of the first hello of the last boot. */
  readonly bootTime: Date | undefined;
  readonly workspaceId: string | undefined;
  /** Of its assignment to that workspace. */
  readonly workspaceTime: Date | undefined;
  readonly createTime: Date;
  readonly updateTime: Date;
  readonly lastSeenTime: Date | undefined;
};

/** Columns that a change may name; times and ids are the caller's. */
export type MachineChange = Partial<Omit<Machine, 'id' | 'createTime' | 'lastSeenTime'>>;

/** With null where a column is null, bigint as text. */
export type MachineRow = {readonly [K in keyof Machine]: Machine[K] | null} & {
  /** As text: postgres.js puts the keys of JSON into camel case. */
  readonly labelsText: string;
  readonly memoryBytes: string;
  readonly diskBytes: string;
  readonly clockSkewMs: string | null;
};

export async function findMachine(sql: Sql, id: string): Promise<Machine | undefined> {
  const [row] = await sql<MachineRow[]>`
    select machines.*, labels::text as labels_text, last_seen_time from machines
    left join machine_presence on machine_id = id where id = ${id} and ${machineInScope(sql)}
  `;
  return row && toMachine(row);
}

/** Locks the row until the transaction ends, but for rows that refer to it: those may be written meanwhile. */
export async function findMachineForUpdate(sql: Sql, id: string): Promise<Machine | undefined> {
  const [row] = await sql<MachineRow[]>`
    select machines.*, labels::text as labels_text, last_seen_time from machines
    left join machine_presence on machine_id = id where id = ${id} and ${machineInScope(sql)}
    for no key update of machines
  `;
  return row && toMachine(row);
}

/** Machines with this service tag, UUID (both without regard to case) or MAC; at most `limit`. */
export async function findMachinesByKey(
  sql: Sql,
  key: {readonly text: string; readonly mac: string | undefined},
  limit: number,
): Promise<readonly Machine[]> {
  const lower = key.text.toLowerCase();
  const rows = await sql<MachineRow[]>`
    select machines.*, labels::text as labels_text, last_seen_time from machines
    left join machine_presence on machine_id = id
    where (
      lower(service_tag) = ${lower} and service_tag <> '' or lower(uuid) = ${lower} and uuid <> ''
      or ${key.mac ? sql`mac_addresses @> array[${key.mac}]` : sql`false`}
    ) and ${machineInScope(sql)}
    order by create_time, id limit ${limit}
  `;
  return rows.map(toMachine);
}

/** Those of them that there are, in any order. */
export async function findMachineNames(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly Pick<Machine, 'id' | 'hostname' | 'serviceTag'>[]> {
  return sql<Pick<Machine, 'id' | 'hostname' | 'serviceTag'>[]>`
    select id, hostname, service_tag from machines where id in (select unnest(${ids}::text[])::uuid)
  `;
}

/** Of these MACs those that a machine in good standing has enrolled from, with that machine's id. */
export async function findBootMacs(
  sql: Sql,
  macs: readonly string[],
): Promise<readonly {readonly mac: string; readonly machineId: string}[]> {
  return sql<{mac: string; machineId: string}[]>`
    select mac_address as mac, id as machine_id from machines
    where mac_addresses && ${macs}::text[] and mac_address = any(${macs}::text[])
      and trust <> 'seen' and quarantine_reason = '' and state not in ('rejected', 'retired')
  `;
}

/** A new machine; whatever is not named has the table's default. */
export async function insertMachine(
  sql: Sql,
  machine: MachineChange &
    Pick<Machine, 'id' | 'state' | 'stateTime' | 'createTime' | 'updateTime'>,
): Promise<void> {
  const {id, createTime, ...change} = machine;
  await sql`insert into machines ${sql({id, createTime, ...toColumns(sql, change)})}`;
}

/** Undefined in `change` clears a column that may be null. */
export async function updateMachine(sql: Sql, id: string, change: MachineChange): Promise<void> {
  await sql`update machines set ${sql(toColumns(sql, change))} where id = ${id}`;
}

/** Of a workspace, locked before: two assignments at once count one after the other. */
export async function countMachinesOfWorkspace(sql: Sql, workspaceId: string): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from machines where workspace_id = ${workspaceId}
  `;
  return row?.count ?? 0;
}

/** Of these ids, the machines that the caller may not see. */
export async function findMachinesOutOfScope(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{id: string}[]>`
    select id from machines
    where id = any(${[...ids]}::text[]::uuid[]) and (${machineInScope(sql)}) is not true
  `;
  return new Set(rows.map(({id}) => id));
}

/** With everything that refers to it. */
export async function deleteMachine(sql: Sql, id: string): Promise<void> {
  await sql`delete from machines where id = ${id}`;
}

export async function countMachinesSince(sql: Sql, since: Date): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from machines where create_time > ${since} and state <> 'expected'
  `;
  return row?.count ?? 0;
}

function toColumns(sql: Sql, change: MachineChange): Record<string, never> {
  const columns = Object.entries(change).map(([name, value]) => {
    if ((name === 'imageConfig' || name === 'templates' || name === 'labels') && value)
      return [name, sql.json(structuredClone(value) as never)];
    return [name, value ?? null];
  });
  return Object.fromEntries(columns) as Record<string, never>;
}

export function toMachine(row: Partial<MachineRow>): Machine {
  const {labelsText, ...columns} = row;
  const known = Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [name, value ?? undefined]),
  );
  return {
    ...blank,
    ...(known as Machine),
    labels: JSON.parse(labelsText ?? '{}') as Labels,
    memoryBytes: Number(known.memoryBytes ?? 0),
    diskBytes: Number(known.diskBytes ?? 0),
    clockSkewMs: known.clockSkewMs === undefined ? undefined : Number(known.clockSkewMs),
  };
}

/** In place of columns that a search left out. */
const blank = {
  stateReason: '',
  quarantineReason: '',
  banReason: '',
  serviceTag: '',
  uuid: '',
  manufacturer: '',
  product: '',
  macAddress: '',
  macAddresses: [],
  hostname: '',
  description: '',
  notes: '',
  nixosConfig: '',
  templates: [],
  imageConfig: undefined,
  badImageIds: [],
  overrideActor: '',
  entryActor: '',
  cpuThreads: 0,
  cpuModel: '',
  diskCount: 0,
  firmwareMode: '',
} satisfies Partial<Machine>;
