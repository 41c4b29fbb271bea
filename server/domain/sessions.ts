import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/sessions.ts';
import {findUser, type UserRow} from '../store/users.ts';
import type {AccessTokens} from './access-tokens.ts';
import type {Deps} from './deps.ts';
import type {Credentials, PasswordCheck} from './password-check.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';

/** Who signs in elsewhere comes back every day, so that a role lost there is lost here. */
export const sessionMs: Readonly<Record<store.SessionMethod, number>> = {
  password: 30 * 24 * 3_600_000,
  oidc: 24 * 3_600_000,
};

export type Tokens = {
  readonly token: string;
  readonly expireTime: Date;
  readonly refreshToken: string;
};

export type SignedIn = Tokens & {readonly user: UserRow};

export type Sessions = ReturnType<typeof createSessions>;

/** Signing in, staying in, signing out. Tokens are in no event and no log. */
export function createSessions({
  sql,
  now,
  newId,
  accessTokens,
  checkPassword,
}: Deps & {readonly accessTokens: AccessTokens; readonly checkPassword: PasswordCheck}) {
  /** Takes what was decided inside the transaction: what ends a session must commit although the caller is refused. */
  type Rotation =
    | {readonly refusal: string}
    | {readonly user: UserRow; sessionId: string; code: string};

  async function rotate(refreshToken: string, address: string): Promise<Rotation> {
    const sha256 = digestCode(refreshToken);
    return sql.begin(async tx => {
      const found = await store.findRefreshToken(tx, sha256);
      const user = found && (await findUser(tx, found.userId));
      if (!user || user.disabled || found.ended || found.expireTime <= now())
        return {refusal: 'the session has ended; sign in again'};

      const {sessionId} = found;
      const entry = {time: now(), actor: `user:${user.username}`, subject: `sessions/${sessionId}`};
      if (found.used) {
        await store.endSession(tx, sessionId, {time: now(), reason: 'refresh token used twice'});
        const type = 'session.token_reused';
        await appendEvent(tx, {id: newId(), type, ...entry, data: {address}});
        return {
          refusal: 'the refresh token was used before, so the session was ended; sign in again',
        };
      }
      await store.markRefreshTokenUsed(tx, sha256, {time: now(), address});
      const next = makeSecretCode('refresh');
      await store.insertRefreshToken(tx, {sha256: next.sha256, sessionId, createTime: now()});
      await appendEvent(tx, {id: newId(), type: 'session.refreshed', ...entry});
      return {user, sessionId, code: next.code};
    });
  }

  /** In the transaction of whatever proved who it is; `issue` makes the tokens after its commit. */
  async function open(
    tx: Sql,
    user: UserRow,
    {method, address}: {readonly method: store.SessionMethod; readonly address: string},
  ): Promise<{readonly sessionId: string; readonly refreshToken: string}> {
    const refresh = makeSecretCode('refresh');
    const createTime = now();
    const expireTime = new Date(createTime.getTime() + sessionMs[method]);
    const started = {user, method, address, createTime, expireTime};
    const sessionId = await startSession(tx, newId, started);
    await store.insertRefreshToken(tx, {sha256: refresh.sha256, sessionId, createTime});
    return {sessionId, refreshToken: refresh.code};
  }

  async function issue(
    user: UserRow,
    {sessionId, refreshToken}: {readonly sessionId: string; readonly refreshToken: string},
  ): Promise<SignedIn> {
    return {...(await accessTokens.issue(user, sessionId)), refreshToken, user};
  }

  return {
    open,
    issue,

    async logIn(credentials: Credentials, address: string): Promise<SignedIn> {
      const user = await checkPassword(credentials, address);
      return issue(user, await sql.begin(tx => open(tx, user, {method: 'password', address})));
    },

    /** Each refresh token works once; one that comes again was stolen by somebody, and ends the session for everybody. */
    async refresh(refreshToken: string, address: string): Promise<Tokens> {
      const rotation = await rotate(refreshToken, address);
      if ('refusal' in rotation)
        throw new DomainError('unauthenticated', `Cannot refresh: ${rotation.refusal}`);
      const access = await accessTokens.issue(rotation.user, rotation.sessionId);
      return {...access, refreshToken: rotation.code};
    },

    /** Idempotent; says nothing about tokens that are not known. */
    async logOut(refreshToken: string): Promise<void> {
      await sql.begin(async tx => {
        const found = await store.findRefreshToken(tx, digestCode(refreshToken));
        const user = found && (await findUser(tx, found.userId));
        if (!user) return;
        const {sessionId} = found;
        if (!(await store.endSession(tx, sessionId, {time: now(), reason: 'signed out'}))) return;
        const actor = `user:${user.username}`;
        const subject = `sessions/${sessionId}`;
        await appendEvent(tx, {id: newId(), time: now(), type: 'session.ended', actor, subject});
      });
    },

    /** Who a session belongs to, as they are now. Throws "unauthenticated" when it is over. */
    async getLiveUser(sessionId: string): Promise<UserRow> {
      const userId = await store.findUserOfSession(sql, sessionId, now());
      const user = userId && (await findUser(sql, userId));
      if (!user || user.disabled)
        throw new DomainError(
          'unauthenticated',
          'Cannot accept the token: its session has ended; sign in again',
        );
      return user;
    },
  };
}

/** Makes room, writes the session and tells of it; gives its id. */
export async function startSession(
  tx: Sql,
  newId: Deps['newId'],
  {
    user,
    browserKey,
    ...started
  }: Omit<store.NewSessionRow, 'id' | 'userId'> & {
    readonly user: UserRow;
    readonly browserKey?: store.BrowserKeyRow;
  },
): Promise<string> {
  const {createTime, address, method} = started;
  const id = newId();
  await store.deleteSessionsExpiredBefore(tx, createTime);
  await store.insertSession(tx, {id, userId: user.id, ...started}, browserKey);
  await appendEvent(tx, {
    id: newId(),
    time: createTime,
    type: 'session.started',
    actor: `user:${user.username}`,
    subject: `sessions/${id}`,
    data: {address, method, ...(browserKey ? {browser: true} : {})},
  });
  return id;
}
