import type {MasterKey} from './secrets.ts';
import {createAccessTokens} from './domain/access-tokens.ts';
import {createBreakGlass} from './domain/break-glass.ts';
import type {Deps} from './domain/deps.ts';
import {createPasswordChanges} from './domain/password-changes.ts';
import {createPasswordCheck} from './domain/password-check.ts';
import {rememberPasswords} from './domain/remembered-passwords.ts';
import {createSessionList} from './domain/session-list.ts';
import {createSessions} from './domain/sessions.ts';
import {createApiTokens} from './domain/tokens.ts';
import {createUsers} from './domain/users.ts';

export type People = ReturnType<typeof createPeople>;

/** Every use case of users, sessions and tokens, wired by hand. */
export function createPeople({deps, key}: {readonly deps: Deps; readonly key: MasterKey}) {
  const {sql, now} = deps;
  const checkPassword = createPasswordCheck({sql, now});
  const accessTokens = createAccessTokens({key, now});
  return {
    accessTokens,
    users: createUsers(deps),
    breakGlass: createBreakGlass(deps),
    passwords: createPasswordChanges({...deps, checkPassword}),
    sessions: createSessions({...deps, accessTokens, checkPassword}),
    sessionList: createSessionList(deps),
    apiTokens: createApiTokens(deps),
    checkRememberedPassword: rememberPasswords({sql, now, checkPassword}),
  };
}
