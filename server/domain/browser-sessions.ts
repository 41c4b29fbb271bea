import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/sessions.ts';
import {findUser, type UserRow} from '../store/users.ts';
import type {Deps} from './deps.ts';
import type {Credentials, PasswordCheck} from './password-check.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';
import {sessionMs, startSession} from './sessions.ts';

/** How exact the time of the last use is: one write a minute, not one a call. */
const useResolutionMs = 60_000;

export type BrowserSessionLimits = {
  /** Without any call. */
  readonly idleMs: number;
  /** At most; shorter for those who sign in elsewhere. */
  readonly lifetimeMs: number;
};

export type SignedInBrowser = {
  readonly user: UserRow;
  /** For a cookie that scripts cannot read, and for nothing else. */
  readonly secret: string;
  /** When it ends unless it is used. */
  readonly expireTime: Date;
  readonly lifetimeSeconds: number;
};

/** Where somebody signs in. */
export type BrowserEntry = {
  readonly method: store.SessionMethod;
  readonly address: string;
  /** The secret of the session that this browser had: it ends. */
  readonly replaces: string | undefined;
};

export type BrowserSessions = ReturnType<typeof createBrowserSessions>;

/**
 * Sessions of browsers: one secret in a cookie, of which only the digest is kept. Nothing of it can be read by a page, and it is worth nothing as a
 * bearer token. Each call is a use, and keeps it open.
 */
export function createBrowserSessions({
  sql,
  now,
  newId,
  checkPassword,
  limits,
}: Deps & {readonly checkPassword: PasswordCheck; readonly limits: BrowserSessionLimits}) {
  const idleAfter = (time: Date) => new Date(time.getTime() + limits.idleMs);

  async function end(tx: Sql, secret: string, reason: string): Promise<void> {
    const found = await store.findSessionByCookie(tx, digestCode(secret), now());
    const user = found && (await findUser(tx, found.userId));
    if (!user || !(await store.endSession(tx, found.id, {time: now(), reason}))) return;
    const actor = `user:${user.username}`;
    const subject = `sessions/${found.id}`;
    await appendEvent(tx, {id: newId(), time: now(), type: 'session.ended', actor, subject});
  }

  /** In the transaction of whatever proved who it is. */
  async function open(tx: Sql, user: UserRow, entry: BrowserEntry): Promise<SignedInBrowser> {
    const {method, address, replaces} = entry;
    if (replaces) await end(tx, replaces, 'signed in again');
    const {code, sha256} = makeSecretCode('session');
    const createTime = now();
    const lifetimeMs = Math.min(limits.lifetimeMs, sessionMs[method]);
    const limitTime = new Date(createTime.getTime() + lifetimeMs);
    const expireTime = new Date(Math.min(limitTime.getTime(), idleAfter(createTime).getTime()));
    const browserKey = {cookieSha256: sha256, limitTime};
    await startSession(tx, newId, {user, method, address, createTime, expireTime, browserKey});
    return {user, secret: code, expireTime, lifetimeSeconds: Math.floor(lifetimeMs / 1000)};
  }

  return {
    open,

    async logIn(
      credentials: Credentials,
      entry: Omit<BrowserEntry, 'method'>,
    ): Promise<SignedInBrowser> {
      const user = await checkPassword(credentials, entry.address);
      return sql.begin(tx => open(tx, user, {method: 'password', ...entry}));
    },

    /** Whose it is, as they are now. Throws "unauthenticated" when it is over. */
    async identify(
      secret: string,
      address: string,
    ): Promise<{readonly user: UserRow; readonly sessionId: string}> {
      const time = now();
      const session = await store.findSessionByCookie(sql, digestCode(secret), time);
      const user = session && (await findUser(sql, session.userId));
      if (!user || user.disabled)
        throw new DomainError(
          'unauthenticated',
          'Cannot accept the cookie: its session has ended; sign in again',
        );
      const unusedSince = new Date(time.getTime() - useResolutionMs);
      if (session.lastUseTime <= unusedSince) {
        const use = {time, address, expireTime: idleAfter(time), unusedSince};
        await store.noteSessionUse(sql, session.id, use);
      }
      return {user, sessionId: session.id};
    },

    /** Idempotent; says nothing about secrets that are not known. */
    async logOut(secret: string): Promise<void> {
      await sql.begin(tx => end(tx, secret, 'signed out'));
    },
  };
}
