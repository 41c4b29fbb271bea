import {createCipheriv, createDecipheriv, hkdfSync, randomBytes} from 'node:crypto';
import {link, mkdir, open, readFile, rm, stat} from 'node:fs/promises';
import {dirname} from 'node:path';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D), the secret's name as associated data. */
const cipher = 'aes-256-gcm';

/** The one key of an installation: seals what lies in PostgreSQL and gives keys for single purposes. */
export type MasterKey = {
  seal(name: string, secret: Uint8Array): Buffer;
  /** Throws when the secret was sealed by another key or under another name. */
  open(name: string, sealed: Uint8Array): Buffer;
  /** 32 bytes for one purpose (HKDF-SHA-256, RFC 5869); the same for every server with this master key. */
  derive(purpose: string): Buffer;
};

/** Reads the key file; makes it, readable by its owner only, when there is none. Several processes may start at once. */
export async function loadMasterKey(path: string): Promise<MasterKey> {
  const key = (await readKey(path)) ?? (await makeKey(path));
  if (key.length !== keyBytes)
    throw new Error(
      `Cannot use master key "${path}": expected ${keyBytes} bytes, found ${key.length}`,
    );
  return masterKey(key);
}

export function masterKey(key: Uint8Array): MasterKey {
  const sealingKey = derive(key, 'seal');
  return {
    seal(name, secret) {
      const nonce = randomBytes(nonceBytes);
      const encrypt = createCipheriv(cipher, sealingKey, nonce).setAAD(Buffer.from(name));
      return Buffer.concat([nonce, encrypt.update(secret), encrypt.final(), encrypt.getAuthTag()]);
    },
    open(name, sealed) {
      const bytes = Buffer.from(sealed);
      const decrypt = createDecipheriv(cipher, sealingKey, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(name))
        .setAuthTag(bytes.subarray(-tagBytes));
      try {
        return Buffer.concat([
          decrypt.update(bytes.subarray(nonceBytes, -tagBytes)),
          decrypt.final(),
        ]);
      } catch (error) {
        throw new Error(
          `Cannot open secret "${name}": it was sealed with another master key; start with the key file of this database`,
          {cause: error},
        );
      }
    },
    derive: purpose => derive(key, purpose),
  };
}

const derive = (key: Uint8Array, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `muster ${purpose}`, keyBytes));

async function readKey(path: string): Promise<Buffer | undefined> {
  try {
    const {mode} = await stat(path);
    if ((mode & 0o077) !== 0)
      throw new Error(`Cannot use master key "${path}": others may read it; run chmod 600 on it`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A hard link is made by one process only; whoever loses reads the winner's key. */
async function makeKey(path: string): Promise<Buffer> {
  await mkdir(dirname(path), {recursive: true, mode: 0o700});
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(randomBytes(keyBytes));
    await file.sync();
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, {force: true});
  }
  const key = await readKey(path);
  if (!key) throw new Error(`Cannot make master key "${path}": it vanished`);
  return key;
}
