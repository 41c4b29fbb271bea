import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/sessions.ts';
import {findUser, findUserWithHash, type UserRow} from '../store/users.ts';
import type {AccessTokens} from './access-tokens.ts';
import type {Deps} from './deps.ts';
import {assertMayLogIn, countFailedLogin, forgetFailedLogins} from './login-throttle.ts';
import {verifyPassword} from './passwords.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';

const sessionMs = 30 * 24 * 3_600_000;

export type SignedIn = {
  readonly token: string;
  readonly expireTime: Date;
  readonly refreshToken: string;
  readonly user: UserRow;
};

export type Sessions = ReturnType<typeof createSessions>;

/** Signing in, staying in, signing out. Tokens are in no event and no log. */
export function createSessions({
  sql,
  now,
  newId,
  accessTokens,
}: Deps & {accessTokens: AccessTokens}) {
  /** Takes what was decided inside the transaction: what ends a session must commit although the caller is refused. */
  type Rotation =
    | {readonly refusal: string}
    | {readonly user: UserRow; sessionId: string; code: string};

  async function rotate(refreshToken: string): Promise<Rotation> {
    const sha256 = digestCode(refreshToken);
    return sql.begin(async tx => {
      const found = await store.findRefreshToken(tx, sha256);
      const user = found && (await findUser(tx, found.userId));
      if (!user || found.ended || found.expireTime <= now())
        return {refusal: 'the session has ended; sign in again'};

      const {sessionId} = found;
      const entry = {time: now(), actor: `user:${user.username}`, subject: `sessions/${sessionId}`};
      if (found.used) {
        await store.endSession(tx, sessionId, {time: now(), reason: 'refresh token used twice'});
        await appendEvent(tx, {id: newId(), type: 'session.token_reused', ...entry});
        return {
          refusal: 'the refresh token was used before, so the session was ended; sign in again',
        };
      }
      await store.markRefreshTokenUsed(tx, sha256, now());
      const next = makeSecretCode('refresh');
      await store.insertRefreshToken(tx, {sha256: next.sha256, sessionId, createTime: now()});
      await appendEvent(tx, {id: newId(), type: 'session.refreshed', ...entry});
      return {user, sessionId, code: next.code};
    });
  }

  return {
    /** Throws "unauthenticated" with one sentence for a wrong name and a wrong password. */
    async logIn(
      {username, password}: {username: string; password: string},
      address: string,
    ): Promise<SignedIn> {
      const attempt = {username, address, now: now()};
      await assertMayLogIn(sql, attempt);
      const found = await findUserWithHash(sql, username);
      if (!(await verifyPassword(password, found?.passwordHash)) || !found) {
        await countFailedLogin(sql, attempt);
        throw new DomainError(
          'unauthenticated',
          `Cannot sign in as "${username}": the name or the password is wrong`,
        );
      }

      const {passwordHash: _hidden, ...user} = found;
      const sessionId = newId();
      const refresh = makeSecretCode('refresh');
      const createTime = now();
      await sql.begin(async tx => {
        await forgetFailedLogins(tx, attempt);
        await store.deleteSessionsExpiredBefore(tx, createTime);
        const expireTime = new Date(createTime.getTime() + sessionMs);
        await store.insertSession(tx, {id: sessionId, userId: user.id, createTime, expireTime});
        await store.insertRefreshToken(tx, {sha256: refresh.sha256, sessionId, createTime});
        await appendEvent(tx, {
          id: newId(),
          time: createTime,
          type: 'session.started',
          actor: `user:${username}`,
          subject: `sessions/${sessionId}`,
          data: {address},
        });
      });
      const access = await accessTokens.issue(user, sessionId);
      return {...access, refreshToken: refresh.code, user};
    },

    /** Each refresh token works once; one that comes again was stolen by somebody, and ends the session for everybody. */
    async refresh(refreshToken: string): Promise<Omit<SignedIn, 'user'>> {
      const rotation = await rotate(refreshToken);
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
        const ended = await store.endSession(tx, found.sessionId, {
          time: now(),
          reason: 'signed out',
        });
        if (!ended) return;
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'session.ended',
          actor: `user:${user.username}`,
          subject: `sessions/${found.sessionId}`,
        });
      });
    },
  };
}
