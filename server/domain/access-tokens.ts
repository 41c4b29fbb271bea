import {createPrivateKey, createPublicKey} from 'node:crypto';
import {jwtVerify, SignJWT} from 'jose';
import {DomainError} from '../errors.ts';
import type {MasterKey} from '../secrets.ts';
import type {Role, UserRow} from '../store/users.ts';
import {roles} from './roles.ts';

export const accessTokenSeconds = 15 * 60;
const issuer = 'muster';
const audience = 'muster-user';

/** Prefix of a PKCS#8 Ed25519 private key (RFC 8410, 7) before its 32 raw bytes. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export type TokenUser = {
  readonly id: string;
  readonly username: string;
  /** When it was issued: what counts is the user's role now. */
  readonly role: Role | 'member';
  readonly sessionId: string;
};

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** JWTs of signed-in people: EdDSA (RFC 8037), 15 minutes, the same signing key on every server of this master key. */
export function createAccessTokens({key, now}: {key: MasterKey; now: () => Date}) {
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, key.derive('user tokens')]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey);

  return {
    async issue(user: UserRow, sessionId: string): Promise<{token: string; expireTime: Date}> {
      const issued = Math.floor(now().getTime() / 1000);
      const expiry = issued + accessTokenSeconds;
      const token = await new SignJWT({role: user.role, username: user.username, sid: sessionId})
        .setProtectedHeader({alg: 'EdDSA', kid: issuer})
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(user.id)
        .setIssuedAt(issued)
        .setExpirationTime(expiry)
        .sign(privateKey);
      return {token, expireTime: new Date(expiry * 1000)};
    },

    /** Throws "unauthenticated" when the token is forged, expired, or meant for something else. */
    async verify(token: string): Promise<TokenUser> {
      const options = {algorithms: ['EdDSA'], issuer, audience, currentDate: now()};
      const {payload} = await jwtVerify(token, publicKey, options).catch((error: unknown) => {
        throw new DomainError(
          'unauthenticated',
          'Cannot accept the token: it has expired or is not valid; sign in again',
          {cause: error},
        );
      });
      const role = [...roles, 'member' as const].find(name => name === payload['role']);
      const {sub, username, sid} = payload;
      if (!sub || typeof username !== 'string' || typeof sid !== 'string' || !role)
        throw new DomainError('unauthenticated', 'Cannot accept the token: it names nobody');
      return {id: sub, username, role, sessionId: sid};
    },
  };
}
