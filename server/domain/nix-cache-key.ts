import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type {MasterKey} from '../secrets.ts';
import type {Deps} from './deps.ts';
import {getOrMakeSecret} from './sealed-secrets.ts';

/** Signs what machines fetch from the binary cache of their edge. */
export type NixCacheKey = {
  /** "NAME:BASE64", for `trusted-public-keys`. */
  readonly publicKey: string;
  /** "NAME:BASE64" */
  readonly sign: (text: string) => string;
};

/** The site's own, made once and sealed in PostgreSQL: machines trust it whichever builder made their image. */
export async function loadNixCacheKey(
  deps: Pick<Deps, 'sql' | 'now'> & {key: MasterKey},
): Promise<NixCacheKey> {
  const sealed = await getOrMakeSecret(deps, 'nix-cache', async () =>
    generateKeyPairSync('ed25519').privateKey.export({format: 'der', type: 'pkcs8'}),
  );
  return nixCacheKeyOf(createPrivateKey({key: sealed, format: 'der', type: 'pkcs8'}));
}

export function nixCacheKeyOf(privateKey: KeyObject): NixCacheKey {
  const {x = ''} = createPublicKey(privateKey).export({format: 'jwk'});
  const bytes = Buffer.from(x, 'base64url');
  // Nix keeps one key under each name: two sites must not share one.
  const name = `muster-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
  return {
    publicKey: `${name}:${bytes.toString('base64')}`,
    sign: text => `${name}:${sign(null, Buffer.from(text), privateKey).toString('base64')}`,
  };
}

/** Whether one of these signatures ("NAME:BASE64") is by the key of that name. */
export function isSignedBy(
  text: string,
  signatures: readonly string[],
  publicKey: string,
): boolean {
  const [name = '', encoded = ''] = publicKey.split(':');
  const x = Buffer.from(encoded, 'base64').toString('base64url');
  const key = createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x}, format: 'jwk'});
  return signatures
    .filter(signature => signature.startsWith(`${name}:`))
    .some(signature =>
      verify(null, Buffer.from(text), key, Buffer.from(signature.slice(name.length + 1), 'base64')),
    );
}
