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
