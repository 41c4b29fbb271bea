import type {Sql} from './db.ts';

export type Role = 'viewer' | 'developer' | 'operator' | 'admin';

export type UserRow = {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly role: Role;
  readonly createTime: Date;
};

export type NewUserRow = UserRow & {readonly passwordHash: string};

const columns = ['id', 'username', 'email', 'role', 'createTime'] as const;

/** Undefined when the name is taken. */
export async function insertUser(sql: Sql, user: NewUserRow): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    insert into users ${sql(user)} on conflict (username) do nothing returning ${sql(columns)}
  `;
  return row;
}

export async function findUser(sql: Sql, id: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`select ${sql(columns)} from users where id = ${id}`;
  return row;
}

export async function findUserWithHash(
  sql: Sql,
  username: string,
): Promise<NewUserRow | undefined> {
  const [row] = await sql<NewUserRow[]>`select * from users where username = ${username}`;
  return row;
}

/** By name, after the one given. */
export async function listUsers(
  sql: Sql,
  {after, limit}: {after: string; limit: number},
): Promise<readonly UserRow[]> {
  return sql<UserRow[]>`
    select ${sql(columns)} from users where username > ${after} order by username limit ${limit}
  `;
}

export async function hasAdministrator(sql: Sql): Promise<boolean> {
  const rows = await sql`select 1 from users where role = 'admin' limit 1`;
  return rows.length > 0;
}
