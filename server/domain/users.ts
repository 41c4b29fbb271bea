import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as setupCodes from '../store/setup-codes.ts';
import * as store from '../store/users.ts';
import type {Role, UserRow} from '../store/users.ts';
import {created} from './changes.ts';
import type {Deps} from './deps.ts';
import {badPageToken} from './ids.ts';
import {hashPassword} from './passwords.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';

const setupMs = 24 * 3_600_000;
const pageSizeDefault = 50;

export type NewUser = {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly role: Role;
};

export type SetupLink = {readonly path: string; readonly expireTime: Date};

export type Users = ReturnType<typeof createUsers>;

/** People, and how the first administrator comes to be. */
export function createUsers({sql, now, newId}: Deps) {
  async function insert(tx: Sql, actor: string, user: NewUser, passwordHash: string) {
    const {username, email, role} = user;
    const row = {id: newId(), username, email, role, passwordHash, createTime: now()};
    const inserted = await store.insertUser(tx, row);
    if (!inserted)
      throw new DomainError(
        'already_exists',
        `Cannot create user "${username}": the name is in use`,
      );
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'user.created',
      actor,
      subject: `users/${inserted.id}`,
      data: {username, role},
      change: created(inserted),
    });
    return inserted;
  }

  return {
    async create(actor: string, user: NewUser): Promise<UserRow> {
      const hash = await hashPassword(user.password);
      return sql.begin(tx => insert(tx, actor, user, hash));
    },

    async get(id: string): Promise<UserRow> {
      const found = await store.findUser(sql, id);
      if (!found) throw new DomainError('not_found', 'Cannot find the user: it no longer exists');
      return found;
    },

    /** By name; the page token is the last name of the page before. */
    async list({pageSize, pageToken}: {pageSize: number; pageToken: string}) {
      if (!/^[a-z0-9._-]*$/.test(pageToken)) throw badPageToken(pageToken);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listUsers(sql, {after: pageToken, limit: limit + 1});
      const users = rows.slice(0, limit);
      return {users, nextPageToken: rows.length > limit ? (users.at(-1)?.username ?? '') : ''};
    },

    /** Older links end. `path` holds the code in its fragment: show it once, keep it nowhere. */
    async createSetupLink(actor: string): Promise<SetupLink> {
      const {code, sha256} = makeSecretCode('setup');
      const expireTime = new Date(now().getTime() + setupMs);
      await sql.begin(async tx => {
        await setupCodes.replaceSetupCode(tx, {sha256, createTime: now(), expireTime});
        await appendEvent(tx, {id: newId(), time: now(), type: 'setup_link.created', actor});
      });
      return {path: `/setup#${code}`, expireTime};
    },

    /** Makes an administrator; the code works once. */
    async completeSetup(code: string, user: Omit<NewUser, 'role'>): Promise<UserRow> {
      const hash = await hashPassword(user.password);
      return sql.begin(async tx => {
        if (!(await setupCodes.takeSetupCode(tx, digestCode(code), now())))
          throw new DomainError(
            'permission_denied',
            'Cannot set up: the link was used, replaced or is older than 24 hours; make a new one with "muster admin setup-link"',
          );
        return insert(tx, `user:${user.username}`, {...user, role: 'admin'}, hash);
      });
    },

    hasAdministrator: () => store.hasAdministrator(sql),
  };
}
