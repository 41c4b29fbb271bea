import {createPublicKey, sign, verify} from 'node:crypto';
import {privateKeyOf} from '@muster/runtime/tokens.ts';
import {fromSeed, type KeyPair} from '@nats-io/nkeys';

/**
 * The pair of `fromSeed` of @nats-io/nkeys, which derives its keys anew for each use, in JavaScript: 18 ms of CPU a JWT, half of what an enrolment
 * cost. Here they are derived once, and OpenSSL signs.
 */
export function signingPair(seed: string): KeyPair {
  const pair = fromSeed(Buffer.from(seed));
  const key = privateKeyOf(seed);
  const [publicText, privateText] = [pair.getPublicKey(), pair.getPrivateKey()];
  const publicKey = createPublicKey(key);
  return {
    getPublicKey: () => publicText,
    getPrivateKey: () => privateText,
    getSeed: () => pair.getSeed(),
    sign: input => sign(null, input, key),
    verify: (input, signature) => verify(null, input, publicKey, signature),
    clear: () => pair.clear(),
    seal: (input, recipient, nonce) => pair.seal(input, recipient, nonce),
    open: (message, sender) => pair.open(message, sender),
  };
}
