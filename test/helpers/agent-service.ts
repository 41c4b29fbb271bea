import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {fromPublic} from '@nats-io/nkeys';
import type {TestNats} from './nats.ts';

/** Numbers of muster.v1.AgentErrorInfo.Reason. */
const reasonNumbers = {
  tokenExpired: 1,
  tokenInvalid: 2,
  tokenReused: 3,
  keyRevoked: 4,
  nonceExpired: 5,
  rejected: 6,
} as const;
type Reason = keyof typeof reasonNumbers;

export type AgentServiceCall = {
  readonly method: string;
  readonly message: Readonly<Record<string, unknown>>;
};

/** Knobs and what was seen. Tests change them while the agent runs. */
export type TestAgentService = AsyncDisposable & {
  readonly url: string;
  readonly calls: AgentServiceCall[];
  machineId: string;
  ttlSeconds: number;
  /** Refuse the next calls of a method, in order; then accept. */
  readonly refusals: {readonly method: string; readonly reason: Reason}[];
  /** Tokens that are accepted; the one handed out at `/boot/token.json` is the last. */
  readonly tokens: string[];
  bootFile(token?: string): object;
  /** Resolves when `count` calls of a method have been answered, the earlier ones included. */
  seen(method: string, count?: number): Promise<AgentServiceCall>;
};

/**
 * Plays the server's AgentService and the edge's token URL over real HTTP, for agents under test: to them both are foreign
 * systems. Checks the renewal's signature as the server does. JWTs are real and come from `nats`.
 */
export async function startAgentService(nats: TestNats): Promise<TestAgentService> {
  const calls: AgentServiceCall[] = [];
  const waiting = new Set<() => void>();
  const nonces = new Set<string>();
  const service = {machineId: randomUUID(), ttlSeconds: 3600, refusals: [], tokens: ['token-1']};
  const state: Pick<TestAgentService, 'machineId' | 'ttlSeconds' | 'refusals' | 'tokens'> = service;

  const answer = async (method: string, message: AgentServiceCall['message']) => {
    const refused = state.refusals.findIndex(refusal => refusal.method === method);
    const [refusal] = refused < 0 ? [] : state.refusals.splice(refused, 1);
    if (refusal) return refuse(refusal.reason);
    switch (method) {
      case 'EnrollAgent': {
        if (!state.tokens.includes(String(message.bootToken))) return refuse('tokenInvalid');
        const jwt = await issue(nats, state, String(message.publicKey));
        return {status: 200, body: {machineId: state.machineId, ...jwt, machineState: 'PENDING'}};
      }
      case 'CreateAgentNonce': {
        const nonce = randomUUID();
        nonces.add(nonce);
        return {status: 200, body: {nonce}};
      }
      case 'RenewAgent': {
        const {publicKey, nonce, signature} = message;
        const signed = Buffer.from(`muster-renew-v1\n${state.machineId}\n${String(nonce)}`);
        const proof = Buffer.from(String(signature), 'base64');
        if (!nonces.delete(String(nonce))) return refuse('nonceExpired');
        if (!fromPublic(String(publicKey)).verify(signed, proof)) return refuse('keyRevoked');
        return {status: 200, body: await issue(nats, state, String(publicKey))};
      }
      default:
        return {status: 404, body: {code: 'unimplemented', message: `No method "${method}"`}};
    }
  };

  const serve = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const path = request.url ?? '';
    if (path.startsWith('/boot/token.json')) {
      record('token.json', {});
      response.end(JSON.stringify(bootFile()));
      return;
    }
    const method = path.replace('/muster.v1.AgentService/', '');
    const message = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const {status, body} = await answer(method, message);
    response.writeHead(status, {'content-type': 'application/json'});
    response.end(JSON.stringify(body));
    record(method, message);
  };
  const server = http.createServer((request, response) => void serve(request, response));
  const record = (method: string, message: AgentServiceCall['message']) => {
    calls.push({method, message});
    for (const look of waiting) look();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bootFile = (token = state.tokens.at(-1)) => ({
    session: 'session-1',
    token,
    edge_url: url,
    token_url: `${url}/boot/token.json`,
    enroll_url: url,
    nats_servers: [nats.address],
    site_ca: nats.siteCa,
    boot_mac_address: '52:54:00:aa:00:01',
  });

  return Object.assign(service, {
    url,
    calls,
    bootFile,
    async seen(method: string, count = 1) {
      const {promise, resolve} = Promise.withResolvers<AgentServiceCall>();
      const look = () => {
        const call = calls.filter(candidate => candidate.method === method)[count - 1];
        if (call) resolve(call);
      };
      waiting.add(look);
      look();
      const call = await promise;
      waiting.delete(look);
      return call;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  });
}

async function issue(
  nats: TestNats,
  {machineId, ttlSeconds}: Pick<TestAgentService, 'machineId' | 'ttlSeconds'>,
  publicKey: string,
) {
  const natsJwt = await nats.issueAgent(machineId, publicKey, {ttlSeconds});
  return {natsJwt, expiresInSeconds: ttlSeconds};
}

function refuse(reason: Reason) {
  const value = Buffer.from([0x08, reasonNumbers[reason]]).toString('base64').replaceAll('=', '');
  return {
    status: 400,
    body: {
      code: 'failed_precondition',
      message: `Refused: ${reason}`,
      details: [{type: 'muster.v1.AgentErrorInfo', value}],
    },
  };
}
