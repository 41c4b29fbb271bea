import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {findUser, findUserByName, type UserRow} from '../store/users.ts';
import {isUuid} from './ids.ts';

/** By id or user name (no user name looks like an id). Throws "not_found". */
export async function getUser(sql: Sql, idOrName: string): Promise<UserRow> {
  const found = isUuid(idOrName)
    ? await findUser(sql, idOrName)
    : await findUserByName(sql, idOrName);
  if (!found) throw new DomainError('not_found', `Cannot find user "${idOrName}": nobody has it`);
  return found;
}

/** Who asks, as far as rules about single things need it. */
export type Asker = {
  /** For the journal. */
  readonly name: string;
  /** Of a person. */
  readonly userId?: string | undefined;
  readonly role: string;
  /** The session that the request belongs to. */
  readonly sessionId?: string | undefined;
  /** The API token that the request was made with. */
  readonly apiTokenId?: string | undefined;
};

export const isAdministrator = ({role}: Asker): boolean => role === 'admin';

/**
 * Whose things are meant: empty is one's own, "-" everybody's (undefined), anything else somebody's by id or name. Those of others are for
 * administrators.
 */
export async function resolveOwner(
  sql: Sql,
  asker: Asker,
  idOrName: string,
): Promise<string | undefined> {
  if (idOrName === '') return requireUserId(asker);
  if (!isAdministrator(asker)) {
    const own = asker.userId && (await findUser(sql, asker.userId));
    if (own && [own.id, own.username].includes(idOrName)) return own.id;
    throw new DomainError(
      'permission_denied',
      `Cannot look at what belongs to "${idOrName}": only administrators see things of others; leave user_id empty for yours`,
    );
  }
  return idOrName === '-' ? undefined : (await getUser(sql, idOrName)).id;
}

export function requireUserId({name, userId}: Asker): string {
  if (userId === undefined)
    throw new DomainError(
      'invalid_argument',
      `Cannot do this as "${name}": it is no user; name one with user_id`,
    );
  return userId;
}

/** A leaked API token must not lock its owner out or outlive its end. */
export function assertNotByToken({apiTokenId, role}: Asker, attempt: string): void {
  if (apiTokenId !== undefined && role !== 'admin')
    throw new DomainError(
      'permission_denied',
      `Cannot ${attempt} with an API token: sign in, or use a token with permission ADMINISTER`,
    );
}
