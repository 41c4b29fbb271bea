import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/sessions.ts';
import {findUser} from '../store/users.ts';
import type {Deps} from './deps.ts';
import {type Asker, assertNotByToken, isAdministrator, resolveOwner} from './find-user.ts';
import {parsePageToken} from './ids.ts';

const pageSizeDefault = 50;

export type SessionList = ReturnType<typeof createSessionList>;

/** Which sessions there are, and ending them from outside. People see their own; administrators see all. */
export function createSessionList({sql, now, newId}: Deps) {
  return {
    async list(
      asker: Asker,
      {userId, pageSize, pageToken}: {userId: string; pageSize: number; pageToken: string},
    ) {
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listSessions(sql, {
        userId: await resolveOwner(sql, asker, userId),
        before: parsePageToken(pageToken),
        now: now(),
        limit: limit + 1,
      });
      const sessions = rows.slice(0, limit);
      return {sessions, nextPageToken: rows.length > limit ? (sessions.at(-1)?.id ?? '') : ''};
    },

    /** Somebody else's is as if it were not there, but for administrators. */
    async revoke(asker: Asker, id: string): Promise<void> {
      assertNotByToken(asker, 'revoke a session');
      await sql.begin(async tx => {
        const userId = await store.findUserOfSession(tx, id, now());
        const mayEnd = userId !== undefined && (isAdministrator(asker) || userId === asker.userId);
        const reason = `revoked by ${asker.name}`;
        if (!mayEnd || !(await store.endSession(tx, id, {time: now(), reason})))
          throw new DomainError('not_found', `Cannot revoke session "${id}": no such live session`);
        const username = (await findUser(tx, userId))?.username;
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'session.revoked',
          actor: asker.name,
          subject: `sessions/${id}`,
          data: {username},
        });
      });
    },

    /** All of one user; of one's own all but the one that asks. Gives their number. */
    async revokeAll(asker: Asker, ownerIdOrName: string): Promise<number> {
      assertNotByToken(asker, 'revoke sessions');
      const userId = await resolveOwner(sql, asker, ownerIdOrName);
      if (userId === undefined)
        throw new DomainError(
          'invalid_argument',
          "Cannot revoke everybody's sessions at once: name one user",
        );
      return sql.begin(async tx => {
        const reason = `revoked by ${asker.name}`;
        const except = asker.sessionId;
        const count = await store.endSessionsOf(tx, userId, {time: now(), reason, except});
        const subject = `users/${userId}`;
        const entry = {type: 'session.all_revoked', actor: asker.name, subject, data: {count}};
        await appendEvent(tx, {id: newId(), time: now(), ...entry});
        return count;
      });
    },
  };
}
