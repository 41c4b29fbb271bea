import type {Sql} from './db.ts';
import {workspaceInScope} from './scope.ts';

export type Workspace = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** 0: no limit. */
  readonly machinesMax: number;
  readonly createTime: Date;
  readonly updateTime: Date;
};

export type WorkspaceChange = Partial<Pick<Workspace, 'name' | 'description' | 'machinesMax'>>;

export type WorkspaceCounts = {readonly machineCount: number; readonly memberCount: number};

const uniqueViolation = '23505';

/** False when the name is taken. */
export async function insertWorkspace(sql: Sql, workspace: Workspace): Promise<boolean> {
  const {count} = await sql`insert into workspaces ${sql(workspace)} on conflict do nothing`;
  return count === 1;
}

/** False when the name is taken: the transaction is over then. */
export async function updateWorkspace(sql: Sql, workspace: Workspace): Promise<boolean> {
  const {id, name, description, machinesMax, updateTime} = workspace;
  try {
    await sql`
      update workspaces set ${sql({name, description, machinesMax, updateTime})} where id = ${id}
    `;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) return false;
    throw error;
  }
}

export async function deleteWorkspace(sql: Sql, id: string): Promise<void> {
  await sql`delete from workspaces where id = ${id}`;
}

export async function findWorkspace(
  sql: Sql,
  key: {readonly id: string} | {readonly name: string},
  lock: 'none' | 'update' = 'none',
): Promise<Workspace | undefined> {
  const [row] = await sql<Workspace[]>`
    select * from workspaces
    where ${'id' in key ? sql`id = ${key.id}` : sql`name = ${key.name}`} and ${workspaceInScope(sql)}
    ${lock === 'update' ? sql`for update` : sql``}
  `;
  return row;
}

/** By name, after the one given. */
export async function listWorkspaces(
  sql: Sql,
  {after, limit}: {readonly after: string; readonly limit: number},
): Promise<readonly Workspace[]> {
  return sql<Workspace[]>`
    select * from workspaces where name > ${after} and ${workspaceInScope(sql)}
    order by name limit ${limit}
  `;
}

/** By id. */
export async function countInWorkspaces(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, WorkspaceCounts>> {
  const rows = await sql<(WorkspaceCounts & {id: string})[]>`
    select id,
      (select count(*)::int from machines where workspace_id = wanted.id) as machine_count,
      (select count(*)::int from role_bindings where workspace_id = wanted.id) as member_count
    from unnest(${[...ids]}::text[]::uuid[]) as wanted (id)
  `;
  return new Map(rows.map(({id, ...counts}) => [id, counts]));
}

/** By name. For the caller's own roles: they are in scope by having them. */
export async function listWorkspaceNames(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly Pick<Workspace, 'id' | 'name'>[]> {
  return sql<Pick<Workspace, 'id' | 'name'>[]>`
    select id, name from workspaces where id = any(${[...ids]}::text[]::uuid[]) order by name
  `;
}
