import {createPrivateKey, createPublicKey, type KeyObject} from 'node:crypto';
import {fromPublic, fromSeed} from '@nats-io/nkeys';
import {type JWTPayload, jwtVerify, SignJWT} from 'jose';

/** Prefix of a PKCS#8 Ed25519 private key (RFC 8410, 7) before its 32 raw bytes. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Services, edges and agents have one Ed25519 key each, in NATS form: seed "SU…", public "U…". */
export function privateKeyOf(seed: string): KeyObject {
  fromSeed(Buffer.from(seed)).clear();
  return createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, decodeBase32(seed).subarray(2, 34)]),
    format: 'der',
    type: 'pkcs8',
  });
}

export function publicKeyOf(publicKey: string): KeyObject {
  fromPublic(publicKey);
  const raw = decodeBase32(publicKey).subarray(1, 33);
  return createPublicKey({
    key: {kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url')},
    format: 'jwk',
  });
}

export type TokenPurpose = 'service' | 'boot';

/** A short-lived JWT (EdDSA, RFC 8037) signed by the caller's own key; `issuer` is the service id. */
export function signToken({
  key,
  issuer,
  purpose,
  lifetimeSeconds,
  claims = {},
}: {
  key: KeyObject;
  issuer: string;
  purpose: TokenPurpose;
  lifetimeSeconds: number;
  claims?: JWTPayload;
}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({alg: 'EdDSA', kid: issuer})
    .setIssuer(issuer)
    .setAudience(`muster-${purpose}`)
    .setIssuedAt()
    .setExpirationTime(`${lifetimeSeconds}s`)
    .sign(key);
}

/** Throws when the token is forged, expired, or meant for something else. `findKey` gives the issuer's public key ("U…"). */
export async function verifyToken(
  token: string,
  purpose: TokenPurpose,
  findKey: (issuer: string) => Promise<string | undefined>,
): Promise<JWTPayload & {readonly iss: string}> {
  const {payload, protectedHeader} = await jwtVerify(
    token,
    async header => {
      const known = header.kid ? await findKey(header.kid) : undefined;
      if (!known) throw new Error('Unknown issuer');
      return publicKeyOf(known);
    },
    {
      algorithms: ['EdDSA'],
      audience: `muster-${purpose}`,
      clockTolerance: 5,
      requiredClaims: ['iat', 'exp'],
    },
  );
  const {iss} = payload;
  // The key was looked up by the header: whoever signs speaks for itself only.
  if (!iss || iss !== protectedHeader.kid) throw new Error('A token that names another issuer');
  return {...payload, iss};
}

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, 6, without padding. The nkeys library has checked prefix and checksum before, but does not give the raw bytes. */
function decodeBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | base32Alphabet.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}
