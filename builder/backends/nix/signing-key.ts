import {generateKeyPairSync} from 'node:crypto';
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';

export type SigningKey = {
  /** Of the secret key; only its path ever stands on a command line. */
  readonly file: string;
  /** "<key name>:<base64>", for `trusted-public-keys` of machines. */
  readonly publicKey: string;
};

/** Reads the key of an earlier start or makes one (0600), in the form of `nix key generate-secret`. */
export async function loadSigningKey(directory: string, keyName: string): Promise<SigningKey> {
  await mkdir(directory, {recursive: true, mode: 0o700});
  const file = path.join(directory, 'cache-key.secret');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const secret = text?.trim() ?? (await makeKey(file, keyName));
  const colon = secret.indexOf(':');
  // The secret part is the seed, then the public key.
  const publicPart = Buffer.from(secret.slice(colon + 1), 'base64').subarray(32);
  return {file, publicKey: `${secret.slice(0, colon)}:${publicPart.toString('base64')}`};
}

async function makeKey(file: string, keyName: string): Promise<string> {
  const {d, x} = generateKeyPairSync('ed25519').privateKey.export({format: 'jwk'});
  const bytes = Buffer.concat([
    Buffer.from(d ?? '', 'base64url'),
    Buffer.from(x ?? '', 'base64url'),
  ]);
  const secret = `${keyName}:${bytes.toString('base64')}`;
  await writeFile(`${file}.partial`, `${secret}\n`, {mode: 0o600, flush: true});
  await rename(`${file}.partial`, file);
  return secret;
}
