import {verifyToken} from '@muster/runtime/tokens.ts';
import {DomainError} from '../errors.ts';
import {parseMacAddress} from './identifiers.ts';

/** What an edge vouches for: somebody on its boot network asked for this, as it says. */
export type BootToken = {
  readonly id: string;
  readonly session: string;
  /** Undefined when the request named none. */
  readonly macAddress: string | undefined;
  readonly ipAddress: string;
  /** Who has that address as the edge's neighbour table says, when it is not that MAC. */
  readonly otherNeighbour: string | undefined;
  readonly imageId: string;
  readonly expireTime: Date;
};

export type VerifyBootToken = (token: string) => Promise<BootToken>;

/** A token that claims to last longer than this was not made by an edge (docs/boot.md: 15 minutes). */
const lifetimeSecondsMax = 16 * 60;
const idLengthMax = 128;

/** `findEdgeKey` gives the public key ("U…") of an edge that may sign, and undefined for all others. */
export function createBootTokenVerifier(
  findEdgeKey: (serviceId: string) => Promise<string | undefined>,
): VerifyBootToken {
  /** Throws unauthenticated with reason TOKEN_EXPIRED or TOKEN_INVALID. */
  return async token => {
    const claims = await verifyToken(token, 'boot', findEdgeKey).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_JWT_EXPIRED')
        throw new DomainError(
          'unauthenticated',
          'Cannot enrol: the boot token has expired; fetch a new one from "token_url"',
          {reason: 'TOKEN_EXPIRED'},
        );
      throw invalid('it is not signed by an edge of this site', error);
    });
    const {jti, sid, iat, exp, mac, ip, img, nmac} = claims;
    if (typeof jti !== 'string' || jti === '' || jti.length > idLengthMax)
      throw invalid('it has no id');
    if (iat === undefined || exp === undefined || exp - iat > lifetimeSecondsMax)
      throw invalid('it lasts too long');
    return {
      id: `${claims.iss}/${jti}`,
      session: typeof sid === 'string' ? sid.slice(0, 64) : '',
      macAddress: typeof mac === 'string' ? parseMacAddress(mac) : undefined,
      otherNeighbour: typeof nmac === 'string' ? parseMacAddress(nmac) : undefined,
      ipAddress: typeof ip === 'string' ? ip.slice(0, 64) : '',
      imageId: typeof img === 'string' ? img.slice(0, 64) : '',
      expireTime: new Date(exp * 1000),
    };
  };
}

function invalid(why: string, cause?: unknown): DomainError {
  return new DomainError('unauthenticated', `Cannot enrol: the boot token is not valid, ${why}`, {
    reason: 'TOKEN_INVALID',
    cause,
  });
}
