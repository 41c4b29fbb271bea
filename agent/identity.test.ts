import {fromPublic} from '@nats-io/nkeys';
import test from 'ava';
import {createAuthenticator, createIdentity, signRenewal} from './identity.ts';

test('public keys are NATS user keys that verify the signatures', t => {
  for (let round = 0; round < 50; round++) {
    const identity = createIdentity();
    t.regex(identity.publicKey, /^U[A-Z2-7]{55}$/);
    const text = `nonce ${round}`;
    const checked = fromPublic(identity.publicKey);
    t.true(checked.verify(Buffer.from(text), identity.sign(text)));
    t.false(checked.verify(Buffer.from('another'), identity.sign(text)));
  }
});

test('a renewal is signed over machine and nonce', t => {
  const identity = createIdentity();
  const signature = Buffer.from(signRenewal(identity, 'm1', 'n1'), 'base64');
  t.is(signature.length, 64);
  const text = Buffer.from('muster-renew-v1\nm1\nn1');
  t.true(fromPublic(identity.publicKey).verify(text, signature));
});

test('a login without a nonce does not throw', t => {
  const authenticator = createAuthenticator(createIdentity(), () => 'jwt');
  t.is(authenticator().jwt, 'jwt');
});
