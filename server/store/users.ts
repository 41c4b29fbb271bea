import type {Sql} from './db.ts';

export type Role = 'viewer' | 'developer' | 'operator' | 'admin';

/** A role in a workspace, beside the one that holds everywhere. */
export type WorkspaceRole = {
  readonly id: string;
  /** Of the workspace. */
  readonly name: string;
  readonly role: Role;
};

export type UserRow = {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  /** Everywhere: of the binding without a workspace. A member has none. */
  readonly role: Role | 'member';
  readonly workspaceRoles: readonly WorkspaceRole[];
  readonly createTime: Date;
  readonly disabled: boolean;
  /** Has no password. */
  readonly external: boolean;
  /** Of the client certificate that is a login; empty: none. */
  readonly certificateSubject: string;
};

export type NewUserRow = {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly passwordHash: string | null;
  readonly createTime: Date;
};

export type UserChangeRow = Partial<{
  readonly email: string;
  readonly passwordHash: string;
  readonly disableTime: Date | null;
  readonly certificateSubject: string | null;
}>;

const selectUsers = (sql: Sql) => sql`
  select u.id, u.username, u.email, coalesce(b.role, 'member') as role, u.create_time,
    u.disable_time is not null as disabled, u.password_hash is null as external,
    coalesce(u.certificate_subject, '') as certificate_subject,
    (
      select coalesce(json_agg(json_build_object('id', w.id, 'name', w.name, 'role', i.role) order by w.name), '[]')
      from role_bindings i join workspaces w on w.id = i.workspace_id where i.user_id = u.id
    ) as workspace_roles
  from users u left join role_bindings b on b.user_id = u.id and b.workspace_id is null
`;

/** False when the name is taken. Its role is a binding of its own. */
export async function insertUser(sql: Sql, user: NewUserRow): Promise<boolean> {
  const {count} = await sql`insert into users ${sql(user)} on conflict (username) do nothing`;
  return count === 1;
}

export async function findUser(sql: Sql, id: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`${selectUsers(sql)} where u.id = ${id}`;
  return row;
}

export async function findUserByName(sql: Sql, username: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`${selectUsers(sql)} where u.username = ${username}`;
  return row;
}

export async function findUserByCertificate(
  sql: Sql,
  subject: string,
): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`${selectUsers(sql)} where u.certificate_subject = ${subject}`;
  return row;
}

/** False when there is none. */
export async function lockUser(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql`select 1 from users where id = ${id} for update`;
  return rows.length > 0;
}

/** Undefined for nobody and for somebody without a password. */
export async function findPasswordHash(sql: Sql, username: string): Promise<string | undefined> {
  const [row] = await sql<{passwordHash: string | null}[]>`
    select password_hash from users where username = ${username}
  `;
  return row?.passwordHash ?? undefined;
}

export async function updateUser(sql: Sql, id: string, change: UserChangeRow): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await sql`update users set ${sql(change)} where id = ${id}`;
}

export async function deleteUser(sql: Sql, id: string): Promise<void> {
  await sql`delete from users where id = ${id}`;
}

/** By name, after the one given. */
export async function listUsers(
  sql: Sql,
  {after, limit}: {after: string; limit: number},
): Promise<readonly UserRow[]> {
  return sql<UserRow[]>`
    ${selectUsers(sql)} where u.username > ${after} order by u.username limit ${limit}
  `;
}

/** One that can act: not disabled. */
export async function hasAdministrator(sql: Sql): Promise<boolean> {
  const rows = await sql`
    select 1 from users u join role_bindings b on b.user_id = u.id
    where b.workspace_id is null and b.role = 'admin' and u.disable_time is null limit 1
  `;
  return rows.length > 0;
}
