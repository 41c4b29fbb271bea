import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as resets from '../store/password-resets.ts';
import {endSessionsOf} from '../store/sessions.ts';
import {findUser, updateUser, type UserRow} from '../store/users.ts';
import type {Deps} from './deps.ts';
import {type Asker, getUser, requireUserId} from './find-user.ts';
import {forgetFailedLoginsOf} from './login-throttle.ts';
import type {PasswordCheck} from './password-check.ts';
import {hashPassword} from './passwords.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';

const resetMs = 3_600_000;

export type PasswordChanges = ReturnType<typeof createPasswordChanges>;

/** How a password is replaced by its owner. Administrators set one with `users.update`. */
export function createPasswordChanges({
  sql,
  now,
  newId,
  checkPassword,
}: Deps & {readonly checkPassword: PasswordCheck}) {
  async function replace(
    tx: Sql,
    user: UserRow,
    {
      passwordHash,
      type,
      keepSession,
    }: {
      passwordHash: string;
      type: string;
      keepSession?: string | undefined;
    },
  ): Promise<void> {
    const time = now();
    await updateUser(tx, user.id, {passwordHash});
    await forgetFailedLoginsOf(tx, user.username);
    await resets.deletePasswordResets(tx, user.id);
    const reason = 'the password was changed';
    await endSessionsOf(tx, user.id, {time, reason, except: keepSession});
    const actor = `user:${user.username}`;
    await appendEvent(tx, {id: newId(), time, type, actor, subject: `users/${user.id}`});
  }

  return {
    /** Needs the old one; a session that was left open is no proof. One's other sessions end. */
    async change(
      asker: Asker,
      {current, next}: {readonly current: string; readonly next: string},
      address: string,
    ): Promise<void> {
      const user = await getUser(sql, requireUserId(asker));
      if (asker.apiTokenId !== undefined)
        throw new DomainError(
          'permission_denied',
          'Cannot change the password with an API token: sign in first',
        );
      await checkPassword({username: user.username, password: current}, address).catch(
        (error: unknown) => {
          throw isWrongPassword(error) ? wrongPresentPassword() : error;
        },
      );
      const passwordHash = await hashPassword(next);
      const type = 'user.password_changed';
      await sql.begin(tx => replace(tx, user, {passwordHash, type, keepSession: asker.sessionId}));
    },

    /** The code is shown once; an older one ends. The password stays until it is used. */
    async createReset(actor: string, idOrName: string): Promise<{code: string; expireTime: Date}> {
      const {code, sha256} = makeSecretCode('reset');
      const createTime = now();
      const expireTime = new Date(createTime.getTime() + resetMs);
      await sql.begin(async tx => {
        const {id, username} = await getUser(tx, idOrName);
        await resets.replacePasswordReset(tx, {userId: id, sha256, createTime, expireTime});
        await appendEvent(tx, {
          id: newId(),
          time: createTime,
          type: 'user.password_reset_created',
          actor,
          subject: `users/${id}`,
          data: {username},
        });
      });
      return {code, expireTime};
    },

    /** The code works once. All sessions end: whoever had the old password may have one. */
    async completeReset(code: string, password: string): Promise<void> {
      const sha256 = digestCode(code);
      // Before the costly hash, so that strangers cannot ask for it.
      if (!(await resets.hasPasswordReset(sql, sha256, now()))) throw badResetCode();
      const passwordHash = await hashPassword(password);
      await sql.begin(async tx => {
        const userId = await resets.takePasswordReset(tx, sha256, now());
        const user = userId && (await findUser(tx, userId));
        if (!user || user.disabled) throw badResetCode();
        await replace(tx, user, {passwordHash, type: 'user.password_reset'});
      });
    },
  };
}

const isWrongPassword = (error: unknown): boolean =>
  error instanceof DomainError && error.kind === 'unauthenticated';

/** Whoever asks is known by their session: "unauthenticated" would say that it has ended. */
const wrongPresentPassword = (): DomainError =>
  new DomainError(
    'permission_denied',
    'Cannot change the password: the present one is wrong; type it again, or ask an administrator for a reset code',
  );

function badResetCode(): DomainError {
  return new DomainError(
    'permission_denied',
    'Cannot reset the password: the code was used, replaced or is older than an hour; ask an administrator for a new one',
  );
}
