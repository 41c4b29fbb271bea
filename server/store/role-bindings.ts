import type {Sql} from './db.ts';
import type {Role} from './users.ts';

export type RoleBindingRow = {
  readonly userId: string;
  /** Null: everywhere. */
  readonly workspaceId: string | null;
  readonly role: Role;
  readonly createTime: Date;
};

/** Makes the binding or changes its role. */
export async function putRoleBinding(sql: Sql, binding: RoleBindingRow): Promise<void> {
  await sql`
    insert into role_bindings ${sql(binding)}
    on conflict (user_id, workspace_id) do update set role = excluded.role
  `;
}

/** False when there is none. Without a workspace: the role that holds everywhere. */
export async function deleteRoleBinding(
  sql: Sql,
  {userId, workspaceId}: Pick<RoleBindingRow, 'userId' | 'workspaceId'>,
): Promise<boolean> {
  const {count} = await sql`
    delete from role_bindings
    where user_id = ${userId} and workspace_id is not distinct from ${workspaceId}
  `;
  return count === 1;
}

export type MemberRow = {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly createTime: Date;
};

/** By user name, after the one given. */
export async function listMembers(
  sql: Sql,
  page: {readonly workspaceId: string; readonly after: string; readonly limit: number},
): Promise<readonly MemberRow[]> {
  return sql<MemberRow[]>`
    select b.user_id, u.username, b.role, b.create_time
    from role_bindings b join users u on u.id = b.user_id
    where b.workspace_id = ${page.workspaceId} and u.username > ${page.after}
    order by u.username limit ${page.limit}
  `;
}

export async function findMember(
  sql: Sql,
  {userId, workspaceId}: {readonly userId: string; readonly workspaceId: string},
): Promise<MemberRow | undefined> {
  const [row] = await sql<MemberRow[]>`
    select b.user_id, u.username, b.role, b.create_time
    from role_bindings b join users u on u.id = b.user_id
    where b.workspace_id = ${workspaceId} and b.user_id = ${userId}
  `;
  return row;
}

/**
 * Who administers everything and is not disabled. Locks them all, in one order, so that of two that take each other's right away the second
 * sees what the first has done.
 */
export async function lockAdministrators(sql: Sql): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`
    select u.id from users u join role_bindings b on b.user_id = u.id
    where b.workspace_id is null and b.role = 'admin' and u.disable_time is null
    order by u.id for update
  `;
  return rows.map(({id}) => id);
}
