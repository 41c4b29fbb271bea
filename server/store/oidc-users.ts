import type {Sql} from './db.ts';

export type OidcName = {readonly issuer: string; readonly subject: string};

export async function findOidcUserId(
  sql: Sql,
  {issuer, subject}: OidcName,
): Promise<string | undefined> {
  const [row] = await sql<{id: string}[]>`
    select id from users where oidc_issuer = ${issuer} and oidc_subject = ${subject}
  `;
  return row?.id;
}

export async function setOidcName(
  sql: Sql,
  id: string,
  {issuer, subject}: OidcName,
): Promise<void> {
  await sql`
    update users set oidc_issuer = ${issuer}, oidc_subject = ${subject} where id = ${id}
  `;
}
