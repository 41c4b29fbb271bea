import {randomBytes} from 'node:crypto';
import {revokeApiTokensOf} from '../store/api-tokens.ts';
import {appendEvent} from '../store/events.ts';
import {deletePasswordResets} from '../store/password-resets.ts';
import {putRoleBinding} from '../store/role-bindings.ts';
import {endSessionsOf} from '../store/sessions.ts';
import {findUserByName, updateUser, type UserRow} from '../store/users.ts';
import type {Deps} from './deps.ts';
import {getUser} from './find-user.ts';
import {forgetFailedLoginsOf} from './login-throttle.ts';
import {hashPassword} from './passwords.ts';
import {insertUser} from './users.ts';

export type BreakGlass = (
  actor: string,
  username: string,
) => Promise<{readonly user: UserRow; readonly password: string}>;

/**
 * For the day on which nobody gets in: one administrator, made or repaired, enabled, with a new password that is shown once. Whatever the
 * account had before ends, because somebody else may hold it.
 */
export function createBreakGlass({sql, now, newId}: Deps): BreakGlass {
  return async (actor, username) => {
    const password = randomBytes(18).toString('base64url');
    const passwordHash = await hashPassword(password);
    const user = await sql.begin(async tx => {
      const time = now();
      const known = await findUserByName(tx, username);
      const {id} =
        known ??
        (await insertUser(
          tx,
          {now, newId},
          {username, email: '', role: 'admin', actor, passwordHash},
        ));
      await updateUser(tx, id, {passwordHash, disableTime: null});
      await putRoleBinding(tx, {userId: id, workspaceId: null, role: 'admin', createTime: time});
      await forgetFailedLoginsOf(tx, username);
      await deletePasswordResets(tx, id);
      await endSessionsOf(tx, id, {time, reason: 'break glass'});
      await revokeApiTokensOf(tx, id, time);
      await appendEvent(tx, {
        id: newId(),
        time,
        type: 'user.administrator_reset',
        actor,
        subject: `users/${id}`,
        data: {username, made: known === undefined},
      });
      return getUser(tx, id);
    });
    return {user, password};
  };
}
