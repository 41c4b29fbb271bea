import type {Sql} from './db.ts';
import type {MachineTemplate} from './templates.ts';

/** What a machine boots with when its own image_config does not say; the contract's BootProfile. */
export type BootProfile = {
  readonly kernelArguments: readonly string[];
  /** "ttyS0,115200" */
  readonly serialConsole: string;
  readonly packages: readonly string[];
  readonly sshAuthorizedKeys: readonly string[];
};

export type Group = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Empty when machines are members by hand. */
  readonly filter: string;
  /** Of a machine's groups the highest counts, then the name. */
  readonly priority: number;
  /** Of machines without their own. */
  readonly templates: readonly MachineTemplate[];
  readonly bootProfile: BootProfile | undefined;
  /** Tests that an image must have passed before a machine of the group may have it. */
  readonly imageGate: readonly string[];
  readonly createTime: Date;
  readonly updateTime: Date;
};

const uniqueViolation = '23505';

export type GroupChange = Partial<Omit<Group, 'id' | 'createTime' | 'updateTime'>>;

type Row = Omit<Group, 'templates' | 'bootProfile'> & {
  /** Texts: postgres.js puts the keys of JSON into camel case. */
  readonly templatesText: string;
  readonly bootProfileText: string | null;
};

const columns = (sql: Sql) => sql`
  groups.id, groups.name, groups.description, groups.tags, groups.filter, groups.priority, groups.create_time,
  groups.update_time, groups.image_gate, groups.templates::text as templates_text, groups.boot_profile::text as boot_profile_text
`;

/** False when the name is taken; names differ by more than case. */
export async function insertGroup(sql: Sql, group: Group): Promise<boolean> {
  const result = await sql`
    insert into groups ${sql({...toColumns(sql, group), id: group.id, createTime: group.createTime})}
    on conflict do nothing
  `;
  return result.count === 1;
}

/** False when the name is taken: the transaction is over then. */
export async function updateGroup(sql: Sql, group: Group): Promise<boolean> {
  try {
    await sql`update groups set ${sql(toColumns(sql, group))} where id = ${group.id}`;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) return false;
    throw error;
  }
}

export async function deleteGroup(sql: Sql, id: string): Promise<void> {
  await sql`delete from groups where id = ${id}`;
}

/** By id, or by name without regard to case. */
export async function findGroup(
  sql: Sql,
  key: {readonly id: string} | {readonly name: string},
  lock: 'none' | 'share' | 'update' = 'none',
): Promise<Group | undefined> {
  const locks = {none: sql``, share: sql`for share`, update: sql`for update`};
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from groups
    where ${'id' in key ? sql`id = ${key.id}` : sql`lower(name) = lower(${key.name})`} ${locks[lock]}
  `;
  return row && toGroup(row);
}

export async function findGroupsByName(
  sql: Sql,
  names: readonly string[],
  lock: 'none' | 'share' = 'none',
): Promise<readonly Group[]> {
  const lower = names.map(name => name.toLowerCase());
  const rows = await sql<Row[]>`
    select ${columns(sql)} from groups where lower(name) = any(${lower}::text[])
    order by lower(name) ${lock === 'share' ? sql`for share` : sql``}
  `;
  return rows.map(toGroup);
}

/** By name, after the one given. */
export async function listGroups(
  sql: Sql,
  {after, limit}: {readonly after: string; readonly limit: number},
): Promise<readonly Group[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from groups where lower(name) > lower(${after}) order by lower(name) limit ${limit}
  `;
  return rows.map(toGroup);
}

export async function listRuleGroups(sql: Sql, limit: number): Promise<readonly Group[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from groups where filter <> '' order by lower(name) limit ${limit}
  `;
  return rows.map(toGroup);
}

export async function countRuleGroups(sql: Sql): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from groups where filter <> ''
  `;
  return row?.count ?? 0;
}

export async function hasMembers(sql: Sql, groupId: string): Promise<boolean> {
  const rows = await sql`select 1 from group_members where group_id = ${groupId} limit 1`;
  return rows.length > 0;
}

/** False when it is one already. */
export async function insertMember(sql: Sql, groupId: string, machineId: string): Promise<boolean> {
  const result = await sql`
    insert into group_members (group_id, machine_id) values (${groupId}, ${machineId}) on conflict do nothing
  `;
  return result.count === 1;
}

/** Each pair once, however often it is named. */
export async function insertMembers(
  sql: Sql,
  members: readonly {readonly groupId: string; readonly machineId: string}[],
): Promise<void> {
  if (members.length === 0) return;
  await sql`
    insert into group_members (group_id, machine_id)
    select "groupId", "machineId"
    from json_to_recordset(${JSON.stringify(members)}::text::json) as member ("groupId" uuid, "machineId" uuid)
    on conflict do nothing
  `;
}

/** False when it is none. */
export async function deleteMember(sql: Sql, groupId: string, machineId: string): Promise<boolean> {
  const result = await sql`
    delete from group_members where group_id = ${groupId} and machine_id = ${machineId}
  `;
  return result.count === 1;
}

/** Those that it was put into by hand. */
export async function listGroupsOfMember(sql: Sql, machineId: string): Promise<readonly Group[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from groups join group_members on group_id = groups.id
    where machine_id = ${machineId} order by lower(name)
  `;
  return rows.map(toGroup);
}

function toColumns(sql: Sql, group: Group) {
  const {name, description, tags, filter, priority, templates, bootProfile, updateTime} = group;
  const {imageGate} = group;
  const json = (value: unknown) => sql.json(structuredClone(value) as never);
  return {
    name,
    description,
    tags: [...tags],
    filter,
    priority,
    templates: json(templates),
    bootProfile: bootProfile ? json(bootProfile) : null,
    imageGate: [...imageGate],
    updateTime,
  };
}

function toGroup({templatesText, bootProfileText, ...same}: Row): Group {
  return {
    ...same,
    templates: JSON.parse(templatesText) as readonly MachineTemplate[],
    bootProfile: bootProfileText ? (JSON.parse(bootProfileText) as BootProfile) : undefined,
  };
}
