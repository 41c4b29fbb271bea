import type {Sql} from './db.ts';

export type Group = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Empty when machines are members by hand. */
  readonly filter: string;
  readonly createTime: Date;
  readonly updateTime: Date;
};

const uniqueViolation = '23505';

export type GroupChange = Partial<Pick<Group, 'name' | 'description' | 'tags' | 'filter'>>;

/** False when the name is taken; names differ by more than case. */
export async function insertGroup(sql: Sql, group: Group): Promise<boolean> {
  const result = await sql`
    insert into groups ${sql({...group, tags: [...group.tags]})} on conflict do nothing
  `;
  return result.count === 1;
}

/** False when the name is taken: the transaction is over then. */
export async function updateGroup(sql: Sql, group: Group): Promise<boolean> {
  const {id, name, description, tags, filter, updateTime} = group;
  try {
    await sql`
      update groups set ${sql({name, description, tags: [...tags], filter, updateTime})} where id = ${id}
    `;
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
  const [row] = await sql<Group[]>`
    select * from groups
    where ${'id' in key ? sql`id = ${key.id}` : sql`lower(name) = lower(${key.name})`} ${locks[lock]}
  `;
  return row;
}

export async function findGroupsByName(
  sql: Sql,
  names: readonly string[],
): Promise<readonly Group[]> {
  const lower = names.map(name => name.toLowerCase());
  return sql<Group[]>`select * from groups where lower(name) = any(${lower}::text[])`;
}

/** By name, after the one given. */
export async function listGroups(
  sql: Sql,
  {after, limit}: {readonly after: string; readonly limit: number},
): Promise<readonly Group[]> {
  return sql<Group[]>`
    select * from groups where lower(name) > lower(${after}) order by lower(name) limit ${limit}
  `;
}

export async function listRuleGroups(sql: Sql, limit: number): Promise<readonly Group[]> {
  return sql<Group[]>`select * from groups where filter <> '' order by lower(name) limit ${limit}`;
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

/** False when it is none. */
export async function deleteMember(sql: Sql, groupId: string, machineId: string): Promise<boolean> {
  const result = await sql`
    delete from group_members where group_id = ${groupId} and machine_id = ${machineId}
  `;
  return result.count === 1;
}

/** Those that it was put into by hand. */
export async function listGroupsOfMember(sql: Sql, machineId: string): Promise<readonly Group[]> {
  return sql<Group[]>`
    select groups.* from groups join group_members on group_id = groups.id
    where machine_id = ${machineId} order by lower(name)
  `;
}
