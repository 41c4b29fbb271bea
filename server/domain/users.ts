import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {deleteRoleBinding, lockAdministrators, putRoleBinding} from '../store/role-bindings.ts';
import {endSessionsOf} from '../store/sessions.ts';
import * as setupCodes from '../store/setup-codes.ts';
import * as store from '../store/users.ts';
import type {Role, UserRow} from '../store/users.ts';
import {created, deleted, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {getUser} from './find-user.ts';
import {badPageToken, isUuid} from './ids.ts';
import {forgetFailedLoginsOf} from './login-throttle.ts';
import {hashPassword} from './passwords.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';

const setupMs = 24 * 3_600_000;
const pageSizeDefault = 50;
/** Would be read as something else in a path. */
const reservedNames: ReadonlySet<string> = new Set(['me', 'local', 'anonymous', 'system']);

export type NewUser = {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly role: Role | 'member';
};

/** What is undefined stays. */
export type UserChange = {
  readonly email?: string | undefined;
  readonly role?: Role | 'member' | undefined;
  readonly password?: string | undefined;
  readonly disabled?: boolean | undefined;
  /** Empty takes it away. */
  readonly certificateSubject?: string | undefined;
};

export type SetupLink = {readonly path: string; readonly expireTime: Date};

export type Users = ReturnType<typeof createUsers>;

/** People, and how the first administrator comes to be. */
export function createUsers({sql, now, newId}: Deps) {
  return {
    async create(actor: string, user: NewUser): Promise<UserRow> {
      const hash = await hashPassword(user.password);
      return sql.begin(tx => insertUser(tx, {now, newId}, {...user, actor, passwordHash: hash}));
    },

    get: (idOrName: string) => getUser(sql, idOrName),

    /** Throws "unauthenticated" for a certificate that does not count, or is nobody's. */
    async getByCertificate({
      subject,
      problem,
    }: {
      readonly subject: string;
      readonly problem: string | undefined;
    }): Promise<UserRow> {
      const user = problem ? undefined : await store.findUserByCertificate(sql, subject);
      if (user && !user.disabled) return user;
      throw new DomainError(
        'unauthenticated',
        `Cannot accept the client certificate "${subject}": ${problem ?? 'it is no active user\'s; an administrator maps it with "muster users update"'}`,
      );
    },

    /** By name; the page token is the last name of the page before. */
    async list({pageSize, pageToken}: {pageSize: number; pageToken: string}) {
      if (!/^[a-z0-9._-]*$/.test(pageToken)) throw badPageToken(pageToken);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listUsers(sql, {after: pageToken, limit: limit + 1});
      const users = rows.slice(0, limit);
      return {users, nextPageToken: rows.length > limit ? (users.at(-1)?.username ?? '') : ''};
    },

    /** A new password, and disabling, end the user's sessions at once; but not the one that asks for it. */
    async update(
      actor: string,
      idOrName: string,
      change: UserChange,
      askingSessionId?: string,
    ): Promise<UserRow> {
      const passwordHash =
        change.password === undefined ? undefined : await hashPassword(change.password);
      return sql.begin(async tx => {
        const before = await lockUser(tx, idOrName, {
          losesAdministration: change.disabled === true || (change.role ?? 'admin') !== 'admin',
        });
        await applyChange(tx, {before, change, passwordHash, now: now(), askingSessionId});
        const after = await getUser(tx, before.id);
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'user.updated',
          actor,
          subject: `users/${before.id}`,
          data: {
            username: before.username,
            before: describe(before),
            after: describe(after),
            ...(passwordHash ? {password: 'changed'} : {}),
          },
          change: updated(describe(before), describe(after)),
        });
        return after;
      });
    },

    /** With sessions and API tokens. */
    async delete(actor: string, idOrName: string): Promise<void> {
      await sql.begin(async tx => {
        const user = await lockUser(tx, idOrName, {losesAdministration: true});
        await store.deleteUser(tx, user.id);
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'user.deleted',
          actor,
          subject: `users/${user.id}`,
          data: {username: user.username, before: describe(user)},
          change: deleted(describe(user)),
        });
      });
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
      const passwordHash = await hashPassword(user.password);
      return sql.begin(async tx => {
        if (!(await setupCodes.takeSetupCode(tx, digestCode(code), now())))
          throw new DomainError(
            'permission_denied',
            'Cannot set up: the link was used, replaced or is older than 24 hours; make a new one with "muster admin setup-link"',
          );
        const actor = `user:${user.username}`;
        return insertUser(tx, {now, newId}, {...user, role: 'admin', actor, passwordHash});
      });
    },

    hasAdministrator: () => store.hasAdministrator(sql),
  };
}

export type UserToInsert = Pick<NewUser, 'username' | 'email' | 'role'> & {
  readonly actor: string;
  readonly passwordHash: string | null;
};

/** With the role everywhere and the event. Throws "already_exists". */
export async function insertUser(
  tx: Sql,
  {now, newId}: Pick<Deps, 'now' | 'newId'>,
  {username, email, role, actor, passwordHash}: UserToInsert,
): Promise<UserRow> {
  if (reservedNames.has(username) || isUuid(username))
    throw new DomainError(
      'invalid_argument',
      `Cannot create user "${username}": the name is reserved; choose another one`,
    );
  const row = {id: newId(), username, email, passwordHash, createTime: now()};
  if (!(await store.insertUser(tx, row)))
    throw new DomainError('already_exists', `Cannot create user "${username}": the name is in use`);
  await setGlobalRole(tx, row.id, {role, time: now()});
  await appendEvent(tx, {
    id: newId(),
    time: now(),
    type: 'user.created',
    actor,
    subject: `users/${row.id}`,
    data: {username, role},
    change: created({username, email: row.email, role}),
  });
  return getUser(tx, row.id);
}

/** A member has no binding but in workspaces. */
async function setGlobalRole(
  tx: Sql,
  userId: string,
  {role, time}: {readonly role: Role | 'member'; readonly time: Date},
): Promise<void> {
  if (role === 'member') await deleteRoleBinding(tx, {userId, workspaceId: null});
  else await putRoleBinding(tx, {userId, workspaceId: null, role, createTime: time});
}

/** Administrators are locked first: of two changes at once that would leave none, the second is refused. */
async function lockUser(
  tx: Sql,
  idOrName: string,
  {losesAdministration}: {losesAdministration: boolean},
): Promise<UserRow> {
  const administrators = losesAdministration ? await lockAdministrators(tx) : [];
  const {id} = await getUser(tx, idOrName);
  await store.lockUser(tx, id);
  const user = await getUser(tx, id);
  if (administrators.length === 1 && administrators[0] === id)
    throw new DomainError(
      'failed_precondition',
      `Cannot take user "${user.username}" away: it is the last administrator; make another one first`,
    );
  return user;
}

async function applyChange(
  tx: Sql,
  {
    before,
    change,
    passwordHash,
    now,
    askingSessionId,
  }: {
    before: UserRow;
    change: UserChange;
    passwordHash: string | undefined;
    now: Date;
    askingSessionId: string | undefined;
  },
): Promise<void> {
  const {email, role, disabled, certificateSubject} = change;
  const {id} = before;
  if (certificateSubject) await assertCertificateIsFree(tx, id, certificateSubject);
  await store.updateUser(tx, id, {
    ...(email === undefined ? {} : {email}),
    ...(certificateSubject === undefined ? {} : {certificateSubject: certificateSubject || null}),
    ...(passwordHash === undefined ? {} : {passwordHash}),
    ...(disabled === undefined || disabled === before.disabled
      ? {}
      : {disableTime: disabled ? now : null}),
  });
  if (role) await setGlobalRole(tx, id, {role, time: now});
  if (passwordHash) await forgetFailedLoginsOf(tx, before.username);
  if (passwordHash ?? disabled) {
    const reason = disabled ? 'the user was disabled' : 'the password was changed';
    await endSessionsOf(tx, id, {time: now, reason, except: askingSessionId});
  }
}

async function assertCertificateIsFree(tx: Sql, id: string, subject: string): Promise<void> {
  const owner = await store.findUserByCertificate(tx, subject);
  if (owner && owner.id !== id)
    throw new DomainError(
      'already_exists',
      `Cannot map client certificate "${subject}": it is mapped to "${owner.username}"; take it away there first`,
    );
}

const describe = ({email, role, disabled, certificateSubject}: UserRow) => ({
  email,
  role,
  disabled,
  certificateSubject,
});
