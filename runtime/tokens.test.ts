import {createUser} from '@nats-io/nkeys';
import test from 'ava';
import fc from 'fast-check';
import {SignJWT} from 'jose';
import {privateKeyOf, publicKeyOf, signToken, verifyToken} from './tokens.ts';

const pair = () => {
  const key = createUser();
  return {
    key: privateKeyOf(new TextDecoder().decode(key.getSeed())),
    publicKey: key.getPublicKey(),
  };
};

test('a token proves its issuer, and only for its purpose', async t => {
  const {key, publicKey} = pair();
  const token = await signToken({
    key,
    issuer: 'edge-1',
    purpose: 'boot',
    lifetimeSeconds: 60,
    claims: {sid: 'session'},
  });
  t.like(await verifyToken(token, 'boot', async () => publicKey), {iss: 'edge-1', sid: 'session'});
  await t.throwsAsync(verifyToken(token, 'service', async () => publicKey));
  await t.throwsAsync(verifyToken(token, 'boot', async () => pair().publicKey));
  await t.throwsAsync(
    verifyToken(token, 'boot', async () => undefined),
    {message: 'Unknown issuer'},
  );
});

test('nobody signs for another, and nothing lasts for ever', async t => {
  const {key, publicKey} = pair();
  const findKey = async (issuer: string) => (issuer === 'builder-1' ? publicKey : undefined);
  const make = (issuer: string) =>
    new SignJWT()
      .setProtectedHeader({alg: 'EdDSA', kid: 'builder-1'})
      .setAudience('muster-service')
      .setIssuer(issuer)
      .setIssuedAt();
  const honest = await make('builder-1').setExpirationTime('60s').sign(key);
  t.is((await verifyToken(honest, 'service', findKey)).iss, 'builder-1');
  const impostor = await make('edge-1').setExpirationTime('60s').sign(key);
  await t.throwsAsync(verifyToken(impostor, 'service', findKey), {message: /another issuer/});
  await t.throwsAsync(verifyToken(await make('builder-1').sign(key), 'service', findKey));
});

test('an expired token is refused', async t => {
  const {key, publicKey} = pair();
  const token = await signToken({key, issuer: 'e', purpose: 'boot', lifetimeSeconds: -10});
  await t.throwsAsync(
    verifyToken(token, 'boot', async () => publicKey),
    {code: 'ERR_JWT_EXPIRED'},
  );
});

test('junk never verifies and never crashes', async t => {
  const {publicKey} = pair();
  await fc.assert(
    fc.asyncProperty(fc.string(), async text => {
      await t.throwsAsync(verifyToken(text, 'boot', async () => publicKey));
    }),
    {numRuns: 50},
  );
  t.throws(() => publicKeyOf('UNONSENSE'));
  t.throws(() => privateKeyOf('SUNONSENSE'));
});
