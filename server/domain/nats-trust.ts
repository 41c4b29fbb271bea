import {
  buildersDurable,
  imageTestsDurable,
  subjects,
  validationsDurable,
} from '@muster/runtime/bus.ts';
import {decode, encodeAccount, encodeUser} from '@nats-io/jwt';
import {createUser, fromPublic, type KeyPair} from '@nats-io/nkeys';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import * as store from '../store/revocations.ts';
import type {Deps} from './deps.ts';
import type {NatsKeys} from './nats-keys.ts';
import {accountLimits, mebibyte} from './nats-limits.ts';

/** Of every JWT that leaves the server. */
const credentialSeconds = 3600;
/** Longer than any JWT that a revocation must outlive, clocks that differ included. */
const revocationKeptMs = (credentialSeconds + 300) * 1000;

/** A key of this process with the JWT that lets it in. */
export type NatsUser = {readonly jwt: string; readonly pair: KeyPair};

export type NatsCredential = {readonly jwt: string; readonly expiresInSeconds: number};

export type NatsTrust = ReturnType<typeof createNatsTrust>;

/** Who may do what on NATS. Issuing is signing; revoking is a row that `workers/push-account.ts` brings to the nats-server. */
export function createNatsTrust({sql, now, keys}: Pick<Deps, 'sql' | 'now'> & {keys: NatsKeys}) {
  const {account, certificates} = keys;
  const issue = async (
    name: string,
    publicKey: string,
    rights: Rights,
  ): Promise<NatsCredential> => {
    const expiry = Math.floor(now().getTime() / 1000) + credentialSeconds;
    const limits = {data: -1, payload: mebibyte, subs: 16};
    const user = {
      pub: {allow: [...rights.publish]},
      sub: {allow: [...rights.subscribe]},
      ...limits,
    };
    const jwt = await encodeUser(name, fromPublic(publicKey), account, user, {exp: expiry});
    return {jwt, expiresInSeconds: credentialSeconds};
  };

  return {
    siteCa: certificates.ca,
    accountId: account.getPublicKey(),

    /** For the key that the machine made itself. Its subjects only; no JetStream API, no response permission (docs/bus.md). */
    issueAgentCredential: ({machineId, publicKey}: {machineId: string; publicKey: string}) =>
      issue(`agent-${machineId}`, publicKey, agentRights(machineId)),

    /** A builder pulls from the three durable consumers of JOBS, and no more. */
    issueBuilderCredential: ({serviceId, publicKey}: {serviceId: string; publicKey: string}) =>
      issue(`builder-${serviceId}`, publicKey, builderRights(serviceId)),

    /** Of this process: without expiry, because its key lives in this process's memory only. */
    serverUser: () => makeUser('server', account, serverRights),

    systemUser: () => makeUser('server', keys.system, systemRights),

    /** The key's JWTs are worth nothing from now on: in the transaction of the change that says so. */
    async recordRevocation(tx: Sql, publicKey: string): Promise<void> {
      await store.insertRevocation(tx, {publicKey, revokeTime: now()});
    },

    /** As `recordRevocation`, alone. */
    async revoke(publicKey: string): Promise<void> {
      await store.insertRevocation(sql, {publicKey, revokeTime: now()});
    },

    /**
     * Signs the account JWT with every revocation that a valid JWT may still need and hands it to `push`. One server at a time: an older list
     * never overwrites a newer one.
     */
    async withAccountJwt(push: (jwt: string) => Promise<void>): Promise<void> {
      await sql.begin(async tx => {
        await store.lockRevocations(tx);
        await store.deleteRevocationsBefore(tx, new Date(now().getTime() - revocationKeptMs));
        const rows = await store.listRevocations(tx);
        // Refuses what was issued in this second or before.
        const revocations = Object.fromEntries(
          rows.map(row => [row.publicKey, Math.floor(row.revokeTime.getTime() / 1000)]),
        );
        const claims = {limits: accountLimits, revocations};
        await push(await encodeAccount('MUSTER', account, claims, {signer: keys.operator}));
      });
    },

    /**
     * nats-server takes any account JWT, stores it over the good one, and after its next start refuses everybody: so nothing is pushed that the
     * operator has not signed for this account.
     */
    assertPushable(jwt: string): void {
      const {iss, sub} = decode(jwt);
      if (iss !== keys.operator.getPublicKey() || sub !== account.getPublicKey())
        throw new DomainError(
          'failed_precondition',
          `Cannot push the account JWT of "${sub}": it is signed by "${iss}", not by the operator`,
        );
    },
  };
}

type Rights = {readonly publish: readonly string[]; readonly subscribe: readonly string[]};

function agentRights(machineId: string): Rights {
  const id = subjectToken(machineId);
  return {
    publish: [`muster.reports.agent.${id}.>`],
    subscribe: [`muster.commands.${id}.>`, `${subjects.inbox(id)}.>`],
  };
}

function builderRights(serviceId: string): Rights {
  return {
    publish: [buildersDurable, validationsDurable, imageTestsDurable].flatMap(durable => [
      `$JS.API.CONSUMER.INFO.JOBS.${durable}`,
      `$JS.API.CONSUMER.MSG.NEXT.JOBS.${durable}`,
      `$JS.ACK.JOBS.${durable}.>`,
    ]),
    subscribe: [`${subjects.inbox(subjectToken(serviceId))}.>`],
  };
}

/** What the server itself says; a report's forged reply subject cannot reach beyond it. */
const serverRights: Rights = {
  publish: [
    'muster.events.>',
    'muster.commands.>',
    'muster.jobs.>',
    'muster.inbox.*.>',
    '$JS.API.>',
    '$JS.ACK.>',
    '$JS.FC.>',
  ],
  subscribe: ['muster.>', '_INBOX.>', '$JS.EVENT.ADVISORY.>'],
};

const systemRights: Rights = {
  publish: ['$SYS.REQ.CLAIMS.UPDATE', '$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP'],
  subscribe: ['_INBOX.>'],
};

/** An id that could widen the subject it is put into is a mistake of ours. */
function subjectToken(id: string): string {
  if (!/^[\w-]+$/.test(id)) throw new Error(`Cannot use "${id}" in a NATS subject`);
  return id;
}

async function makeUser(name: string, account: KeyPair, rights: Rights): Promise<NatsUser> {
  const pair = createUser();
  const user = {pub: {allow: [...rights.publish]}, sub: {allow: [...rights.subscribe]}};
  return {pair, jwt: await encodeUser(name, pair, account, user)};
}
