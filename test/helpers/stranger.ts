import {randomUUID, type KeyObject, sign} from 'node:crypto';
import {createUser, type KeyPair} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import {busOptions, subjects} from '@muster/runtime/bus.ts';
import {privateKeyOf} from '@muster/runtime/tokens.ts';
import {openFoundation} from '@muster/server/foundation.ts';
import {join} from 'node:path';
import type {Muster} from './muster.ts';
import {until} from './processes.ts';

/** boot.json as the edge writes it. */
export type BootJson = {
  readonly session: string;
  readonly token: string;
  readonly token_url: string;
  readonly enroll_url: string;
  readonly nats_servers: readonly string[];
  readonly site_ca: string;
};

export type Answer = {readonly status: number; readonly body: Readonly<Record<string, unknown>>};

/** A machine that is only a key and what it says about itself: it speaks the wire formats, so that it may also speak them wrongly. */
export type Stranger = {
  readonly mac: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly key: KeyPair;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  fetchBootJson(query?: Readonly<Record<string, string>>): Promise<BootJson>;
  enrol(token: string, part?: Readonly<Record<string, unknown>>): Promise<Answer>;
  renew(
    machineId: string,
    part?: {readonly nonce?: string; readonly signedBy?: KeyObject; readonly publicKey?: string},
  ): Promise<Answer>;
};

export type Enrolled = {
  readonly machineId: string;
  readonly jwt: string;
  readonly boot: BootJson;
};

export function createStranger(
  muster: Muster,
  identity: {readonly mac: string; readonly uuid?: string; readonly serial?: string},
): Stranger {
  const {mac, uuid = randomUUID(), serial = ''} = identity;
  const key = createUser();
  const privateKey = privateKeyOf(new TextDecoder().decode(key.getSeed()));
  const publicKey = key.getPublicKey();
  const evidence = {uuid, systemSerial: serial, macAddresses: [mac], bootMacAddress: mac};
  return {
    mac,
    evidence,
    key,
    publicKey,
    privateKey,
    async fetchBootJson(query = {}) {
      const all = {mac, uuid, serial: Buffer.from(serial).toString('hex'), ...query};
      const response = await fetch(
        `${muster.edgeUrl}/boot/token.json?${new URLSearchParams(all).toString()}`,
      );
      if (!response.ok) throw new Error(`token.json: ${response.status}`);
      return (await response.json()) as BootJson;
    },
    enrol: (bootToken, part = {}) =>
      callAgentService(muster, 'EnrollAgent', {bootToken, publicKey, evidence, ...part}),
    async renew(machineId, {nonce, signedBy = privateKey, ...named} = {}) {
      const given = nonce ?? (await createNonce(muster, machineId));
      const signature = sign(
        null,
        Buffer.from(`muster-renew-v1\n${machineId}\n${given}`),
        signedBy,
      );
      return callAgentService(muster, 'RenewAgent', {
        machineId,
        publicKey,
        nonce: given,
        signature: signature.toString('base64'),
        ...named,
      });
    },
  };
}

/** As a well-behaved agent: fetches a token and enrols. */
export async function enrolStranger(stranger: Stranger): Promise<Enrolled> {
  const boot = await stranger.fetchBootJson();
  const {status, body} = await stranger.enrol(boot.token);
  if (status !== 200) throw new Error(`Enrolment: ${status} ${JSON.stringify(body)}`);
  return {machineId: String(body.machineId), jwt: String(body.natsJwt), boot};
}

export async function createNonce(muster: Muster, machineId: string): Promise<string> {
  const {body} = await callAgentService(muster, 'CreateAgentNonce', {machineId});
  return String(body.nonce);
}

/** Connect JSON; the body of an error is its code, message and details. */
export async function callAgentService(
  muster: Muster,
  method: string,
  message: unknown,
): Promise<Answer> {
  const response = await fetch(`${muster.serverUrl}/muster.v1.AgentService/${method}`, {
    method: 'POST',
    headers: {'content-type': 'application/json', 'connect-protocol-version': '1'},
    body: JSON.stringify(message),
  });
  return {status: response.status, body: (await response.json()) as Answer['body']};
}

/** The reason in an AgentErrorInfo detail. */
export function reasonOf({body}: Answer): string | undefined {
  const details = body.details as
    | readonly {readonly debug?: {readonly reason?: string}}[]
    | undefined;
  return details?.find(({debug}) => debug?.reason)?.debug?.reason;
}

/** The agent's own login, once: throws when NATS refuses it. */
export function logInAgent({key}: Stranger, {machineId, jwt, boot}: Enrolled) {
  return connect({
    ...busOptions({servers: boot.nats_servers, siteCa: boot.site_ca, name: 'stranger'}),
    authenticator: jwtAuthenticator(jwt, key.getSeed()),
    inboxPrefix: subjects.inbox(machineId),
    maxReconnectAttempts: 0,
  });
}

/** Logged in, as soon as NATS knows the account; what it refuses is in `refusals`. */
export async function connectAgent(
  stranger: Stranger,
  enrolled: Enrolled,
): Promise<NatsConnection & {readonly refusals: string[]}> {
  const refusals: string[] = [];
  const nats = await until('NATS', () => logInAgent(stranger, enrolled));
  void (async () => {
    for await (const status of nats.status())
      if (status.type === 'error') refusals.push(status.error.message);
  })();
  return Object.assign(nats, {refusals});
}

/** NATS as the server sees it: its own user, made from the sealed keys in its database. */
export async function connectAsServer(
  muster: Muster,
): Promise<AsyncDisposable & {readonly nats: NatsConnection}> {
  await using foundation = await openFoundation({
    databaseUrl: muster.postgres.url,
    masterKeyFile: join(muster.folder, 'server', 'master.key'),
  });
  const {jwt, pair} = await foundation.trust.serverUser();
  const nats = await connect({
    ...busOptions({
      servers: [`127.0.0.1:${muster.natsPort}`],
      siteCa: foundation.trust.siteCa,
      name: 'test',
    }),
    authenticator: jwtAuthenticator(jwt, pair.getSeed()),
  });
  return {nats, [Symbol.asyncDispose]: () => nats.close()};
}

/** The value of one line of a process's `/metrics`; 0 while it has none. */
export async function readMetric(url: string, line: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = text.split('\n').find(candidate => candidate.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}
