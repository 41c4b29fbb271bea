import test from 'ava';
import {decode, encodeUser} from '@nats-io/jwt';
import {createAccount, createUser, fromPublic} from '@nats-io/nkeys';
import {signingPair} from './signing-pair.ts';

test('signs as the pair of the library does, byte for byte', t => {
  const pair = createAccount();
  const same = signingPair(Buffer.from(pair.getSeed()).toString());
  t.is(same.getPublicKey(), pair.getPublicKey());
  t.deepEqual(same.getPrivateKey(), pair.getPrivateKey());
  t.deepEqual(Buffer.from(same.getSeed()), Buffer.from(pair.getSeed()));

  const text = Buffer.from('muster');
  const signature = same.sign(text);
  t.deepEqual(Buffer.from(signature), Buffer.from(pair.sign(text)));
  t.true(same.verify(text, pair.sign(text)));
  t.false(same.verify(Buffer.from('other'), signature));
  t.true(fromPublic(pair.getPublicKey()).verify(text, signature));
});

test('a JWT that it signs is one that everybody can check', async t => {
  const account = createAccount();
  const signer = signingPair(Buffer.from(account.getSeed()).toString());
  const user = createUser();
  const jwt = await encodeUser('agent', user, signer, {}, {exp: 4_000_000_000});
  const {iss, sub} = decode(jwt);
  t.is(iss, account.getPublicKey());
  t.is(sub, user.getPublicKey());
});
