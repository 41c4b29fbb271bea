import {randomBytes} from 'node:crypto';
import type {OidcAttempt, OidcClaims, OidcProvider} from '../clients/oidc.ts';
import {DomainError} from '../errors.ts';
import type {MasterKey} from '../secrets.ts';
import {findOidcUserId, setOidcName} from '../store/oidc-users.ts';
import {endSessionsOf} from '../store/sessions.ts';
import {findUser, type Role, type UserRow} from '../store/users.ts';
import type {Deps} from './deps.ts';
import {networkOf} from './login-throttle.ts';
import {isAllowedRedirect, mapRole, userNameOf} from './oidc-rules.ts';
import {createRateLimit} from './rate-limit.ts';
import type {BrowserEntry, BrowserSessions, SignedInBrowser} from './browser-sessions.ts';
import type {Sessions, SignedIn} from './sessions.ts';
import {insertUser, type Users} from './users.ts';

const attemptMs = 10 * 60_000;
const sealName = 'oidc login';
/** Of one address: each attempt makes the server ask the provider. */
const attemptsPerMinuteMax = 30;
const addressesMax = 10_000;

export type OidcRules = {
  /** Of the provider, for people. */
  readonly name: string;
  /** Which claims hold the groups and the user name. */
  readonly roleClaim: string;
  readonly usernameClaim: string;
  /** Group → role. */
  readonly roles: ReadonlyMap<string, Role | 'member'>;
  readonly redirectUrls: readonly string[];
};

/** What the two halves of a sign-in have brought. */
export type OidcAnswer = {readonly loginSecret: string; readonly callbackUrl: string};

export type OidcLogins = ReturnType<typeof createOidcLogins>;

/**
 * Signing in at a provider. What the two halves of a sign-in share is sealed into the secret that the first one gives out, so nothing is
 * stored for those who never come back.
 */
export function createOidcLogins({
  sql,
  now,
  newId,
  key,
  provider,
  rules,
  sessions,
  browserSessions,
  users,
}: Deps & {
  readonly key: MasterKey;
  /** Undefined: not set up. */
  readonly provider: OidcProvider | undefined;
  readonly rules: OidcRules;
  readonly sessions: Sessions;
  readonly browserSessions: BrowserSessions;
  readonly users: Users;
}) {
  const limit = createRateLimit({
    perMinuteMax: attemptsPerMinuteMax,
    keysMax: addressesMax,
    now,
  });

  function enter(address: string): OidcProvider {
    if (!provider)
      throw new DomainError(
        'failed_precondition',
        'Cannot sign in by OIDC: the server has no provider; set OIDC_ISSUER and OIDC_CLIENT_ID',
      );
    if (!limit.allow(networkOf(address)))
      throw new DomainError(
        'resource_exhausted',
        'Cannot sign in by OIDC: too many attempts from this address; try again in 60 seconds',
        {retryAfterSeconds: 60},
      );
    return provider;
  }

  /** As the claims say now, in what was known before. */
  async function admit(claims: OidcClaims): Promise<UserRow> {
    const name = {issuer: claims.iss, subject: claims.sub};
    const email = typeof claims['email'] === 'string' ? claims['email'].slice(0, 254) : '';
    const role = mapRole(claims[rules.roleClaim], rules.roles);
    const knownId = await findOidcUserId(sql, name);
    if (!role) {
      const reason = 'the provider gives no role any more';
      if (knownId) await endSessionsOf(sql, knownId, {time: now(), reason});
      throw new DomainError(
        'permission_denied',
        `Cannot sign in by OIDC: claim "${rules.roleClaim}" names no group that has a role here; ask an administrator`,
      );
    }
    if (!knownId) {
      const username = userNameOf(claims[rules.usernameClaim], rules.usernameClaim);
      const actor = `oidc:${claims.iss}`;
      return sql.begin(async tx => {
        const made = {username, email, role, actor, passwordHash: null};
        const user = await insertUser(tx, {now, newId}, made);
        await setOidcName(tx, user.id, name);
        return user;
      });
    }
    const known = await findUser(sql, knownId);
    if (!known || known.disabled)
      throw new DomainError(
        'permission_denied',
        'Cannot sign in by OIDC: the account is disabled; ask an administrator',
      );
    if (known.role === role && known.email === email) return known;
    return users.update(`oidc:${claims.iss}`, knownId, {role, email});
  }

  /** The person whom the provider has sent back. */
  async function identify(answer: OidcAnswer, address: string): Promise<UserRow> {
    const asked = enter(address);
    const attempt = openSecret(answer.loginSecret);
    const query = URL.parse(answer.callbackUrl)?.search ?? '';
    return admit(await asked.exchange(attempt, query));
  }

  return {
    /** Undefined: it is not set up. */
    providerName: provider && rules.name,

    async begin(
      redirectUrl: string,
      address: string,
    ): Promise<{authorizationUrl: string; loginSecret: string}> {
      const asked = enter(address);
      if (!isAllowedRedirect(redirectUrl, rules.redirectUrls))
        throw new DomainError(
          'invalid_argument',
          `Cannot sign in by OIDC: "${redirectUrl}" is neither in OIDC_REDIRECT_URLS nor http://127.0.0.1:<port>/…`,
        );
      const attempt = {
        state: randomBytes(32).toString('base64url'),
        nonce: randomBytes(32).toString('base64url'),
        codeVerifier: randomBytes(32).toString('base64url'),
        redirectUrl,
      };
      const authorizationUrl = await asked.authorizationUrl(attempt);
      const sealed = key.seal(
        sealName,
        Buffer.from(JSON.stringify({...attempt, untilMs: now().getTime() + attemptMs})),
      );
      return {authorizationUrl, loginSecret: sealed.toString('base64url')};
    },

    async complete(answer: OidcAnswer, address: string): Promise<SignedIn> {
      const user = await identify(answer, address);
      const opened = await sql.begin(tx => sessions.open(tx, user, {method: 'oidc', address}));
      return sessions.issue(user, opened);
    },

    async completeInBrowser(
      answer: OidcAnswer,
      entry: Omit<BrowserEntry, 'method'>,
    ): Promise<SignedInBrowser> {
      const user = await identify(answer, entry.address);
      return sql.begin(tx => browserSessions.open(tx, user, {method: 'oidc', ...entry}));
    },
  };

  function openSecret(loginSecret: string): OidcAttempt {
    try {
      const text = key.open(sealName, Buffer.from(loginSecret, 'base64url')).toString();
      const {untilMs, ...attempt} = JSON.parse(text) as OidcAttempt & {untilMs: number};
      if (untilMs > now().getTime()) return attempt;
    } catch (error) {
      throw badSecret(error);
    }
    throw badSecret();
  }
}

function badSecret(cause?: unknown): DomainError {
  return new DomainError(
    'unauthenticated',
    'Cannot sign in by OIDC: login_secret is not that of a sign-in of the last 10 minutes; begin again',
    {cause},
  );
}
