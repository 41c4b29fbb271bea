import {createOidcProvider, type OidcProvider} from './clients/oidc.ts';
import type {Config} from './config.ts';
import {createAccessTokens} from './domain/access-tokens.ts';
import {createBreakGlass} from './domain/break-glass.ts';
import {createBrowserSessions} from './domain/browser-sessions.ts';
import {createCallerView} from './domain/caller-view.ts';
import type {Deps} from './domain/deps.ts';
import {createOidcLogins} from './domain/oidc.ts';
import {roleMap} from './domain/oidc-rules.ts';
import {createPasswordChanges} from './domain/password-changes.ts';
import {createPasswordCheck} from './domain/password-check.ts';
import {rememberPasswords} from './domain/remembered-passwords.ts';
import {createSessionList} from './domain/session-list.ts';
import {createSessions} from './domain/sessions.ts';
import {createApiTokens} from './domain/tokens.ts';
import {createUsers} from './domain/users.ts';
import type {MasterKey} from './secrets.ts';

export type People = ReturnType<typeof createPeople>;

/** Every use case of users, sessions and tokens, wired by hand. */
export function createPeople({
  deps,
  key,
  config,
}: {
  readonly deps: Deps;
  readonly key: MasterKey;
  readonly config: Config;
}) {
  const {sql, now} = deps;
  const checkPassword = createPasswordCheck({sql, now});
  const accessTokens = createAccessTokens({key, now});
  const users = createUsers(deps);
  const sessions = createSessions({...deps, accessTokens, checkPassword});
  const browserSessions = createBrowserSessions({
    ...deps,
    checkPassword,
    limits: {
      idleMs: config.browserSessionIdleMinutes * 60_000,
      lifetimeMs: config.browserSessionHours * 3_600_000,
    },
  });
  return {
    accessTokens,
    users,
    breakGlass: createBreakGlass(deps),
    passwords: createPasswordChanges({...deps, checkPassword}),
    sessions,
    browserSessions,
    describeCaller: createCallerView(deps),
    oidc: createOidcLogins({
      ...deps,
      key,
      provider: oidcProvider(config),
      rules: {
        name: config.oidcName || (URL.parse(config.oidcIssuer)?.hostname ?? ''),
        roleClaim: config.oidcRoleClaim,
        usernameClaim: config.oidcUsernameClaim,
        roles: roleMap(config.oidcRoles),
        redirectUrls: [
          ...config.oidcRedirectUrls,
          ...(config.publicUrl ? [`${config.publicUrl}/oidc/callback`] : []),
        ],
      },
      sessions,
      browserSessions,
      users,
    }),
    sessionList: createSessionList(deps),
    apiTokens: createApiTokens(deps),
    checkRememberedPassword: rememberPasswords({sql, now, checkPassword}),
  };
}

function oidcProvider(config: Config): OidcProvider | undefined {
  const {oidcIssuer, oidcClientId, oidcClientSecret, oidcScopes} = config;
  if (!oidcIssuer || !oidcClientId) return undefined;
  return createOidcProvider({
    issuer: oidcIssuer,
    clientId: oidcClientId,
    clientSecret: oidcClientSecret,
    scopes: oidcScopes,
  });
}
