import {encodeAccount, encodeOperator} from '@nats-io/jwt';
import {createAccount, createOperator, type KeyPair} from '@nats-io/nkeys';
import type {MasterKey} from '../secrets.ts';
import type {Deps} from './deps.ts';
import {getOrMakeSecret} from './sealed-secrets.ts';
import {signingPair} from './signing-pair.ts';
import {makeSiteCertificates, type SiteCertificates} from './site-ca.ts';

/** Of the NATS installation: who signs, whose certificate. Made once, sealed in PostgreSQL. */
export type NatsKeys = {
  readonly operator: KeyPair;
  readonly operatorJwt: string;
  /** Pushes account JWTs, nothing else. */
  readonly system: KeyPair;
  readonly systemJwt: string;
  /** Everything of Muster's own is in this one account. */
  readonly account: KeyPair;
  readonly certificates: SiteCertificates;
};

type Sealed = {
  readonly operatorSeed: string;
  readonly operatorJwt: string;
  readonly systemSeed: string;
  readonly systemJwt: string;
  readonly accountSeed: string;
  readonly certificates: SiteCertificates;
};

export async function loadNatsKeys(
  deps: Pick<Deps, 'sql' | 'now'> & {key: MasterKey},
): Promise<NatsKeys> {
  const secret = await getOrMakeSecret(deps, 'nats', makeKeys);
  const sealed = JSON.parse(secret.toString('utf8')) as Sealed;
  return {
    operator: signingPair(sealed.operatorSeed),
    operatorJwt: sealed.operatorJwt,
    system: signingPair(sealed.systemSeed),
    systemJwt: sealed.systemJwt,
    account: signingPair(sealed.accountSeed),
    certificates: sealed.certificates,
  };
}

async function makeKeys(): Promise<Buffer> {
  const operator = createOperator();
  const system = createAccount();
  const sealed: Sealed = {
    operatorSeed: seedOf(operator),
    operatorJwt: await encodeOperator('MUSTER', operator, {system_account: system.getPublicKey()}),
    systemSeed: seedOf(system),
    systemJwt: await encodeAccount('SYS', system, {limits: systemLimits}, {signer: operator}),
    accountSeed: seedOf(createAccount()),
    certificates: await makeSiteCertificates(),
  };
  return Buffer.from(JSON.stringify(sealed));
}

/** A few connections of each server process, no JetStream. */
const systemLimits = {
  conn: 100,
  subs: -1,
  data: -1,
  payload: -1,
  leaf: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
};

const seedOf = (pair: KeyPair) => Buffer.from(pair.getSeed()).toString();
