import {generateKeyPairSync, type KeyObject, sign} from 'node:crypto';

/** The key pair of this boot. The private part lives in this process and nowhere else. */
export type Identity = {
  /** A NATS user key: "U…". */
  readonly publicKey: string;
  /** Ed25519. */
  sign(text: string): Buffer;
};

/** By node:crypto: the JavaScript Ed25519 of @nats-io/nkeys takes a second a signature on a machine without a fast CPU. */
export function createIdentity(): Identity {
  const {publicKey, privateKey} = generateKeyPairSync('ed25519');
  return {
    publicKey: encodeUserKey(publicKey),
    sign: text => sign(undefined, Buffer.from(text), privateKey),
  };
}

/** What `RenewAgentRequest.signature` covers: the proof that the caller holds the machine's key now. */
export function signRenewal(identity: Identity, machineId: string, nonce: string): string {
  return identity.sign(`muster-renew-v1\n${machineId}\n${nonce}`).toString('base64');
}

/** For the NATS client, which calls it synchronously at each login and closes for good when it throws: it gives what is there. */
export function createAuthenticator(identity: Identity, jwt: () => string) {
  return (nonce?: string) => ({
    jwt: jwt(),
    nkey: identity.publicKey,
    sig: identity.sign(nonce ?? '').toString('base64url'),
  });
}

/** The prefix byte of user keys, which makes them begin with "U" (github.com/nats-io/nkeys, README). */
const userPrefix = 20 << 3;
const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Prefix, 32 raw bytes, CRC-16 little-endian, all in base 32 without padding. */
export function encodeUserKey(publicKey: KeyObject): string {
  const {x = ''} = publicKey.export({format: 'jwk'});
  const body = Buffer.concat([Buffer.from([userPrefix]), Buffer.from(x, 'base64url')]);
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(crc16(body));
  return encodeBase32(Buffer.concat([body, checksum]));
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

function encodeBase32(bytes: Buffer): string {
  let text = '';
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += base32Alphabet[(value >> (bits - 5)) & 31] ?? '';
  }
  return bits === 0 ? text : text + (base32Alphabet[(value << (5 - bits)) & 31] ?? '');
}
