import {createPublicKey, verify} from 'node:crypto';

/** What a binary cache says about one store path (nix, src/libstore/nar-info.cc). */
export type NarInfo = {
  readonly storePath: string;
  /** Relative to the cache. */
  readonly url: string;
  readonly narHash: string;
  readonly narSize: number;
  /** Base names. */
  readonly references: readonly string[];
  /** "<key name>:<base64>" */
  readonly signatures: readonly string[];
};

export function parseNarInfo(text: string): NarInfo {
  const fields = new Map<string, string>();
  const signatures: string[] = [];
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === 'Sig') signatures.push(value);
    else if (name !== undefined) fields.set(name, value);
  }
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`Cannot read the narinfo: "${name}" is missing`);
    return value;
  };
  return {
    storePath: field('StorePath'),
    url: field('URL'),
    narHash: field('NarHash'),
    narSize: Number(field('NarSize')),
    references: (fields.get('References') ?? '').split(' ').filter(name => name !== ''),
    signatures,
  };
}

/** What is signed: the path, its content and what it refers to, whatever the compression. */
export function fingerprintOf({storePath, narHash, narSize, references}: NarInfo): string {
  const folder = storePath.slice(0, storePath.lastIndexOf('/') + 1);
  const paths = references.map(name => `${folder}${name}`);
  return `1;${storePath};${narHash};${narSize};${paths.join(',')}`;
}

/** DER of an Ed25519 public key up to the 32 bytes of the key (RFC 8410). */
const publicKeyPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Whether one of the signatures is by this key, "<key name>:<base64>". */
export function isSignedBy(info: NarInfo, publicKey: string): boolean {
  const [name = '', encoded = ''] = publicKey.split(':');
  const key = createPublicKey({
    key: Buffer.concat([publicKeyPrefix, Buffer.from(encoded, 'base64')]),
    format: 'der',
    type: 'spki',
  });
  return info.signatures
    .filter(signature => signature.startsWith(`${name}:`))
    .some(signature =>
      verify(
        null,
        Buffer.from(fingerprintOf(info)),
        key,
        Buffer.from(signature.slice(name.length + 1), 'base64'),
      ),
    );
}
