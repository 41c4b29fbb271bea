import {timingSafeEqual} from 'node:crypto';
import {verifyToken} from '@muster/runtime/tokens.ts';
import {decodeJwt} from 'jose';
import type {AccessTokens} from '../domain/access-tokens.ts';
import type {BrowserSessions} from '../domain/browser-sessions.ts';
import type {PasswordCheck} from '../domain/password-check.ts';
import {rightsOf} from '../domain/roles.ts';
import {digestCode} from '../domain/secret-codes.ts';
import type {Services} from '../domain/services.ts';
import type {Sessions} from '../domain/sessions.ts';
import {type ApiTokens, apiTokenPrefix} from '../domain/tokens.ts';
import type {Users} from '../domain/users.ts';
import {DomainError} from '../errors.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import type {UserRow} from '../store/users.ts';
import type {Credential, Identify, Identity} from './caller.ts';

const serviceAudience = 'muster-service';

export type IdentifyOptions = {
  readonly accessTokens: AccessTokens;
  readonly sessions: Sessions;
  readonly browserSessions: BrowserSessions;
  readonly apiTokens: ApiTokens;
  /** Of HTTP Basic. */
  readonly checkPassword: PasswordCheck;
  readonly users: Users;
  readonly services: Services;
  readonly localTokenSha256: Buffer | undefined;
};

/**
 * Who a credential is: the local administrator of this run of the server, a service (its own signature, two minutes), or a person, by the access
 * token of a session, the cookie of one, an API token or a password. A person's rights are those that the database tells now, not those at the time of the
 * token. Throws DomainError "unauthenticated" when it is none.
 */
export function createIdentify(options: IdentifyOptions): Identify {
  const {services, localTokenSha256} = options;

  async function identifyToken(token: string, address: string): Promise<Identity> {
    if (localTokenSha256 && timingSafeEqual(digestCode(token), localTokenSha256))
      return {name: 'local', role: 'admin'};
    if (token.startsWith(apiTokenPrefix)) return identifyApiToken(token, address, options);
    if (audienceOf(token) === serviceAudience) return identifyService(token, services);
    return identifySession(token, options);
  }

  async function identifyPassword(
    credentials: {readonly username: string; readonly password: string},
    address: string,
  ): Promise<Identity> {
    const {username, password} = credentials;
    if (!password.startsWith(apiTokenPrefix))
      return identityOf(await options.checkPassword(credentials, address));
    const identity = await identifyToken(password, address);
    if (identity.name === `user:${username}`) return identity;
    throw new DomainError(
      'unauthenticated',
      `Cannot accept the API token: it is not one of user "${username}"`,
    );
  }

  async function prove(credential: Credential, address: string): Promise<Identity> {
    if (credential.scheme === 'bearer') return identifyToken(credential.token, address);
    if (credential.scheme === 'basic') return identifyPassword(credential, address);
    if (credential.scheme === 'cookie') return identifyCookie(credential.secret, address, options);
    return identityOf(await options.users.getByCertificate(credential));
  }

  const identify: Identify = async (credential, address) => {
    const identity = await prove(credential, address);
    // An access token may expire while its session goes on.
    return {recheck: () => identify(credential, address), ...identity};
  };
  return identify;
}

const identityOf = (user: UserRow): Identity => ({
  name: `user:${user.username}`,
  ...rightsOf(user),
  userId: user.id,
});

async function identifySession(
  token: string,
  {accessTokens, sessions}: IdentifyOptions,
): Promise<Identity> {
  const {sessionId} = await accessTokens.verify(token);
  return identityOfSession(sessionId, sessions);
}

/** What an open stream asks again is no use of the session: one that nobody uses ends its streams, too. */
async function identifyCookie(
  secret: string,
  address: string,
  {browserSessions, sessions}: IdentifyOptions,
): Promise<Identity> {
  const {user, sessionId} = await browserSessions.identify(secret, address);
  return {
    ...identityOf(user),
    sessionId,
    recheck: () => identityOfSession(sessionId, sessions),
  };
}

async function identityOfSession(sessionId: string, sessions: Sessions): Promise<Identity> {
  const identify = async (): Promise<Identity> => ({
    ...identityOf(await sessions.getLiveUser(sessionId)),
    sessionId,
    recheck: identify,
  });
  return identify();
}

async function identifyApiToken(
  secret: string,
  address: string,
  {apiTokens}: IdentifyOptions,
): Promise<Identity> {
  const {token, user, rights} = await apiTokens.identify(secret, address);
  return {...identityOf(user), ...rights, apiTokenId: token.id};
}

async function identifyService(token: string, services: Services): Promise<Identity> {
  const {iss} = await verifyToken(token, 'service', services.findServiceKey).catch(
    (error: unknown) => {
      if (isDatabaseUnavailable(error)) throw error;
      throw new DomainError(
        'unauthenticated',
        'Cannot accept the service token: it is not valid, has expired, or the service was revoked',
        {cause: error},
      );
    },
  );
  const recheck = async (): Promise<Identity> => {
    const service = await services.findLive(iss);
    if (!service)
      throw new DomainError('unauthenticated', 'Cannot accept the token: unknown service');
    const {id, kind, name} = service;
    return {name: `${kind}:${name}`, role: kind, serviceId: id, serviceKind: kind, recheck};
  };
  return recheck();
}

/** What it claims to be for, before anything is proved. */
function audienceOf(token: string): string | undefined {
  try {
    const {aud} = decodeJwt(token);
    return typeof aud === 'string' ? aud : undefined;
  } catch {
    // No JWT at all: nobody's token, which the check for persons says.
    return undefined;
  }
}
