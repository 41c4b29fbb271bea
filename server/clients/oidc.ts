import * as client from 'openid-client';
import {DomainError} from '../errors.ts';

const timeoutSeconds = 10;
/** The provider's addresses and rules are asked for again after this time; its keys by the library, when they change. */
const discoveryMs = 3_600_000;

export type OidcSettings = {
  readonly issuer: string;
  readonly clientId: string;
  /** Empty: a public client; PKCE is used in any case. */
  readonly clientSecret: string;
  readonly scopes: string;
};

export type OidcClaims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly sub: string;
};

/** What one sign-in keeps between its two halves. */
export type OidcAttempt = {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUrl: string;
};

/** Both throw DomainError: "unavailable" without a usable answer, "unauthenticated" when the answer is no. */
export type OidcProvider = {
  authorizationUrl(attempt: OidcAttempt): Promise<string>;
  /** The claims of the ID token and of the user info endpoint. */
  exchange(attempt: OidcAttempt, callbackQuery: string): Promise<OidcClaims>;
};

export function createOidcProvider(settings: OidcSettings): OidcProvider {
  let known: {readonly untilMs: number; readonly found: Promise<client.Configuration>} | undefined;

  function configuration(): Promise<client.Configuration> {
    if (known && known.untilMs > performance.now()) return known.found;
    const found = discover(settings);
    const entry = {untilMs: performance.now() + discoveryMs, found};
    known = entry;
    found.catch(() => {
      if (known === entry) known = undefined;
    });
    return found;
  }

  return {
    async authorizationUrl({state, nonce, codeVerifier, redirectUrl}) {
      const config = await configuration().catch(throwAsDomainError);
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUrl,
        scope: settings.scopes,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
      return url.href;
    },

    async exchange({state, nonce, codeVerifier, redirectUrl}, callbackQuery) {
      const url = new URL(redirectUrl);
      url.search = callbackQuery;
      try {
        const config = await configuration();
        const tokens = await client.authorizationCodeGrant(config, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (!claims) throw refusal('it holds no ID token');
        if (!config.serverMetadata().userinfo_endpoint) return claims;
        const more = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
        return {...more, ...claims};
      } catch (error) {
        return throwAsDomainError(error);
      }
    },
  };
}

async function discover({
  issuer,
  clientId,
  clientSecret,
}: OidcSettings): Promise<client.Configuration> {
  const url = new URL(issuer);
  const authentication = clientSecret ? client.ClientSecretPost(clientSecret) : client.None();
  return client.discovery(url, clientId, undefined, authentication, {
    timeout: timeoutSeconds,
    // The settings accept plain HTTP on the loopback only.
    execute: url.protocol === 'http:' ? [client.allowInsecureRequests] : [],
  });
}

/** Never with what the provider was sent or has answered: that holds tokens. */
function throwAsDomainError(error: unknown): never {
  if (error instanceof DomainError) throw error;
  if (
    error instanceof client.AuthorizationResponseError ||
    error instanceof client.ResponseBodyError
  )
    throw refusal(error.error);
  if (error instanceof client.WWWAuthenticateChallengeError)
    throw refusal('its user info endpoint wants another token');
  if (error instanceof client.ClientError && !unanswered.has(error.code ?? ''))
    throw refusal(error.message);
  throw new DomainError(
    'unavailable',
    'Cannot sign in by OIDC: the provider does not answer as it must; check OIDC_ISSUER, and try again',
    {cause: error},
  );
}

function refusal(why: string): DomainError {
  return new DomainError(
    'unauthenticated',
    `Cannot sign in by OIDC: the provider's answer was refused (${why}); begin again`,
  );
}

const unanswered: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
]);
