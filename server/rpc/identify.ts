import {timingSafeEqual} from 'node:crypto';
import {verifyToken} from '@muster/runtime/tokens.ts';
import {decodeJwt} from 'jose';
import type {AccessTokens} from '../domain/access-tokens.ts';
import {digestCode} from '../domain/secret-codes.ts';
import type {Services} from '../domain/services.ts';
import {DomainError} from '../errors.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import type {Identify, Identity} from './caller.ts';

const serviceAudience = 'muster-service';

/**
 * Who a bearer token is: the local administrator's of this run of the server, a service's own (signed by its key, two minutes), or a
 * person's. Throws DomainError "unauthenticated" when it is none.
 */
export function createIdentify({
  accessTokens,
  services,
  localTokenSha256,
}: {
  accessTokens: AccessTokens;
  services: Services;
  localTokenSha256: Buffer | undefined;
}): Identify {
  return async token => {
    if (localTokenSha256 && timingSafeEqual(digestCode(token), localTokenSha256))
      return {name: 'local', role: 'admin'};
    if (audienceOf(token) === serviceAudience) return identifyService(token, services);
    const {id, username, role} = await accessTokens.verify(token);
    return {name: `user:${username}`, role, userId: id};
  };
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
  const service = await services.findLive(iss);
  if (!service)
    throw new DomainError('unauthenticated', 'Cannot accept the token: unknown service');
  const {id, kind, name} = service;
  return {name: `${kind}:${name}`, role: kind, serviceId: id, serviceKind: kind};
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
